//! `cargo bench`: see the crate's own documentation.

fn main() -> syncline_benches::Result {
    syncline_benches::run(std::env::args().skip(1))
}
