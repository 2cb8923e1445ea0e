//! The `syncline` command: its `main` does nothing but call [`run`].

mod args;
mod data;
mod demo;
mod export;
#[cfg(feature = "hub")]
mod hub;
mod import;
mod inspect;
mod output;
mod place;
mod progress;
#[doc(hidden)]
pub mod reading;
mod schema;
mod store;
mod sync;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as Usage;
use serde_json::json;
use syncline::Result;

use args::{Cli, Command};
use output::Output;
use store::Options;

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error, wants_json),
    };
    let output = Output::new(cli.json);
    let many = is_for_many(&cli.command);
    match block_on(many, carry_out(cli, &output)) {
        Ok(code) => code,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// Whether a command works for many at once.
#[cfg(feature = "hub")]
fn is_for_many(command: &Command) -> bool {
    matches!(command, Command::Serve(_))
}

#[cfg(not(feature = "hub"))]
fn is_for_many(_: &Command) -> bool {
    false
}

#[cfg(not(feature = "hub"))]
fn block_on<T>(_: bool, future: impl Future<Output = Result<T>>) -> Result<T> {
    pollster::block_on(future)
}

/// Networks need a runtime. Each thread keeps memory of its own, so there is one where one is enough.
#[cfg(feature = "hub")]
fn block_on<T>(many: bool, future: impl Future<Output = Result<T>>) -> Result<T> {
    use tokio::runtime::Builder;

    let mut threads =
        if many { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = threads.enable_all().build();
    let failed = |error| syncline::Error::internal("threads cannot be started").caused_by(error);
    runtime.map_err(|error: std::io::Error| failed(error))?.block_on(future)
}

fn usage(error: &clap::Error, wants_json: bool) -> ExitCode {
    let is_help = matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion);
    if wants_json && !is_help {
        let message = error.to_string();
        let message = message.trim_start_matches("error: ").trim_end();
        output::print_failure(&json!({"error": {"kind": "Usage", "message": message}}));
    } else {
        // Nobody is left to tell if the terminal is gone.
        let _ = error.print();
    }
    ExitCode::from(if is_help { 0 } else { 2 })
}

/// Why this build cannot do what is asked.
#[cfg(not(feature = "hub"))]
fn without_hub() -> syncline::Error {
    let message =
        "this build knows no hubs; build it with `cargo install --path cli --features hub`";
    syncline::Error::new(syncline::ErrorKind::Unsupported, message)
}

async fn carry_out(cli: Cli, output: &Output) -> Result<ExitCode> {
    let options = Options::new(&cli)?;
    match cli.command {
        Command::Init { db, schema } => schema::init(&options, output, &db, &schema).await?,
        Command::Adopt { db, collections, common_origin, new_keys } => {
            let counted = match (common_origin, new_keys) {
                (true, _) => schema::Counted::CommonOrigin,
                (_, true) => schema::Counted::NewKeys,
                _ => schema::Counted::Refused,
            };
            schema::adopt(&options, output, &db, &collections, counted).await?;
        }
        Command::Import(import) => import::import(&options, output, &import).await?,
        Command::Export { db, collection, file, format } => {
            export::export(&options, output, &db, &collection, file.as_deref(), format).await?;
        }
        Command::Create { db, collection, object } => {
            data::create(&options, output, &db, &collection, &object).await?;
        }
        Command::Update { db, collection, filter, changes } => {
            data::update(&options, output, &db, &collection, [&filter, &changes]).await?;
        }
        Command::Delete { db, collection, filter, limit } => {
            data::delete(&options, output, &db, &collection, &filter, limit).await?;
        }
        Command::Find { db, collection, filter, order, limit, skip, fields } => {
            let question = data::Question { filter, order, limit, skip, fields };
            data::find(&options, output, &db, &collection, question).await?;
        }
        Command::Count { db, collection, filter } => {
            data::count(&options, output, &db, &collection, &filter).await?;
        }
        Command::Sync { db, log, asking, codec, single_batch } => {
            let how = sync::How { place: log, asking, codec, single_batch };
            sync::sync(&options, output, &db, &how).await?;
        }
        Command::Status { db } => inspect::status(&options, output, &db).await?,
        Command::Log { db, collection, key } => {
            inspect::log(&options, output, &db, collection.as_deref(), key.as_deref()).await?;
        }
        Command::Discards { db, take } => inspect::discards(&options, output, &db, take).await?,
        Command::Fingerprint { db } => inspect::fingerprint(&options, output, &db).await?,
        Command::Doctor { db } => return inspect::doctor(&options, output, &db).await,
        Command::Schema { db } => schema::print(&options, output, &db)?,
        #[cfg(feature = "hub")]
        Command::Watch { db, log, asking, every } => {
            hub::watch(&options, output, &db, hub::Watching { place: log, asking, every }).await?;
        }
        #[cfg(feature = "hub")]
        Command::Serve(serve) => hub::serve(cli.durability, output, &serve).await?,
        #[cfg(feature = "hub")]
        Command::Token(what) => hub::token::make(output, what)?,
        #[cfg(feature = "hub")]
        Command::Hub(args::hub::Hub::Status { url, asking }) => {
            hub::status(output, &url, &asking).await?;
        }
        #[cfg(not(feature = "hub"))]
        Command::Watch { .. } | Command::Serve(_) | Command::Token(_) | Command::Hub(_) => {
            return Err(without_hub());
        }
        Command::Demo { keep } => return demo::demo(output, keep.as_deref()).await,
    }
    Ok(ExitCode::SUCCESS)
}
