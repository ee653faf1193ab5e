//! Witnesses: shows by running the engine that a suspicion is right, and writes it as a test.

mod claims;
mod search;

use std::sync::Arc;

use serde_json::json;

use crate::analysis::{Graph, Known, Literal, Suspicion, literals};
use crate::engine::Options;
use crate::lang::Yaml;
use crate::model::Topic;
use crate::rules::Ruleset;
use crate::sim::explore::Expected;
use crate::sim::explore::journal::Journal;
use crate::sim::explore::obey::Obey;
use crate::sim::explore::pool::{Pool, Wanted};
use crate::sim::explore::saved::fails;
use crate::sim::explore::script::{self, inline, way_to_rules};
use crate::sim::explore::world::{Home, Outcome, World, lean};
use crate::sim::home::TestHome;
use crate::sim::test::exactly;

/// Demonstrates suspicions in one home.
pub struct Witnesses<'a> {
    home: Home,
    pool: Pool,
    graph: Graph,
    known: &'a Arc<Known>,
    literals: Vec<Literal>,
}

/// What demonstrates a suspicion.
#[derive(Debug, Clone)]
pub struct Witness {
    journal: Journal,
}

impl<'a> Witnesses<'a> {
    /// Returns what demonstrates suspicions in a home with these rules.
    #[must_use]
    pub fn new(rules: &Ruleset, options: &Options, known: &'a Arc<Known>) -> Witnesses<'a> {
        let graph = Graph::new(rules, known);
        let commands: Vec<Topic> =
            graph.rules.iter().flat_map(|node| &node.writes).filter_map(|writing| writing.pattern.as_topic()).collect();
        let obey = Obey::new(known, &commands);
        let pool = Pool::new((rules, &graph), known, &options.calendar, &|_| false, Wanted::default());
        let (rules, options, expected) = (rules.clone(), lean(options, false), Expected::default());
        let home = Home { rules, options, obey, at_most: 20, is_lossy: false, expected };
        let literals = literals(&graph);
        Witnesses { home, pool, graph, known, literals }
    }

    /// Returns what demonstrates a suspicion; `None` where nothing was found that does.
    #[must_use]
    pub fn find(&self, suspicion: &Suspicion) -> Option<Witness> {
        search::find(self, &suspicion.claim).map(|journal| Witness { journal })
    }

    /// Returns a test that passes as long as the home is as it is, at `path` of `home`.
    ///
    /// # Errors
    /// When a test can't tell it, or doesn't pass; in words.
    pub fn to_test(
        &self,
        suspicion: &Suspicion,
        witness: &Witness,
        home: &TestHome,
        path: &str,
    ) -> Result<String, String> {
        let mut refused = String::new();
        for tells_answers in [false, true] {
            let text = self.text(suspicion, witness, &way_to_rules(path, home.main_folder()), tells_answers)?;
            match fails(&text, home, path) {
                Ok(false) => return Ok(text),
                Ok(true) => "the test that shows it doesn't pass".clone_into(&mut refused),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    fn text(
        &self,
        suspicion: &Suspicion,
        witness: &Witness,
        rules: &str,
        tells_answers: bool,
    ) -> Result<String, String> {
        let mut steps = script::steps(&self.home, &witness.journal, rules, tells_answers)?;
        let mut world = World::start_noting(&self.home, witness.journal.start);
        witness.journal.entries.iter().for_each(|entry| world.apply(entry));
        let published = world.outcomes.unwrap_or_default().into_iter().filter_map(|outcome| match outcome {
            Outcome::Published(published) => Some(published),
            Outcome::Answered { .. } => None,
        });
        let expected: Vec<Yaml> = published
            .map(|published| {
                let payload = exactly(published.payload.value().to_json());
                inline([("topic", json!(published.topic.as_str())), ("payload", payload)])
            })
            .collect();
        steps.push(if expected.is_empty() {
            inline([("expect", json!("nothing"))])
        } else {
            Yaml::Map(vec![("expect".to_owned(), Yaml::List(expected))])
        });
        let mut test = vec![("at".to_owned(), script::begin(&self.home, &witness.journal))];
        test.extend(script::obeying(&self.home));
        test.push(("steps".to_owned(), Yaml::List(steps)));
        let test = Yaml::Map(test);
        let name = format!("{} {}", suspicion.code, suspicion.rules.first().map_or("", |rule| rule.key()));
        let document = Yaml::Map(vec![("tests".to_owned(), Yaml::Map(vec![(name, test)]))]);
        let message = suspicion.message.lines().next().unwrap_or_default();
        Ok(format!(
            "# {}: {message}.\n# It passes as long as that is so, and fails once it's mended: written by `homerule check --witness`.\n{}",
            suspicion.code,
            document.document()
        ))
    }
}
