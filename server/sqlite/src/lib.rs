//! Keeps what a hub holds in one SQLite file.
