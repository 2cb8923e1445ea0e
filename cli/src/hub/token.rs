//! Making tokens, and the keys that sign them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use syncline::middleware::SystemClock;
use syncline::server::auth::{
    Ed25519Pair, Groups, JwtClaims, JwtMaker, Scope, StaticToken, secret,
};
use syncline::{Clock, Error, ErrorKind, Result};

use super::read;
use crate::args::hub::{self, Token};
use crate::output::{Output, io_failed};

pub fn make(output: &Output, what: Token) -> Result<()> {
    match what {
        Token::New { name, groups, scope, file } => add(output, &name, &groups, scope, &file),
        Token::Sign { name, groups, scope, secret, key, audience, days, hours } => {
            let maker = match (secret, key) {
                (Some(file), _) => {
                    JwtMaker::with_secret(&read("the secret cannot be read", &file)?)?
                }
                (None, Some(file)) => {
                    JwtMaker::with_private_key(&read("the private key cannot be read", &file)?)?
                }
                (None, None) => return Err(Error::invalid("name a secret or a private key")),
            };
            let millis = (i64::from(days) * 24 + i64::from(hours)) * 3_600_000;
            if millis == 0 {
                return Err(Error::invalid(
                    "say how long the token is good, with --days or --hours",
                ));
            }
            let expires = SystemClock.now_millis().saturating_add(millis);
            let (groups, scope) = (parsed(&groups)?, scoped(scope));
            let (not_before, issuer) = (None, None);
            let claims =
                JwtClaims { subject: name, groups, scope, expires, not_before, audience, issuer };
            let token = maker.make(&claims)?;
            output.result(|| json!({"token": token, "expires": expires}), || token.clone())
        }
        Token::Secret { file } => {
            write_new(&file, &secret()?)?;
            output.result(
                || json!({"secret": file}),
                || {
                    format!(
                        "{} holds a new secret; whoever reads it can make tokens",
                        file.display()
                    )
                },
            )
        }
        Token::Keys { private, public } => {
            let pair = Ed25519Pair::generate()?;
            write_new(&private, &pair.private_pem)?;
            write_new(&public, &pair.public_pem)?;
            let text = || {
                let (private, public) = (private.display(), public.display());
                format!("{private} signs tokens and stays secret; the hub reads {public}")
            };
            output.result(|| json!({"private": private, "public": public}), text)
        }
    }
}

/// Makes a token and adds its line to the file that a hub reads.
fn add(
    output: &Output,
    name: &str,
    groups: &[String],
    scope: hub::Scope,
    file: &Path,
) -> Result<()> {
    let made = StaticToken::generate(name, scoped(scope), &parsed(groups)?)?;
    let failed = |error| io_failed("the file of tokens cannot be written", file, error);
    let mut lines =
        secret_file(OpenOptions::new().append(true).create(true), file).map_err(failed)?;
    let written = writeln!(lines, "{}", made.line).and_then(|()| lines.sync_all());
    written.map_err(failed)?;
    output.result(|| json!({"token": made.token, "file": file}), || made.token.clone())
}

fn parsed(groups: &[String]) -> Result<Groups> {
    Groups::parse(groups.iter().map(String::as_str))
}

fn scoped(scope: hub::Scope) -> Scope {
    match scope {
        hub::Scope::Read => Scope::Read,
        hub::Scope::Write => Scope::Write,
        hub::Scope::Admin => Scope::Admin,
    }
}

/// Writes a new file that only its owner can read; never over one that is there.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let message = "there is such a file already; name another, or remove it";
            Error::new(ErrorKind::Conflict, message).with("path", path.display())
        }
        _ => io_failed("the file cannot be written", path, error),
    };
    let mut file =
        secret_file(OpenOptions::new().write(true).create_new(true), path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

#[cfg(unix)]
fn secret_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600).open(path)
}

#[cfg(not(unix))]
fn secret_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}
