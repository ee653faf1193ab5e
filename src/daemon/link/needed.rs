//! What the home needs to hear: the filters that rules, devices and discovery name, and those that the settings ask for.
//!
//! What an expression computes only when it runs is subscribed when it is first read: see `Engine::take_asked`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::topic_filter;
use crate::lang::{BrokerSettings, NamedDevices, Settings, Source, Sources};
use crate::model::{Topic, TopicFilter, is_inner};
use crate::rules::{
    ActionKind, Condition, ConditionKind, IfChanged, Rule, RuleEntry, Ruleset, Snapshot, SnapshotPart, snapshot_parts,
};
use crate::script::{Template, topic_readers};

/// Returns the filters of all that the home needs to hear.
pub(in crate::daemon) fn needed(settings: &Settings, rules: &Ruleset, sources: &Sources) -> BTreeSet<Arc<str>> {
    let mut found = Found::default();
    for entry in rules.all() {
        match entry {
            RuleEntry::Rule(rule) => found.rule(rule),
            RuleEntry::EachTopic(each) => {
                found.filter(&each.filter);
                // One that it makes shows what they all read.
                let example: String = each.filter.plain().replace(['+', '#'], "x");
                if let Some(Ok(rule)) = Topic::parse(&example).ok().map(|topic| (each.make)(&topic)) {
                    found.rule_of_each(&rule);
                }
            }
        }
    }
    for source in sources.values() {
        if let Source::Content(content) = source {
            found.text(&String::from_utf8_lossy(content));
        }
    }
    let names_devices = settings.named_devices != NamedDevices::default();
    if names_devices || sources.values().any(speaks_of_devices) || found.speaks_of_devices {
        settings.discovery.sources.filters().iter().for_each(|filter| found.pattern(filter));
    }
    settings.devices.iter().for_each(|filter| found.filter(filter));
    if let BrokerSettings::External(broker) = &settings.broker {
        broker.subscribe.iter().for_each(|filter| found.filter(filter));
    }
    if let Some(recorder) = settings.recorder.as_ref().filter(|recorder| recorder.is_include_written) {
        recorder.include.iter().for_each(|filter| found.filter(filter));
    }
    // What others ask of us. The topics of rules also say how they are, which is no news to us.
    for entry in &*rules.entries {
        let levels = entry.id().as_str().split('/').count();
        found.filters.insert(format!("homerule/rule/{}set", "+/".repeat(levels)).into());
    }
    for own in ["homerule/input/#", "homerule/status"] {
        found.filters.insert(own.into());
    }
    found.filters
}

/// Returns whether a file speaks of devices, which discovery tells of.
fn speaks_of_devices(source: &Source) -> bool {
    let Source::Content(content) = source else { return false };
    let text = String::from_utf8_lossy(content);
    ["device:", "device(", "devices(", "set:", "set("].iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            // `home/light/set:` is a topic.
            before.is_none_or(|letter| !letter.is_alphanumeric() && !matches!(letter, '/' | '_' | '-'))
        })
    })
}

#[derive(Default)]
struct Found {
    filters: BTreeSet<Arc<str>>,
    /// Whether a rule commands or remembers devices, however it's written.
    speaks_of_devices: bool,
}

impl Found {
    fn filter(&mut self, filter: &TopicFilter) {
        if is_inner(&filter.plain()) {
            return;
        }
        self.filters.insert(filter.plain().into());
    }

    fn pattern(&mut self, pattern: &str) {
        if let Ok(filter) = TopicFilter::parse(pattern) {
            self.filter(&filter);
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let waits = rule.actions().flat_map(|action| action.kind.triggers());
        rule.triggers()
            .iter()
            .chain(waits)
            .filter_map(|trigger| trigger.filter())
            .for_each(|filter| self.filter(filter));
        for condition in rule.conditions().flat_map(Condition::with_inner) {
            if let ConditionKind::State(state) = &condition.kind {
                self.template(&state.topic);
            }
        }
        for message in rule.actions().flat_map(|action| action.kind.messages()) {
            match &message.if_changed {
                IfChanged::Always => {}
                IfChanged::OwnTopic => self.template(&message.topic),
                IfChanged::Topic(topic) => self.template(topic),
            }
        }
        for action in rule.actions() {
            self.speaks_of_devices |= !action.kind.sets().is_empty();
            if let ActionKind::Snapshot(snapshot) = &action.kind {
                self.snapshot(snapshot);
            }
        }
        self.speaks_of_devices |= rule.scenes.values().any(|scene| !scene.sets().is_empty());
    }

    /// What is remembered must be known before.
    fn snapshot(&mut self, snapshot: &Snapshot) {
        let Some(parts) = snapshot.target.as_constant().and_then(|target| snapshot_parts(target).ok()) else {
            self.speaks_of_devices = true;
            return self.template(&snapshot.target);
        };
        for part in parts {
            match part {
                SnapshotPart::Topics(filter) => self.pattern(&filter),
                SnapshotPart::Device(_) | SnapshotPart::Where(_) => self.speaks_of_devices = true,
            }
        }
    }

    /// The rules of `each: {topic: …}` read their own topics, which the filter covers.
    fn rule_of_each(&mut self, rule: &Rule) {
        let mut own = Found::default();
        own.rule(rule);
        self.speaks_of_devices |= own.speaks_of_devices;
        let read = own.filters.into_iter().filter(|filter| !filter.split('/').any(|level| level == "x"));
        self.filters.extend(read);
    }

    /// A level with an expression in it may be anything; one of which nothing is known is left out.
    fn template(&mut self, topic: &Template) {
        let is_known = |filter: &TopicFilter| filter.plain().split('/').any(|level| !matches!(level, "+" | "#"));
        if let Some(filter) = topic_filter(topic).filter(is_known) {
            self.filter(&filter);
        }
    }

    /// Takes a topic in which U+FFFF, which isn't a character, stands for what isn't known. One of which nothing is known is left
    /// out: it would be everything.
    fn marked(&mut self, text: &str) {
        let level = |level: &str| if level.contains('\u{ffff}') { "+".to_owned() } else { level.to_owned() };
        let levels: Vec<String> = text.split('/').map(level).collect();
        if levels.iter().any(|level| !matches!(level.as_str(), "+" | "#")) {
            self.pattern(&levels.join("/"));
        }
    }

    /// Takes the topics that expressions in a file name literally: `state('home/tv')`.
    fn text(&mut self, text: &str) {
        for name in topic_readers() {
            for (at, _) in text.match_indices(&format!("{name}(")) {
                let before = text.get(..at).and_then(|before| before.chars().next_back());
                if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
                    continue;
                }
                let rest = text.get(at + name.len() + 1..).unwrap_or_default().trim_start();
                let rest = rest.strip_prefix('\\').unwrap_or(rest);
                let Some(quote) = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"' | '`')) else {
                    continue;
                };
                let inner = rest.get(1..).unwrap_or_default();
                let Some(end) = inner.find(quote) else { continue };
                let literal = inner.get(..end).unwrap_or_default().trim_end_matches('\\');
                self.marked(&without_expressions(literal));
            }
        }
    }
}

/// Returns a text with U+FFFF in place of each `${…}`.
fn without_expressions(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        result.push_str(before);
        result.push('\u{ffff}');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expressions_name_is_found_in_any_file() {
        let mut found = Found::default();
        found.text(
            "if: state('weather/lux') < 20 and exists(\"home/a\")\nlet x = count(`home/${room}/+/window`, \"open\");\n\
             mystate('no/thing'); state(topic); state(`${topic}`); age( 'b' ); \
             average('home/power', '1h') + duration(\"home/heat\", 'ON', 'today'); publish('out/a', 1)",
        );
        let found: Vec<&str> = found.filters.iter().map(|filter| &**filter).collect();
        assert_eq!(found, ["b", "home/+/+/window", "home/a", "home/heat", "home/power", "weather/lux"]);
    }

    #[test]
    fn what_a_snapshot_remembers_is_heard_before() {
        let heard = |then: &str| -> Vec<String> {
            let rules = format!(
                "scenes: {{ film: {{ Lamp: {{ on: true }} }} }}\nrules: {{ a: {{ when: bell, then: {then} }} }}\n"
            );
            let mut sources = Sources::new();
            sources.insert("rules/a.yaml".into(), Source::Content(rules.as_bytes().into()));
            let home = crate::lang::Home::load(&sources);
            let needed = needed(&home.settings, &home.ruleset, &sources);
            needed.iter().filter(|filter| !filter.starts_with("homerule/")).map(ToString::to_string).collect()
        };
        assert_eq!(heard("{ snapshot: lamp/+state, as: x }"), ["bell", "lamp/+"]);
        assert_eq!(heard("{ log: x }"), ["bell"]);
        for devices in ["{ snapshot: Lamp }", "{ snapshot: [{ kind: light }] }", "{ scene: film }"] {
            let heard = heard(devices);
            assert!(heard.iter().any(|filter| filter == "zigbee2mqtt/bridge/devices"), "{devices}: {heard:?}");
        }
    }
}
