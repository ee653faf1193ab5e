//! A rule's last publication as a test, as `why TOPIC --as-test FILE` writes it.

use std::sync::Arc;

use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::why::complete_incident;
use crate::engine::StepResult;
use crate::explain::Extent;
use crate::model::{RuleId, Topic};
use crate::sim::{IncidentTest, TestHome};

/// Returns a test of what `rule` last published, and the name of its file.
pub(in crate::daemon::web) async fn of_rule(shared: &Shared, rule: &RuleId) -> Result<(String, String), Problem> {
    let wanted = rule.clone();
    let question = move |home: &mut HomeView<'_>| {
        let traces = home.traces.last(Some(wanted.as_str()), 200);
        let topic = traces.iter().find_map(|kept| published(&kept.trace.steps));
        let rules = home.ruleset();
        let zone = home.engine.calendar().zone.clone();
        (topic, TestHome::new(home.settings, zone, rules), home.sources.keys().cloned().collect::<Vec<Arc<str>>>())
    };
    let (topic, home, files): (_, TestHome, Vec<Arc<str>>) = shared.link.ask(question).await?;
    let none = || Problem::not_found(format!("no run of `{rule}` is remembered that published something"));
    let topic = topic.ok_or_else(none)?;
    let stem = |rule: &RuleId| {
        let stem = format!("{}/{}", home.main_folder(), rule.file());
        let is_it =
            |file: &&Arc<str>| [".yaml", ".yml", ".rhai"].iter().any(|ending| ***file == *format!("{stem}{ending}"));
        files.iter().find(is_it).map(ToString::to_string)
    };
    let path = format!("{}/{}.test.yaml", home.main_folder(), rule.file());
    let mut last = String::new();
    for extent in [Extent::Read, Extent::Everything] {
        let incident = complete_incident(shared, topic.clone(), extent).await?;
        let mut rules = Vec::new();
        for rule in &incident.rules {
            let id = RuleId::from_text(rule);
            let file = stem(&id).ok_or_else(|| Problem::conflict(format!("the file of `{rule}` is gone")))?;
            let key = id.key().split_once('[').map_or(id.key(), |(key, _)| key);
            let choice = format!("{}:{key}", relative(&path, &file));
            if !rules.contains(&choice) {
                rules.push(choice);
            }
        }
        let written = {
            let (home, path) = (home.clone(), path.clone());
            super::super::view::beside(move || {
                IncidentTest { incident: &incident, home: &home, path: &path, rules, extent }.write()
            })
        };
        match written.await? {
            Ok(text) => return Ok((path, text)),
            Err(why) => last = why,
        }
    }
    Err(Problem::conflict(format!("what published `{topic}` can't be played again, so there's no test: {last}")))
}

/// Returns the last topic that steps published to.
fn published(steps: &[crate::engine::Step]) -> Option<Topic> {
    steps.iter().rev().find_map(|step| match &step.result {
        StepResult::Published(topic, _) => Some(topic.clone()),
        _ => None,
    })
}

/// Returns the path `to` as a file at the path `from` names it.
fn relative(from: &str, to: &str) -> String {
    let (mut from, mut to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    from.pop();
    while let (Some(first), Some(second)) = (from.first(), to.first())
        && first == second
    {
        from.remove(0);
        to.remove(0);
    }
    format!("{}{}", "../".repeat(from.len()), to.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_names_its_rules_from_where_it_stands() {
        assert_eq!(relative("rules/a.test.yaml", "rules/a.yaml"), "a.yaml");
        assert_eq!(relative("rules/x/a.test.yaml", "rules/y/b.yaml"), "../y/b.yaml");
    }
}
