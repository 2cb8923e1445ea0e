//! A game whose best scores merge by a reconciler of its own: the greatest wins, not the latest.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline::log::Op;
use syncline::merge::{Author, History, Incoming, ObjectState, Reconciled, Reconciler};
use syncline::operation::Create;
use syncline::{
    ClientLogConfig, Collection, FieldType, Filter, Object, Registry, Result, Schema, Step,
    async_trait,
};
use syncline_sim::{App, User, Violation, world};

/// Keeps the greatest score that anybody ever wrote. A score is never deleted.
#[derive(Debug)]
struct Greatest;

fn best<'a>(ops: impl Iterator<Item = &'a Op>) -> Option<i64> {
    let scores = ops.filter_map(|op| match op {
        Op::Create(fields) | Op::Update(fields) => fields.value("best").as_int(),
        Op::Delete => None,
    });
    scores.max()
}

impl Reconciler for Greatest {
    fn name(&self) -> &'static str {
        "greatest"
    }

    fn reconcile(&self, state: ObjectState<'_>) -> Result<Reconciled> {
        // What cannot be folded is kept, and comes back next time. Of all entries the greatest is enough.
        let all = state.history.kept.iter().chain(state.incoming);
        let score = |entry: &&Incoming| (best([&entry.op].into_iter()), entry.author);
        let mut history = History::default();
        history.kept.extend(all.max_by_key(score).cloned());
        let Some(best) = best(history.kept.iter().map(|entry| &entry.op)) else {
            return Ok(Reconciled { steps: Vec::new(), history, discards: Vec::new() });
        };
        let collection = state.collection.name().clone();
        let object = Object::new().with("best", best);
        let step = match state.row {
            Some(row) if *row.value("best") == best.into() => None,
            Some(_) => {
                let filter = Filter::Keys(vec![state.key.clone()]);
                Some(Step::Update { collection, filter, changes: object })
            }
            None => {
                let mut object = object;
                state.collection.set_key(&mut object, state.key.clone())?;
                Some(Step::Create(Create { collection, object, ..Create::default() }))
            }
        };
        Ok(Reconciled { steps: step.into_iter().collect(), history, discards: Vec::new() })
    }
}

/// Players who beat their best scores.
#[derive(Debug)]
struct Scores;

#[async_trait]
impl App for Scores {
    fn schema(&self, _version: u32) -> Result<Schema> {
        let score = Collection::define("score").field("best", FieldType::Int);
        Registry::new().collections(1, [score]).finish()
    }

    fn configure(&self, mut config: ClientLogConfig) -> ClientLogConfig {
        config.reconcilers.push(("score".into(), Arc::new(Greatest)));
        config
    }

    async fn act(&self, user: &User) -> Result<()> {
        let scores = user.manager.collection("score")?;
        let (player, reached) =
            (format!("player{}", user.dice.below(3)), user.dice.between(1, 1_000));
        if scores.find_one(Filter::key(player.as_str())).await?.is_none() {
            let score = Object::new().with("id", player).with("best", reached);
            return scores.create(score).await.map(drop);
        }
        // Compared and set in one step, so that nobody is overtaken by a worse score.
        let worse = Filter::key(player.as_str()).and(Filter::lt("best", reached));
        scores.update(worse, Object::new().with("best", reached)).await.map(drop)
    }

    fn merged(&self, _collection: &str, entries: &BTreeMap<Author, Op>) -> Option<Object> {
        best(entries.values()).map(|best| Object::new().with("best", best))
    }
}

// An example speaks to the person at the terminal.
#[allow(clippy::print_stdout)]
fn main() -> Result<(), Violation> {
    let mut syncs = 0;
    for seed in 1..=200 {
        syncs += world(seed).replicas(3).run(Scores)?.syncs;
    }
    println!("200 worlds, {syncs} syncs: the greatest score won everywhere");
    Ok(())
}

#[test]
fn the_greatest_score_wins_everywhere() {
    for seed in 1..=200 {
        if let Err(violation) = world(seed).replicas(3).run(Scores) {
            panic!("{violation}");
        }
    }
}
