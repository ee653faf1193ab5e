//! What `run` says at its start: where it listens, which rules are in force, what to type next.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{Level, TopicFilter};
use crate::rules::{Condition, ConditionKind, RuleEntry, Start, TriggerKind};

use super::files::reload::Loaded;
use super::observers::screen::Screen;
use super::start::url;

/// More rules than these are only counted.
const LISTED: usize = 12;

/// What is said at the start.
pub(super) struct Banner {
    home: PathBuf,
    mqtt: Vec<(&'static str, SocketAddr)>,
    web: SocketAddr,
    rules: Vec<(String, Option<String>)>,
    errors: usize,
    has_rules_folder: bool,
    /// A topic and a payload that set off a rule; in a home without rules, any. `None`: no rule waits for a message.
    example: Option<(String, String)>,
}

impl Banner {
    pub(super) fn new(home: &Path, mqtt: &[(&'static str, SocketAddr)], web: SocketAddr, loaded: &Loaded) -> Banner {
        let entries = &loaded.home.ruleset.entries;
        Banner {
            home: home.to_owned(),
            mqtt: mqtt.to_vec(),
            web,
            rules: entries.iter().map(named).collect(),
            errors: loaded.findings.iter().filter(|finding| finding.is_error()).count(),
            has_rules_folder: loaded.has_rules_folder,
            example: example(entries),
        }
    }

    /// Returns where the daemon listens, as URLs.
    pub(super) fn urls(&self) -> Vec<String> {
        let mqtt = self.mqtt.iter().map(|(scheme, address)| url(scheme, *address));
        mqtt.chain([url("http", self.web)]).collect()
    }

    /// Shows it.
    pub(super) fn show(&self, screen: &mut Screen) {
        #[derive(Serialize)]
        struct Listening {
            protocol: &'static str,
            address: SocketAddr,
        }
        for (scheme, address) in &self.mqtt {
            screen.document("listening", &Listening { protocol: scheme, address: *address });
        }
        screen.document("listening", &Listening { protocol: "http", address: self.web });
        screen.text(&self.text());
        screen.flush();
    }

    fn text(&self) -> String {
        let mut text = format!("homerule {} runs {}\n", env!("CARGO_PKG_VERSION"), self.home.display());
        // Writing to a string doesn't fail.
        for (scheme, address) in &self.mqtt {
            let _ = writeln!(
                text,
                "  MQTT   {}",
                if *scheme == "mqtt" { address.to_string() } else { url(scheme, *address) }
            );
        }
        let _ = writeln!(text, "  web    {}", url("http", self.web));
        let _ = writeln!(text, "  rules  {}", self.count());
        for (id, name) in self.rules.iter().take(LISTED) {
            let _ =
                writeln!(text, "         {id}{}", name.as_ref().map(|name| format!("  ({name})")).unwrap_or_default());
        }
        if self.rules.len() > LISTED {
            let _ = writeln!(text, "         and {} more", self.rules.len() - LISTED);
        }
        let Some((topic, payload)) = &self.example else { return text };
        let _ = writeln!(text, "  try    homerule pub {} {}", quoted(topic), quoted(payload));
        if let Some((_, address)) = self.mqtt.iter().find(|(scheme, _)| *scheme == "mqtt") {
            let (host, port) = (address.ip(), address.port());
            let _ = writeln!(
                text,
                "     or  mosquitto_pub -h {host} -p {port} -t {} -m {}",
                quoted(topic),
                quoted(payload)
            );
        }
        text
    }

    fn count(&self) -> String {
        let errors = match self.errors {
            0 => String::new(),
            1 => "; 1 error, see above: its file is not in force".to_owned(),
            errors => format!("; {errors} errors, see above: their files are not in force"),
        };
        let rules = match self.rules.len() {
            0 if !self.has_rules_folder => {
                "none: there is no folder `rules`; `homerule init` creates a first home".to_owned()
            }
            0 => "none yet: write the first into rules/".to_owned(),
            rules => format!("{rules} in force"),
        };
        rules + errors.as_str()
    }
}

fn named(entry: &RuleEntry) -> (String, Option<String>) {
    let name = match entry {
        RuleEntry::Rule(rule) => rule.name.as_deref().map(ToOwned::to_owned),
        RuleEntry::EachTopic(_) => None,
    };
    (entry.id().to_string(), name)
}

/// Returns a topic and a payload that set off a rule; one whose payload the rules tell, if there is one. Without any
/// rules there is nothing to set off, but a broker to try.
fn example(entries: &[RuleEntry]) -> Option<(String, String)> {
    if entries.is_empty() {
        return Some(("home/hall/light".to_owned(), "ON".to_owned()));
    }
    let examples = || entries.iter().filter_map(example_of);
    let told = examples().find_map(|(topic, payload)| Some((topic, payload?)));
    let any = || examples().next().map(|(topic, _)| (topic, "ON".to_owned()));
    told.or_else(any)
}

/// Returns a topic that the rule waits for, and the payload that it asks for, where that is plain to see.
fn example_of(entry: &RuleEntry) -> Option<(String, Option<String>)> {
    let RuleEntry::Rule(rule) = entry else { return None };
    let Start::When(triggers) = &rule.start else { return None };
    triggers.iter().filter(|trigger| rule.enabled && trigger.enabled).find_map(|trigger| match &trigger.kind {
        TriggerKind::Topic { filter, payload, .. } => {
            let payload = match payload {
                Some(payloads) => payloads.first().map(ToString::to_string),
                None => rule.condition.as_ref().and_then(asked_for),
            };
            Some((topic(filter)?, payload))
        }
        // Which payload has the field, or changes the number, isn't told.
        TriggerKind::State(state) if state.field.is_whole() && state.hold.is_none() => {
            let payload = state.to.as_ref().and_then(|wanted| wanted.first()).map(ToString::to_string);
            Some((topic(&state.filter)?, Some(payload?)))
        }
        _ => None,
    })
}

/// Returns the text that a condition `msg == "ON"` asks for. A rule that asks for more might not fire by that.
fn asked_for(condition: &Condition) -> Option<String> {
    let ConditionKind::Expression(expression) = &condition.kind else { return None };
    let (name, text) = expression.source().as_str().split_once("==")?;
    let text = text.trim();
    let inner = text.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
    let is_plain = !inner.contains(['"', '\'', '$', '\\']);
    (is_plain && matches!(name.trim(), "msg" | "payload")).then(|| inner.to_owned())
}

/// Returns a topic that `filter` matches.
fn topic(filter: &TopicFilter) -> Option<String> {
    let level = |level: &Level| match level {
        Level::Literal(text) => text.to_string(),
        Level::One(name) | Level::Rest(name) => name.as_deref().unwrap_or("something").to_owned(),
    };
    let topic = filter.levels().iter().map(level).collect::<Vec<_>>().join("/");
    (!topic.starts_with("homerule")).then_some(topic)
}

/// Returns `text` as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/_-.:".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_topic_fills_the_wildcards() {
        let filter = TopicFilter::parse("home/+room/tv/#").unwrap();
        assert_eq!(topic(&filter).as_deref(), Some("home/room/tv/something"));
    }

    #[test]
    fn the_example_sets_off_a_rule_whose_payload_is_plain() {
        let rules = "rules:\n  a: { when: home/a, then: { x/y: 1 } }\n  \
                     b: { when: home/+room/tv, if: 'msg == \"OFF\"', then: { x/y: 1 } }\n";
        let source = crate::lang::Source::Content(rules.as_bytes().into());
        let home = crate::lang::Home::load(&[("rules/a.yaml".into(), source)].into());
        assert_eq!(example(&home.ruleset.entries), Some(("home/room/tv".to_owned(), "OFF".to_owned())));
    }

    #[test]
    fn no_example_names_a_topic_that_no_rule_hears() {
        let example = |rules: &str| {
            let source = crate::lang::Source::Content(rules.as_bytes().into());
            example(&crate::lang::Home::load(&[("rules/a.yaml".into(), source)].into()).ruleset.entries)
        };
        assert_eq!(example("rules: { a: { when: { at: '07:30' }, then: { x/y: 1 } } }"), None);
        assert_eq!(example("rules: { a: { enabled: false, when: home/a, then: { x/y: 1 } } }"), None);
        let state = example("rules: { a: { when: { state: home/+room/door, to: open }, then: { x/y: 1 } } }");
        assert_eq!(state, Some(("home/room/door".to_owned(), "open".to_owned())));
        assert!(example("").is_some(), "a home without rules has a broker to try");
    }

    #[test]
    fn what_a_shell_would_split_is_quoted() {
        assert_eq!(quoted("home/hall"), "home/hall");
        assert_eq!(quoted("it's on"), r"'it'\''s on'");
    }
}
