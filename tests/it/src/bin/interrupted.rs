//! The process that the tests of crashes kill: it does what its environment tells it.

fn main() {
    #[cfg(unix)]
    if !syncline_it::crash::crowd::work() {
        syncline_it::crash::child::work();
    }
}
