//! The `syncline` command: its `main` does nothing but call [`run`].

mod args;
mod data;
mod demo;
mod export;
mod import;
mod inspect;
mod output;
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
    match pollster::block_on(carry_out(cli, &output)) {
        Ok(code) => code,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::FAILURE
        }
    }
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
        Command::Sync { db, log, codec, single_batch } => {
            let how = sync::How { place: log, codec, single_batch };
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
        Command::Demo { keep } => return demo::demo(output, keep.as_deref()).await,
    }
    Ok(ExitCode::SUCCESS)
}
