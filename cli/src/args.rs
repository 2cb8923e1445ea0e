//! What can be typed.

pub mod hub;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keep objects in a SQLite database, and sync it with others through a folder or a hub.
///
/// Filters, objects and changes are JSON. Results go to stdout, everything else to stderr.
/// Exit codes: 0 done, 1 failed, 2 the command line was not understood.
#[derive(Debug, Parser)]
#[command(name = "syncline", version, after_help = FIRST_STEPS)]
pub struct Cli {
    /// Print JSON on stdout, errors too: {"error": {"kind", "message", …}}
    #[arg(long, global = true)]
    pub json: bool,

    /// Whose data this is; all who sync together name the same group
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub group: String,

    /// What a finished write survives: a power cut (full) or the end of the process (normal)
    #[arg(long, global = true, value_enum, default_value = "full")]
    pub durability: Durability,

    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  syncline demo
  syncline init a.db --schema schema.json
  syncline import a.db city cities.jsonl
  syncline sync a.db --log folder:/media/stick/meet
  syncline init b.db --schema schema.json
  syncline sync b.db --log folder:/media/stick/meet";

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Durability {
    Full,
    Normal,
}

/// How the records of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Jsonl,
    /// One JSON list of objects
    Json,
    /// Comma-separated values under a line of field names
    Csv,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Codec {
    Packed,
    PackedDeflate,
    Json,
    JsonDeflate,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a database, or bring one to a newer schema
    #[command(after_help = "\
Examples:
  syncline init a.db --schema schema.json
  syncline init a.db --schema schema-2.json    upgrades what is there

The schema in JSON:
  {\"version\": 1, \"collections\": {\"city\": {
    \"fields\": {\"name\": {\"type\": \"string\"}, \"lat\": {\"type\": \"float\", \"optional\": true}},
    \"indices\": [{\"field\": \"name\"}]}}}

A SQLite database whose tables match is taken as it is; `syncline adopt` puts its rows into the log.")]
    Init {
        db: PathBuf,
        /// A file with the schema in JSON
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
    },
    /// Put rows into the log that were there before it, so that they are synced
    #[command(after_help = "\
Examples:
  syncline adopt a.db
  syncline adopt a.db city country --common-origin

Keys that a database counted mean other objects in other databases, so such rows are refused unless
--common-origin or --new-keys says how to go on.")]
    Adopt {
        db: PathBuf,
        /// Which collections; all if none is named
        #[arg(value_name = "COLLECTION")]
        collections: Vec<String>,
        /// All who sync began as copies of one database: equal keys mean equal objects
        #[arg(long)]
        common_origin: bool,
        /// Give rows whose keys the database counted new keys, and change what refers to them
        #[arg(long, conflicts_with = "common_origin")]
        new_keys: bool,
    },
    /// Create objects from a file
    #[command(after_help = "\
Examples:
  syncline import a.db city cities.jsonl
  syncline import a.db city cities.csv --skip-bad
  zcat cities.jsonl.gz | syncline import a.db city -

How far an import got is stored with what it wrote, so that the same command goes on where it was
killed or the disk was full. After a bad record, the file goes on from there, also corrected. A file
is known by its contents, whatever its name; one that was imported whole is not imported twice,
unless --again is given. From stdin, every import begins anew. An empty cell of CSV is null, or
empty text where text is required.")]
    Import(Import),
    /// Write all objects of a collection to a file or to stdout
    #[command(after_help = "\
Examples:
  syncline export a.db city cities.csv
  syncline export a.db city --format json

A file appears when it is whole. In CSV, null and empty text are both an empty cell.")]
    Export {
        db: PathBuf,
        collection: String,
        /// Where to write; stdout if nothing is said
        file: Option<PathBuf>,
        /// By the end of the file's name if nothing is said, else jsonl
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// Create one object, children included
    #[command(after_help = "\
Examples:
  syncline create a.db city '{\"name\": \"Vila\", \"lat\": 42.53}'
  syncline create a.db user '{\"name\": \"Ann\", \"emails\": [{\"address\": \"ann@example.com\"}]}'")]
    Create { db: PathBuf, collection: String, object: String },
    /// Change fields of all objects that meet a filter
    #[command(after_help = "\
Examples:
  syncline update a.db city '{\"name\": \"Vila\"}' '{\"lat\": 42.53, \"admin2\": null}'")]
    Update { db: PathBuf, collection: String, filter: String, changes: String },
    /// Delete all objects that meet a filter
    #[command(after_help = "\
Examples:
  syncline delete a.db city '{\"country\": \"AD\"}' --limit 10    deletes nothing if it were more
  syncline delete a.db city '{}'                              deletes all")]
    Delete {
        db: PathBuf,
        collection: String,
        filter: String,
        /// Refuse to delete more than this
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Print the objects that meet a filter, one a line
    #[command(after_help = "\
Examples:
  syncline find a.db city '{\"country\": \"AD\", \"lat\": {\"$gt\": 42.5}}'
  syncline find a.db city --order country,-lat --limit 10 --fields name,lat

Tests of a field: $eq $ne $lt $lte $gt $gte $in $nin $exists $prefix $not
Combinations: $and $or $not $keys")]
    Find {
        db: PathBuf,
        collection: String,
        #[arg(default_value = "{}")]
        filter: String,
        /// Fields to sort by, `-` before one for the greatest first
        #[arg(long, value_name = "FIELDS", allow_hyphen_values = true)]
        order: Option<String>,
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
        #[arg(long, value_name = "N", default_value_t = 0)]
        skip: u64,
        /// Only these fields, and those of the key
        #[arg(long, value_delimiter = ',')]
        fields: Vec<String>,
    },
    /// Count the objects that meet a filter
    #[command(after_help = "Example:\n  syncline count a.db city '{\"country\": \"AD\"}'")]
    Count {
        db: PathBuf,
        collection: String,
        #[arg(default_value = "{}")]
        filter: String,
    },
    /// Exchange what was written with all who meet at the same place
    #[command(after_help = "\
Examples:
  syncline sync a.db --log folder:/media/stick/meet
  syncline sync a.db --log folder:meet --codec json    so that people can read it
  syncline sync a.db --log http://127.0.0.1:4747       a hub, as `syncline serve` runs it")]
    Sync {
        db: PathBuf,
        /// Where to meet: folder:PATH, which is made if it is missing, or a hub's address
        #[arg(long, value_name = "PLACE")]
        log: String,
        #[command(flatten)]
        asking: hub::Asking,
        /// How segments are written
        #[arg(long, value_enum, default_value = "packed")]
        codec: Codec,
        /// Fetch one page, send one segment, and stop
        #[arg(long)]
        single_batch: bool,
    },
    /// Keep syncing, and print what arrives
    #[command(after_help = "\
Examples:
  syncline watch a.db --log http://127.0.0.1:4747
  syncline watch a.db --log folder:/media/stick/meet --every 5

Hubs tell at once when there is something new; other places are looked at again and again.
Ends at Ctrl-C, when the sync at hand is done.")]
    Watch {
        db: PathBuf,
        /// Where to meet: folder:PATH, or a hub's address
        #[arg(long, value_name = "PLACE")]
        log: String,
        #[command(flatten)]
        asking: hub::Asking,
        /// Syncs at least every so many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        every: u64,
    },
    /// Run a hub: the place on a network where many groups meet
    #[command(after_help = "\
Examples:
  syncline serve                                             for this machine alone
  syncline serve --listen 0.0.0.0:4747 --tokens tokens.txt --tls-cert cert.pem --tls-key key.pem

Without tokens everyone may do everything, so it listens on loopback only. The operator's page is at /.
Ends at Ctrl-C or SIGTERM, when what it accepted is done.")]
    Serve(hub::Serve),
    /// Make tokens that let clients in at a hub
    #[command(subcommand)]
    Token(hub::Token),
    /// Ask a hub about itself
    #[command(subcommand)]
    Hub(hub::Hub),
    /// Tell how sync stands: what waits, what went wrong, who else is there
    #[command(after_help = "Example:\n  syncline status a.db")]
    Status { db: PathBuf },
    /// Tell what was written: all of it, in a collection, or to one object
    #[command(after_help = "\
Examples:
  syncline log a.db
  syncline log a.db city
  syncline log a.db city 0198c2f0-5d2e-7c0a-8b1e-3f2a7c9d1e55")]
    Log {
        db: PathBuf,
        collection: Option<String>,
        /// A key: text as it is, anything else in JSON
        key: Option<String>,
    },
    /// Print the values that lost against writes of others
    #[command(after_help = "\
Examples:
  syncline discards a.db
  syncline discards a.db --take    prints them for the last time")]
    Discards {
        db: PathBuf,
        /// Forget them once they are printed
        #[arg(long)]
        take: bool,
    },
    /// Print a text that is equal for equal data, wherever it lies
    #[command(after_help = "Example:\n  syncline fingerprint a.db")]
    Fingerprint { db: PathBuf },
    /// Look for damage and contradictions; succeeds only if all is well
    #[command(after_help = "Example:\n  syncline doctor a.db")]
    Doctor { db: PathBuf },
    /// Print the schema of a database as JSON
    #[command(after_help = "Example:\n  syncline schema a.db > schema.json")]
    Schema { db: PathBuf },
    /// See it work: two databases, 5,000 cities, edits apart, conflicts, and the same data on both
    #[command(after_help = "\
Examples:
  syncline demo
  syncline demo --keep /tmp/demo    leaves the databases and the folder there")]
    Demo {
        /// Work in this new or empty folder and leave everything there
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct Import {
    pub db: PathBuf,
    pub collection: String,
    /// The file; `-` is stdin
    pub file: PathBuf,
    /// By the end of the file's name or its contents if nothing is said
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Go on past bad records and report them
    #[arg(long)]
    pub skip_bad: bool,
    /// Import it once more, although it was imported
    #[arg(long)]
    pub again: bool,
}
