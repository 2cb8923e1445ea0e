//! What can be typed about hubs.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How a hub is run.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where everything is kept; made if it is missing
    #[arg(long, value_name = "FILE", default_value = "hub.db")]
    pub store: PathBuf,
    /// Where to listen; other than loopback only with tokens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4747")]
    pub listen: Vec<SocketAddr>,
    /// Lets in the tokens of this file, which `syncline token new` writes
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// Lets in signed tokens (JWT, HS256) that were made with this secret
    #[arg(long, value_name = "FILE")]
    pub jwt_secret: Option<PathBuf>,
    /// Lets in signed tokens (JWT, EdDSA) that this public key, as PEM, verifies
    #[arg(long, value_name = "FILE")]
    pub jwt_key: Option<PathBuf>,
    /// Lets in signed tokens that a key of this set (JWKS) verifies
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// For whom signed tokens must be meant
    #[arg(long, value_name = "NAME")]
    pub audience: Option<String>,
    /// The certificate chain, as PEM: serves https then
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Serves the files of this folder too: its index.html at /, while the hub's own page is at /hub then
    #[arg(long, value_name = "FOLDER")]
    pub app: Option<PathBuf>,
    /// Answers pages of this origin, such as https://app.example, and no others; `*` for all, if there are
    /// tokens. If nothing is said: all with tokens, else only those of this machine
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// The most megabytes that a group may keep
    #[arg(long, value_name = "MB", default_value_t = 16_384)]
    pub quota: u64,
    /// The most requests a second that a client may make in a group, in the long run; 0 for any number
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub rate: u32,
    /// The most wrong tokens that an address may send at once, and then one a second; 0 for any number, as behind a
    /// proxy
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub wrong_tokens: u32,
    /// The most groups that the hub keeps
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub groups: u64,
    /// The most megabytes of requests and answers that are in memory at once
    #[arg(long, value_name = "MB", default_value_t = 128)]
    pub memory: usize,
}

/// Where a hub is, and who asks.
#[derive(Clone, Debug, Default, Args)]
pub struct Asking {
    /// A file that holds the token; if nothing is said, the variable SYNCLINE_TOKEN
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Send a token also where anybody on the way can read it: over http:// to another machine
    #[arg(long)]
    pub allow_plain_token: bool,
}

/// What can be asked of a hub.
#[derive(Debug, Subcommand)]
pub enum Hub {
    /// Tell what a hub keeps and how it does; needs a token with the scope admin
    #[command(after_help = "\
Examples:
  syncline hub status http://127.0.0.1:4747
  SYNCLINE_TOKEN=… syncline hub status https://hub.example.org --json")]
    Status {
        /// The hub's address
        url: String,
        #[command(flatten)]
        asking: Asking,
    },
}

/// How much a token allows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Scope {
    /// To read
    Read,
    /// To read and write
    Write,
    /// To see the hub's own state too
    Admin,
}

/// What opens a hub.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a random token, and add the line to a file that lets it in
    #[command(after_help = "\
Example:
  syncline token new ann-phone --for family --file tokens.txt

The file keeps a hash: the token itself is printed once, and nowhere else. A hub that reads the file
notices new and removed lines by itself.")]
    New {
        /// Who it is for
        name: String,
        /// In which group; `team-*` for all that begin so, `*` for all
        #[arg(long = "for", value_name = "GROUP", required = true)]
        groups: Vec<String>,
        #[arg(long, value_enum, default_value = "write")]
        scope: Scope,
        /// The file that the hub reads
        #[arg(long, value_name = "FILE", default_value = "tokens.txt")]
        file: PathBuf,
    },
    /// Sign a token (JWT) that ends by itself
    #[command(after_help = "\
Examples:
  syncline token sign ann-phone --for family --secret hub.secret --days 30
  syncline token sign ann-phone --for family --key private.pem --hours 12")]
    Sign {
        /// Who it is for
        name: String,
        /// In which group; `team-*` for all that begin so, `*` for all
        #[arg(long = "for", value_name = "GROUP", required = true)]
        groups: Vec<String>,
        #[arg(long, value_enum, default_value = "write")]
        scope: Scope,
        /// The secret that the hub reads with --jwt-secret
        #[arg(long, value_name = "FILE", required_unless_present = "key")]
        secret: Option<PathBuf>,
        /// The private key whose public one the hub reads with --jwt-key
        #[arg(long, value_name = "FILE", conflicts_with = "secret")]
        key: Option<PathBuf>,
        /// For whom it is meant, if the hub looks at that
        #[arg(long, value_name = "NAME")]
        audience: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 0)]
        days: u32,
        #[arg(long, value_name = "N", default_value_t = 0)]
        hours: u32,
    },
    /// Make a secret for signing, in a new file
    #[command(after_help = "Example:\n  syncline token secret hub.secret")]
    Secret { file: PathBuf },
    /// Make a pair of keys for signing, in two new files
    #[command(after_help = "Example:\n  syncline token keys private.pem public.pem")]
    Keys {
        /// For who signs
        private: PathBuf,
        /// For the hub
        public: PathBuf,
    },
}
