//! The view of rules in the shadow: how often they agreed, and what differed.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;

use crate::api::view::{ShadowAnswer, ShadowDifferenceAnswer, ShadowRule};

use super::Look;
use super::shown::{counted, one_line, prose, rule_link, topic_link};

/// How many differences of a rule are shown.
const MOST: usize = 10;

/// Returns the view; `None`: no rules are in the shadow.
#[must_use]
pub fn shadow(look: &Look, answer: Option<&ShadowAnswer>) -> Markup {
    let Some(answer) = answer else {
        return html! {
            h1 { "Shadow" }
            p.card.calm {
                "No rules run in the shadow. With " code { "shadow: { rules: ../new-rules }" } " in homerule.yaml, those in that folder run beside the ones in force, \
                 publish nothing, and are compared here."
            }
        };
    };
    let mut by_rule: BTreeMap<&str, Vec<&ShadowDifferenceAnswer>> = BTreeMap::new();
    for difference in &answer.differences {
        by_rule.entry(&difference.rule).or_default().push(difference);
    }
    html! {
        h1 { "Shadow" }
        p.card {
            strong { (answer.agreed) " of " (answer.decided) } " decisions of the rules in " code { (one_line(&answer.rules)) } " agreed with "
            @if answer.compare == "live" { "what was published" } @else { "the rules in force" }
            " since " (look.when(answer.since)) "."
            @if answer.undecided > 0 { " " (counted(answer.undecided, "decision")) " of the last moments can still agree." }
        }
        @if let Some(stopped) = &answer.stopped { p.card.problem { "The rules in the shadow don't run any more: " (prose(stopped)) } }
        @if answer.missed > 0 { p.card.problem { (answer.missed) " things that happened weren't told to the rules in the shadow, since they didn't keep up." } }
        @for finding in answer.diagnostics.iter().filter(|finding| finding.is_error()) {
            p.card.problem { code { (one_line(&finding.place())) } ": " (prose(&finding.message)) }
        }
        @if answer.by_rule.is_empty() { p.card.calm { "Nothing has been decided yet." } }
        @for rule in &answer.by_rule { (of_rule(look, rule, by_rule.get(&*rule.rule).map_or(&[][..], Vec::as_slice))) }
    }
}

fn of_rule(look: &Look, rule: &ShadowRule, differences: &[&ShadowDifferenceAnswer]) -> Markup {
    html! {
        section.card {
            h2 { (rule_link(&rule.rule)) " " span.count { (rule.agreed) " of " (rule.decided) } }
            @if let Some(failure) = &rule.failure {
                p { "Failed in the shadow " (rule.failed) "×, last: " (prose(failure)) }
            }
            @if differences.is_empty() { p.muted { "Agreed since " (look.when(rule.since)) "." } }
            @for difference in differences.iter().take(MOST) { (one(look, difference)) }
            @if differences.len() > MOST { p.muted { (differences.len() - MOST) " earlier ones aren't shown." } }
        }
    }
}

fn one(look: &Look, difference: &ShadowDifferenceAnswer) -> Markup {
    html! {
        details {
            summary {
                (look.time(difference.at)) " "
                code { (one_line(&difference.topic)) }
                " here " (said(&difference.here, difference.here_retain)) ", there " (said(&difference.there, difference.there_retain))
            }
            // Not in the summary, which is a button already. A request or a program (`GET http://…`) isn't a topic.
            @if !difference.topic.contains(' ') { p { "Topic: " (topic_link(&difference.topic)) } }
            (why("Here", &difference.why.here))
            (why("There", &difference.why.there))
        }
    }
}

fn said(value: &Value, retain: Option<bool>) -> Markup {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    html! {
        @match retain {
            None => span.muted { "nothing" },
            Some(is_retained) => { code { bdi { (one_line(&text)) } } @if is_retained { " " span.muted { "retained" } } }
        }
    }
}

fn why(side: &str, lines: &[String]) -> Markup {
    html! {
        p { (side) ":" }
        pre { @for line in lines { (one_line(line)) "\n" } }
    }
}
