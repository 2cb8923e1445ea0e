//! What the command line asks for.

use crate::Result;

/// What to run, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The workloads, by the first word of their names; all if there are none.
    pub names: Vec<String>,
    /// How often each workload runs on each side.
    pub rounds: usize,
    /// Whether the ratios become the new baseline.
    pub save_baseline: bool,
}

impl Options {
    /// Reads the arguments that `cargo bench --` passes on.
    ///
    /// # Errors
    ///
    /// If there is no such option.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { names: Vec::new(), rounds: 5, save_baseline: false };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo says so to every benchmark.
                "--bench" => {}
                "--save-baseline" => options.save_baseline = true,
                "--rounds" => {
                    let rounds = arguments.next().ok_or("--rounds takes a number")?;
                    options.rounds = rounds.parse::<usize>()?.max(1);
                }
                name if !name.starts_with('-') => options.names.push(name.to_owned()),
                other => return Err(format!("there is no option {other}").into()),
            }
        }
        Ok(options)
    }

    /// Whether a workload of this name is to run.
    pub fn wants(&self, name: &str) -> bool {
        let first = name.split(' ').next().unwrap_or(name);
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_that_workload_and_no_longer_one() {
        let arguments = ["--bench", "W1"].map(str::to_owned).into_iter();
        let options = Options::parse(arguments).expect("these are fine");
        assert!(options.wants("W1 full"));
        assert!(!options.wants("W1b 20k"));
    }
}
