//! Writes what was found as a test that fails now, and passes once it's mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::lang::test_file::TestFile;
use crate::lang::{Source, Yaml};
use crate::model::{RuleId, Topic};
use crate::sim::home::TestHome;
use crate::sim::test::{TestRun, exactly};

use super::journal::Journal;
use super::script::{self, inline};
use super::world::{Outcome, Published, World};
use super::{Explore, Finding, Found};

impl Explore {
    /// Returns the text of a test file at `path` of `home` that fails because of what was found.
    ///
    /// # Errors
    /// When a test can't tell it, or doesn't fail; in words.
    pub fn to_test(&self, found: &Found, home: &TestHome, path: &str) -> Result<String, String> {
        let mut refused = String::new();
        // What devices answer is told only where it is needed: once the rules are mended, they may have nothing to answer.
        for tells_answers in [false, true] {
            let text = self.text(found, &script::way_to_rules(path, home.main_folder()), tells_answers)?;
            match fails(&text, home, path) {
                Ok(true) => return Ok(text),
                Ok(false) => "the test that tells it doesn't fail".clone_into(&mut refused),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    fn text(&self, found: &Found, rules: &str, tells_answers: bool) -> Result<String, String> {
        let mut steps = script::steps(&self.home, &found.journal, rules, tells_answers)?;
        steps.extend(self.expectation(found)?);
        let mut test = vec![("at".to_owned(), script::begin(&self.home, &found.journal))];
        test.push(("strict".to_owned(), Yaml::Value(json!(false))));
        test.extend(script::obeying(&self.home));
        test.push(("steps".to_owned(), Yaml::List(steps)));
        let test = Yaml::Map(test);
        let document = Yaml::Map(vec![("tests".to_owned(), Yaml::Map(vec![(name(&found.finding), test)]))]);
        let finding = found.finding.to_string();
        let first = finding.lines().next().unwrap_or_default();
        Ok(format!(
            "# Found by `homerule explore`: {first}.\n# It fails until this is mended.\n{}",
            document.document()
        ))
    }

    /// Returns the step that fails; a broken invariant needs none.
    fn expectation(&self, found: &Found) -> Result<Option<Yaml>, String> {
        let run = |rule: &RuleId, outcome: &str| {
            let rule = rule.maker().to_string();
            Some(inline([("expect_run", json!({ "rule": rule, "outcome": outcome, "times": 0 }))]))
        };
        match &found.finding {
            Finding::Broken { .. } => Ok(None),
            Finding::Failed { rule, .. } | Finding::Loop(rule) => Ok(run(rule, "failed")),
            Finding::Commanded { topic, rule } => {
                let (rule, count) = self.busiest(&found.journal, topic).unwrap_or((rule.clone(), usize::MAX));
                let most = self.home.at_most.min(count.saturating_sub(1));
                let expected = json!({ "rule": rule.as_str(), "publishes": topic.as_str(), "at_most": most });
                Ok(Some(inline([("expect_run", expected)])))
            }
            Finding::Differs { at, .. } => {
                let mut without = found.journal.clone();
                if *at < without.entries.len() {
                    without.entries.remove(*at);
                }
                let published = self.published(&without);
                let all = published.iter().map(|published| {
                    let payload = exactly(published.payload.value().to_json());
                    inline([("topic", json!(published.topic.as_str())), ("payload", payload)])
                });
                Ok(Some(Yaml::Map(vec![("expect".to_owned(), Yaml::List(all.collect()))]))
                    .filter(|_| !published.is_empty()))
            }
            Finding::Panic(_) => Err("homerule itself fails: please report it".to_owned()),
        }
    }

    /// Returns what rules publish in a journal.
    fn published(&self, journal: &Journal) -> Vec<Published> {
        let mut world = World::start_noting(&self.home, journal.start);
        journal.entries.iter().for_each(|entry| world.apply(entry));
        let published = world.outcomes.unwrap_or_default().into_iter().filter_map(|outcome| match outcome {
            Outcome::Published(published) => Some(published),
            Outcome::Answered { .. } => None,
        });
        published.collect()
    }

    /// Returns which rule commands a topic most often in a journal, and how often.
    fn busiest(&self, journal: &Journal, topic: &Topic) -> Option<(RuleId, usize)> {
        let mut counts: BTreeMap<RuleId, usize> = BTreeMap::new();
        for published in self.published(journal).iter().filter(|published| published.topic == *topic) {
            *counts.entry(published.by.maker()).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count)
    }
}

fn name(finding: &Finding) -> String {
    match finding {
        Finding::Broken { invariant, .. } => format!("{invariant} holds"),
        Finding::Loop(rule) => format!("{} comes to an end", rule.key()),
        Finding::Failed { rule, .. } => format!("{} doesn't fail", rule.key()),
        Finding::Commanded { topic, .. } => format!("{topic} isn't commanded again and again"),
        Finding::Differs { .. } => "a restart makes no difference".to_owned(),
        Finding::Panic(_) => "homerule doesn't fail".to_owned(),
    }
}

/// Returns whether a test fails that isn't written yet.
pub(in crate::sim) fn fails(text: &str, home: &TestHome, path: &str) -> Result<bool, String> {
    let source = Source::Content(Arc::from(text.as_bytes()));
    let (file, found) = TestFile::read(path, &source);
    let first = || found.first().map_or("the test can't be read", |found| &found.message).to_owned();
    let file = file.ok_or_else(first)?;
    let case = file.tests.first().ok_or("there's nothing to run")?;
    Ok(TestRun::run(&file, case, home, None).failure.is_some())
}
