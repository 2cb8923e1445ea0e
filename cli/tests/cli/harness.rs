//! Runs the command in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

pub const SYNCLINE: &str = env!("CARGO_BIN_EXE_syncline");

/// A folder to work in, with a schema and real cities.
#[derive(Debug)]
pub struct Place {
    folder: tempfile::TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        place.write("schema.json", &schema(1, &json!({})).to_string());
        place
    }

    /// A folder with an initialised database `a.db`.
    pub fn with_database() -> Self {
        let place = Self::new();
        place.ok("init a.db --schema schema.json");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the folder can be written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file can be read")
    }

    /// What is in the folder, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder can be read");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(SYNCLINE);
        command.args(words(line)).current_dir(self.folder.path());
        command
    }

    pub fn run(&self, line: &str) -> Answer {
        Answer::of(&mut self.command(line))
    }

    /// Runs what must succeed.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        let answer = self.run(line);
        assert_eq!(answer.code, 0, "syncline {line}: {}{}", answer.stdout, answer.stderr);
        answer.stdout
    }

    /// Runs what must succeed, and reads its JSON.
    #[track_caller]
    pub fn json(&self, line: &str) -> Value {
        let text = self.ok(&format!("--json {line}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    /// Runs what must fail, and gives its error.
    #[track_caller]
    pub fn fails(&self, line: &str) -> Value {
        let answer = self.run(&format!("--json {line}"));
        assert_eq!(answer.code, 1, "syncline {line}: {}{}", answer.stdout, answer.stderr);
        let json: Value = serde_json::from_str(&answer.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {}", answer.stdout));
        json["error"].clone()
    }

    #[track_caller]
    pub fn count(&self, db: &str, collection: &str) -> u64 {
        self.json(&format!("count {db} {collection}"))["count"].as_u64().expect("a count")
    }

    #[track_caller]
    pub fn fingerprint(&self, db: &str) -> Value {
        self.json(&format!("fingerprint {db}"))
    }

    pub fn spawn(&self, line: &str) -> Child {
        self.command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts")
    }

    /// Asks another program what is in a database.
    #[track_caller]
    pub fn sqlite(&self, db: &str, sql: &str) -> String {
        sqlite(&self.path(db), sql).expect("sqlite3 answers")
    }

    /// The cities, this many times over.
    pub fn cities(&self, name: &str, times: usize) -> u64 {
        let text = CITIES.repeat(times);
        self.write(name, &text);
        text.lines().count() as u64
    }
}

pub const CITIES: &str = include_str!("../../../examples/data/cities-5000.jsonl");

/// What the `sqlite3` command answers, unless the database is busy or not there yet.
pub fn sqlite(db: &Path, sql: &str) -> Option<String> {
    let output = Command::new("sqlite3").arg(db).arg(sql).output().expect("sqlite3 is installed");
    let text = String::from_utf8(output.stdout).expect("text");
    output.status.success().then(|| text.trim_end().to_owned())
}

impl Answer {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the command runs");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// The words of a line as a shell would tell them apart; single quotes keep words together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut is_word = false;
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                is_word = true;
            }
            ' ' if !quoted => {
                if std::mem::take(&mut is_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => {
                word.push(other);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

/// A schema with cities, and users with their emails and one address; `more` are fields of a city.
pub fn schema(version: u32, more: &Value) -> Value {
    let mut fields = json!({
        "name": {"type": "string"},
        "lat": {"type": "float"},
        "lng": {"type": "float"},
        "country": {"type": "string"},
        "admin1": {"type": "string", "optional": true},
        "admin2": {"type": "string", "optional": true},
    });
    for (name, field) in more.as_object().expect("fields") {
        fields[name] = field.clone();
    }
    json!({"version": version, "collections": {
        "city": {"fields": fields, "indices": [{"field": "country"}]},
        "user": {
            "fields": {
                "name": {"type": "string"},
                "born": {"type": "timestamp", "optional": true},
                "tags": {"type": "json", "optional": true},
                "photo": {"type": "binary", "optional": true},
                "active": {"type": "boolean", "optional": true},
                "age": {"type": "int", "optional": true},
            },
            "indices": [{"field": "name", "unique": true}],
        },
        "email": {
            "fields": {"address": {"type": "string"}},
            "relationships": [{"childOf": "user"}],
        },
        "home": {
            "fields": {"street": {"type": "string"}},
            "relationships": [{"singleChildOf": "user"}],
        },
    }})
}
