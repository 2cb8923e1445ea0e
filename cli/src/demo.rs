//! The story of two databases, told on real cities.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value as Json, json};
use syncline::backend::sqlite::{Durability, SqliteConfig};
use syncline::merge::Discard;
use syncline::value::json::value_to_json;
use syncline::{Error, Filter, Group, Object, Result, Value, sync as syncing};

use crate::args::hub::Asking;
use crate::args::{Codec, Import};
use crate::import;
use crate::inspect::{discard_json, hex, not_a_folder};
use crate::output::{Output, count, grouped, io_failed};
use crate::schema;
use crate::store::{Options, Store};
use crate::sync::{self, How};

/// 5,000 cities, from GeoNames (CC BY 4.0); see `examples/data/README.md`.
const CITIES: &str = include_str!("../../examples/data/cities-5000.jsonl");

const SOURCE: &str = "GeoNames (https://www.geonames.org), licence CC BY 4.0";

const SCHEMA: &str = r#"{"version": 1, "collections": {"city": {
  "fields": {
    "name": {"type": "string"},
    "lat": {"type": "float"},
    "lng": {"type": "float"},
    "country": {"type": "string"},
    "admin1": {"type": "string", "optional": true},
    "admin2": {"type": "string", "optional": true}
  },
  "indices": [{"field": "country"}]
}}}
"#;

/// After how many rounds two databases must have nothing more to say to each other.
const ROUNDS: usize = 10;

pub async fn demo(output: &Output, keep: Option<&Path>) -> Result<ExitCode> {
    let (folder, _gone_at_the_end) = folder(keep)?;
    let started = Instant::now();
    let mut story = Story::begin(output, &folder).await?;
    story.fill().await?;
    story.write_apart().await?;
    story.meet_until_quiet().await?;
    let end = story.compare().await?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(&format!("\n{seconds:.1} seconds. City names and places: {SOURCE}."))?;
    if let Some(keep) = keep {
        let keep = keep.display();
        output.say(&format!("Everything is in {keep}; try `syncline status {keep}/a.db`."))?;
    }
    if output.is_json() {
        let mut json = end.json;
        json["cities"] = CITIES.lines().count().into();
        json["same"] = end.same.into();
        json["seconds"] = seconds.into();
        json["folder"] = keep.map(|keep| keep.display().to_string()).into();
        json["data"] = SOURCE.into();
        output.result(|| json, String::new)?;
    }
    Ok(if end.same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn folder(keep: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    let Some(keep) = keep else {
        let temporary = tempfile::tempdir().map_err(|error| {
            io_failed("no temporary folder can be made", &std::env::temp_dir(), error)
        })?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    let failed = |error| io_failed("the folder cannot be made", keep, error);
    std::fs::create_dir_all(keep).map_err(failed)?;
    if std::fs::read_dir(keep).map_err(failed)?.next().is_some() {
        return Err(not_a_folder(keep));
    }
    Ok((keep.to_owned(), None))
}

struct Story<'a> {
    output: &'a Output,
    folder: PathBuf,
    group: Group,
    a: Store,
    b: Store,
}

struct End {
    same: bool,
    json: Json,
}

impl<'a> Story<'a> {
    async fn begin(output: &'a Output, folder: &Path) -> Result<Self> {
        let group: Group = "default".parse()?;
        // A power cut during a demo costs nothing.
        let config = SqliteConfig { durability: Durability::Normal, ..SqliteConfig::default() };
        let options = Options { group: group.clone(), config };
        for (name, text) in [("schema.json", SCHEMA), ("cities.jsonl", CITIES)] {
            let path = folder.join(name);
            std::fs::write(&path, text)
                .map_err(|error| io_failed("the file cannot be written", &path, error))?;
        }
        let quiet = Output::new(false).silent();
        for name in ["a.db", "b.db"] {
            schema::init(&options, &quiet, &folder.join(name), &folder.join("schema.json")).await?;
        }
        let a = Store::open(&options, &folder.join("a.db")).await?;
        let b = Store::open(&options, &folder.join("b.db")).await?;
        output
            .say("Two databases, A and B, that never talk to each other: they meet in a folder.")?;
        Ok(Self { output, folder: folder.to_owned(), group, a, b })
    }

    async fn fill(&mut self) -> Result<()> {
        self.output.say("\n1. A imports cities, syncs, and B syncs.")?;
        let started = Instant::now();
        let asked = Import {
            db: self.folder.join("a.db"),
            collection: "city".to_owned(),
            file: self.folder.join("cities.jsonl"),
            format: None,
            skip_bad: false,
            again: false,
        };
        let imported = import::run(&self.a, &asked).await?.imported;
        let millis = started.elapsed().as_millis();
        self.output.say(&format!("   A imported {} in {millis} ms", grouped(imported)))?;
        let started = Instant::now();
        let shared = self.sync(&self.a).await?.shared;
        let millis = started.elapsed().as_millis();
        self.output.say(&format!("   A shared {} entries in {millis} ms", grouped(shared)))?;
        let started = Instant::now();
        let received = self.sync(&self.b).await?.received;
        let millis = started.elapsed().as_millis();
        let there = self.b.collection("city")?.count(Filter::All).await?;
        self.output.say(&format!(
            "   B received {} entries in {millis} ms and has {}",
            grouped(received),
            count(there, "object")
        ))
    }

    /// Both write while they cannot see each other.
    async fn write_apart(&mut self) -> Result<()> {
        let say = |text: &str| self.output.say(text);
        say("\n2. Now both are offline, and write.")?;
        let text = |text: &str| Value::from(text);
        say("   A renames Vila; B moves Vila to another region: different fields")?;
        self.set(&self.a, "Vila", [("name", text("Vila Vella"))]).await?;
        self.set(&self.b, "Vila", [("admin1", text("07"))]).await?;
        say("   both rename Sarōbī: one field")?;
        self.set(&self.a, "Sarōbī", [("name", text("Sarobi (A)"))]).await?;
        self.set(&self.b, "Sarōbī", [("name", text("Sarobi (B)"))]).await?;
        say("   both move Ash Sha‘m: two fields")?;
        let (a, b) = ([26.1, 56.1], [26.2, 56.2]);
        self.set(&self.a, "Ash Sha‘m", [("lat", a[0].into()), ("lng", a[1].into())]).await?;
        self.set(&self.b, "Ash Sha‘m", [("lat", b[0].into()), ("lng", b[1].into())]).await?;
        say("   A deletes Yangī Qal‘ah, B edits it: a delete against an edit")?;
        let gone = Filter::eq("name", "Yangī Qal‘ah");
        let _ = self.a.collection("city")?.delete_limited(gone, 1).await?;
        self.set(&self.b, "Yangī Qal‘ah", [("admin2", text("1"))]).await
    }

    async fn set<const N: usize>(
        &self,
        store: &Store,
        name: &str,
        changes: [(&str, Value); N],
    ) -> Result<()> {
        let changes: Object = changes
            .into_iter()
            .map(|(name, value)| (syncline::value::Name::from(name), value))
            .collect();
        match store.collection("city")?.update(Filter::eq("name", name), changes).await? {
            1 => Ok(()),
            other => Err(Error::internal("the demo's data has not this one city")
                .with("name", name)
                .with("count", other)),
        }
    }

    async fn meet_until_quiet(&mut self) -> Result<()> {
        self.output
            .say("\n3. They are online again and sync until there is nothing more to say.")?;
        for _ in 0..ROUNDS {
            let mut passed = 0;
            for (name, store) in [("A", &self.a), ("B", &self.b)] {
                let report = self.sync(store).await?;
                let (received, shared) = (report.received, report.shared);
                passed += received + shared;
                self.output.say(&format!("   {name} received {received} and shared {shared}"))?;
            }
            if passed == 0 {
                return Ok(());
            }
        }
        Err(Error::internal("the databases never come to rest"))
    }

    async fn sync(&self, store: &Store) -> Result<syncline::SyncReport> {
        let place = format!("folder:{}", self.folder.join("meet").display());
        let asking = Asking::default();
        let how = How { place, asking, codec: Codec::Packed, single_batch: false };
        sync::run(store, &self.group, &how).await
    }

    async fn compare(&self) -> Result<End> {
        self.output.say("\n4. What became of it, on both:")?;
        let mut differs = false;
        for (was, names) in [
            ("Vila", ["Vila", "Vila Vella"]),
            ("Sarōbī", ["Sarobi (A)", "Sarobi (B)"]),
            ("Ash Sha‘m", ["Ash Sha‘m", "Ash Sha‘m"]),
            ("Yangī Qal‘ah", ["Yangī Qal‘ah", "Yangī Qal‘ah"]),
        ] {
            let (a, b) = (shown(&self.a, names).await?, shown(&self.b, names).await?);
            differs |= a != b;
            self.output.say(&format!("   {was}: {}", a.join(", ")))?;
        }
        self.output.say("   What lost is not gone; each can be looked at, and taken back:")?;
        let mut discards: Vec<Discard> = Vec::new();
        for store in [&self.a, &self.b] {
            for discard in syncing::discards(store.log()?).await? {
                if !discards.contains(&discard) {
                    discards.push(discard);
                }
            }
        }
        let replica = self.a.log()?.replica().await?;
        for discard in &discards {
            let who = |of: &syncline::merge::Author| if of.replica == replica { "A" } else { "B" };
            // Told beside its fields, as far as they are known.
            let Some(field) = discard.field.as_deref() else { continue };
            self.output.say(&format!(
                "   {field} = {} by {}, lost against {}",
                value_to_json(&discard.lost),
                who(&discard.loser),
                who(&discard.winner)
            ))?;
        }
        let a = syncing::fingerprint(self.a.log()?).await?;
        let b = syncing::fingerprint(self.b.log()?).await?;
        let (a, b) = (hex(&a.total()), hex(&b.total()));
        let same = a == b && !differs;
        self.output.say(&format!("\n   fingerprint of A: {a}\n   fingerprint of B: {b}"))?;
        let verdict = if same { "the same data" } else { "DIFFERENT DATA" };
        self.output.say(&format!("   {verdict} on both."))?;
        let discards: Json = discards.iter().map(discard_json).collect();
        Ok(End { same, json: json!({"fingerprint": {"a": a, "b": b}, "discards": discards}) })
    }
}

/// The cities of these names, as text.
async fn shown(store: &Store, names: [&str; 2]) -> Result<Vec<String>> {
    let filter = Filter::is_in("name", names);
    let found = store.collection("city")?.find(filter).await?;
    if found.is_empty() {
        return Ok(vec!["deleted".to_owned()]);
    }
    let show = |city: &Object| {
        let field = |name: &str| value_to_json(city.value(name)).to_string();
        let [name, lat, lng, admin1] = ["name", "lat", "lng", "admin1"].map(field);
        format!("{name} at {lat}, {lng}, region {admin1}")
    };
    Ok(found.iter().map(show).collect())
}
