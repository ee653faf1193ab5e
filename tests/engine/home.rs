//! A home for properties: some rules of the pool, a journal, and what the engine makes of it.

use std::fmt::Write as _;
use std::sync::Arc;

use homerule::engine::{Answer, Effect, Engine, Event, Options, Outcome, Snapshot, StoppedBy};
use homerule::lang::{Home, Source, Sources};
use homerule::model::schedule::{Calendar, Location};
use homerule::model::{Map, Message, Origin, Payload, Qos, RuleId, Topic};
use homerule::rules::Ruleset;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::pool::RULES;

/// The topics that journals speak on.
pub(crate) const TOPICS: [&str; 5] = ["home/a/tv", "home/b/tv", "home/a/door", "home/b/door", "home/c/door"];

/// What they say.
pub(crate) const PAYLOADS: [&str; 11] =
    ["ON", "OFF", "21", "25.5", "19", "open", "shut", "", "null", r#"{"a":{"b":1}}"#, r#"{"a":{"b":[2,"x"]}}"#];

/// One entry of a journal: how long after the one before, and what happened.
pub(crate) type Entry = (SignedDuration, Event);

/// When journals begin.
pub(crate) fn start() -> Timestamp {
    "2024-01-01T12:00:00Z".parse().unwrap()
}

/// Returns the ruleset of the pool's rules whose index is in `picked`.
pub(crate) fn ruleset(picked: &[usize]) -> Ruleset {
    ruleset_of(&text_of(picked.iter().map(|index| RULES[*index])))
}

/// Returns rules as they stand in a file.
pub(crate) fn text_of<'a>(rules: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (key, rule) in rules {
        writeln!(text, "  {key}: {rule}").unwrap();
    }
    text
}

/// Returns the ruleset of the rules of `text`.
pub(crate) fn ruleset_of(text: &str) -> Ruleset {
    let text = format!("scenes: {{ evening: {{ out/scene: dim }} }}\nrules:\n  {}\n", text.trim());
    let settings = "location: { latitude: 51.5, longitude: -0.12, timezone: UTC }\nallow: { exec: [/bin/true] }\n\
        notify: { phone: { ntfy: 'http://127.0.0.1/x' }, display: { publish: out/display, payload: '${message}' } }\n";
    let mut sources = Sources::new();
    sources.insert("homerule.yaml".into(), Source::Content(settings.as_bytes().into()));
    sources.insert("rules/pool.yaml".into(), Source::Content(text.as_bytes().into()));
    let home = Home::load(&sources);
    let errors: Vec<String> = home
        .diagnostics
        .iter()
        .filter(|found| found.severity == homerule::lang::Severity::Error)
        .map(|found| format!("{found:?}"))
        .collect();
    assert!(errors.is_empty(), "the pool's rules must load:\n{}\n{text}", errors.join("\n"));
    home.ruleset
}

/// Returns the rules that the picked ones need.
pub(crate) fn with_needed(picked: Vec<usize>) -> Vec<usize> {
    let index = |key: &str| RULES.iter().position(|(known, _)| *known == key).unwrap();
    let mut all = picked;
    for (rule, needs) in [
        ("reads-named", vec!["named", "hold"]),
        ("calls", vec!["callee"]),
        ("callee", vec!["calls"]),
        ("switches", vec!["plain", "hold"]),
    ] {
        if all.contains(&index(rule)) {
            all.extend(needs.into_iter().map(index));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Returns the engine's options.
pub(crate) fn options() -> Options {
    let location = Location { latitude: 51.5, longitude: -0.12 };
    let calendar = Calendar { zone: jiff::tz::TimeZone::UTC, location: Some(location), ..Calendar::default() };
    Options { calendar, seed: 7, ..Options::default() }
}

/// An engine with what it said so far.
pub(crate) struct Played {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) saved: Snapshot,
    /// What it did, as text: publications, traces, logs, requests. What it keeps is in `saved`.
    pub(crate) said: Vec<String>,
}

impl Played {
    /// Starts a home without a past.
    pub(crate) fn start(rules: Ruleset) -> Played {
        let (engine, effects) = Engine::new(start(), rules, options());
        let mut played = Played { engine, now: start(), saved: Snapshot::default(), said: Vec::new() };
        played.take(effects);
        played.handle(Event::Started);
        played
    }

    /// Stops, and starts at once from what was saved.
    pub(crate) fn restart(mut self, rules: Ruleset) -> Played {
        let late = self.engine.flush();
        self.take(late);
        let saved = Snapshot { alive_at: Some(self.now), ..self.saved.clone() };
        let (engine, effects) = Engine::restore(self.now, rules, saved, options());
        self.engine = engine;
        self.take(effects);
        self.handle(Event::Started);
        self
    }

    /// Lets happen what is due now, such as the end of a message that has expired when it comes.
    pub(crate) fn settle(&mut self) {
        if self.engine.next_deadline().is_some_and(|due| due <= self.now) {
            self.handle(Event::Tick);
        }
    }

    /// Plays entries of a journal.
    pub(crate) fn play(&mut self, journal: &[Entry]) {
        for (after, event) in journal {
            self.now = self.now.checked_add(*after).unwrap();
            self.handle(event.clone());
        }
    }

    /// Handles an event now, and answers the requests that it leads to at once.
    pub(crate) fn handle(&mut self, event: Event) {
        if let Event::ClockChanged { forward } = event {
            self.now = self.now.checked_add(SignedDuration::from_millis(forward)).unwrap();
        }
        let mut effects = self.engine.handle(self.now, event);
        // An answer may lead to another request.
        loop {
            let requests: Vec<_> = effects
                .iter()
                .filter_map(|effect| match effect {
                    Effect::Http { request, .. } | Effect::Exec { request, .. } | Effect::Deliver { request, .. } => {
                        Some(*request)
                    }
                    _ => None,
                })
                .collect();
            self.take(std::mem::take(&mut effects));
            if requests.is_empty() {
                return;
            }
            for request in requests {
                let answer = Answer::Ended { status: 200, body: Payload::from_bytes("ok"), retry_after: None };
                effects.extend(self.engine.handle(self.now, Event::Answered { request, answer }));
            }
        }
    }

    pub(crate) fn take(&mut self, effects: Vec<Effect>) {
        assert_eq!(self.engine.inconsistencies(), Vec::<String>::new());
        for effect in effects {
            match &effect {
                Effect::Save { key, value } => self.saved.apply(key, value.as_ref()),
                other => self.said.push(format!("{other:?}")),
            }
        }
    }
}

/// A strategy for the rules of a home.
pub(crate) fn picks() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..RULES.len(), 1..8).prop_map(with_needed)
}

/// A strategy for journals.
pub(crate) fn journals() -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec((pauses(), events()), 1..40)
}

fn pauses() -> impl Strategy<Value = SignedDuration> {
    let millis = prop_oneof![
        Just(0_i64),
        Just(1),
        Just(1_000),
        Just(5_000),
        Just(15_000),
        Just(20_000),
        Just(29_999),
        0_i64..60_000,
        Just(60_000),
        Just(90_000)
    ];
    millis.prop_map(SignedDuration::from_millis)
}

fn events() -> impl Strategy<Value = Event> {
    let expiry = prop_oneof![3 => Just(None), 1 => (0_i64..600).prop_map(Some)];
    let message =
        (0..TOPICS.len(), 0..PAYLOADS.len(), any::<bool>(), expiry).prop_map(|(topic, payload, retain, expiry)| {
            let expires_at = expiry.map(|seconds| start() + SignedDuration::from_secs(seconds));
            let message = message(TOPICS[topic], PAYLOADS[payload].as_bytes(), retain);
            Event::Message(Message { expires_at, ..message })
        });
    let rule = (0..RULES.len()).prop_map(|index| RuleId::new("pool", RULES[index].0));
    prop_oneof![
        12 => message,
        2 => Just(Event::Tick),
        1 => any::<bool>().prop_map(|here| {
            let client: Arc<str> = "tv".into();
            if here { Event::ClientConnected(client) } else { Event::ClientDisconnected(client) }
        }),
        1 => Just(Event::Webhook { name: "bell".into(), body: Payload::from_bytes("ring") }),
        1 => (rule.clone(), any::<bool>()).prop_map(|(rule, is_enabled)| Event::Switch { rule, is_enabled }),
        1 => rule.prop_map(|rule| Event::RunRule { rule, with: Map::default() }),
        1 => prop_oneof![Just(7_200_000), Just(-7_200_000), -2_000_i64..2_000]
            .prop_map(|forward| Event::ClockChanged { forward }),
    ]
}

/// Returns a live message.
pub(crate) fn message(topic: &str, payload: &[u8], retain: bool) -> Message {
    Message {
        topic: Topic::parse(topic).unwrap(),
        payload: Payload::from_bytes(payload.to_vec()),
        qos: Qos::AtLeastOnce,
        retain,
        origin: Origin::Live,
        expires_at: None,
    }
}

/// Returns whether an outcome is that of a reload: used to see that none happened.
pub(crate) fn is_ended_by_reload(outcome: &Outcome) -> bool {
    *outcome == Outcome::Cancelled(StoppedBy::Reload)
}
