//! Decodes triggers (docs/language/triggers.md).

mod calendars;
mod every;
mod sequence;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::model::schedule::{Cron, Schedule, SunEvent, TimeOfDay, Weekdays};
use crate::model::{Name, TopicFilter, Value, parse_offset};
use crate::rules::{ClientChange, HomeEvent, StateTrigger, Trigger, TriggerKind};
use crate::script::{Expression, Template};

use super::decoder::Decoder;
use super::range::Hysteresis;
use sequence::TAPPED;

/// The words that make a map a trigger.
pub(super) const TRIGGER_WORDS: [&str; 14] = [
    "topic", "state", "device", "input", "silent", "at", "every", "cron", "sun", "client", "event", "webhook",
    "sequence", "calendar",
];

impl Decoder<'_> {
    /// Returns the triggers of a list, or a single one.
    pub(super) fn triggers(&mut self, node: &Node, path: &str) -> Vec<Trigger> {
        let mut triggers = Vec::new();
        let NodeKind::List(items) = &node.kind else {
            self.trigger_with_parts(node, path, &mut triggers);
            return triggers;
        };
        if items.is_empty() {
            self.wrong_type(node, "a trigger, or a list of them");
        }
        for (index, item) in items.iter().enumerate() {
            self.trigger_with_parts(item, &format!("{path}[{index}]"), &mut triggers);
        }
        triggers
    }

    pub(super) fn trigger(&mut self, node: &Node, path: &str) -> Option<Trigger> {
        let place = self.place(node);
        let NodeKind::Map(entries) = &node.kind else {
            self.warn_of_unlikely_topic(node)?;
            let filter = self.checked_filter(node)?;
            let kind = TriggerKind::Topic { filter, payload: None, condition: None, retained: false };
            return Some(Trigger { id: None, enabled: true, kind, part_of: None, path: path.into(), place });
        };
        let mut words = words_of(entries, &TRIGGER_WORDS);
        if words.iter().any(|(word, _)| *word == "every") {
            // `every: 2w, from: …, at: …`: there `at` is a key.
            words.retain(|(word, _)| *word != "at");
        }
        let word = match words.as_slice() {
            [(word, _)] => *word,
            [] => {
                self.report_unknown_trigger(node);
                return None;
            }
            [(_, first), (_, second), ..] => {
                let message = format!("this trigger has both `{}` and `{}`", first.key.as_str(), second.key.as_str());
                let found = self.findings.error(Code::SEVERAL_TRIGGERS, second.key_span.clone(), message);
                found.relate(first.key_span.clone(), "the first one is here").help("make them items of a list (`- …`)");
                return None;
            }
        };
        let what = format!("the trigger `{word}`");
        let mut fields = Fields::of(node, &what, &self.reader.text, &mut self.reader.findings)?.at(Place::Trigger);
        let id = fields.take("id").and_then(|id| self.plain_text(id));
        let enabled = fields.take("enabled").and_then(|flag| self.flag(flag)).unwrap_or(true);
        let kind = self.trigger_kind(word, &mut fields);
        self.check_hold(word, &mut fields);
        if TAPPED.contains(&word) {
            // Read by who makes a sequence of it.
            fields.allow(&["times", "within", "exact"]);
        }
        fields.finish(&mut self.reader.findings);
        Some(Trigger { id, enabled, kind: kind?, part_of: None, path: path.into(), place })
    }

    fn trigger_kind(&mut self, word: &str, fields: &mut Fields<'_>) -> Option<TriggerKind> {
        match word {
            "topic" => self.topic_trigger(fields),
            "state" => self.state_trigger(fields).map(TriggerKind::State),
            "device" => self.device_trigger(fields).map(TriggerKind::Device),
            "input" => self.input_trigger(fields),
            "silent" => {
                let filter = fields.take("silent").and_then(|node| self.checked_filter(node));
                let hold = fields.need("for", &self.reader.text);
                let hold = hold.and_then(|node| self.interval(node));
                Some(TriggerKind::Silent { filter: filter?, hold: hold? })
            }
            "at" => self.at_trigger(fields),
            "client" => {
                let pattern = fields.take("client").and_then(|node| self.plain_text(node));
                let is = fields.need("is", &self.reader.text);
                let known = [("connected", ClientChange::Connected), ("disconnected", ClientChange::Disconnected)];
                let is = is.and_then(|node| self.word(node, &known));
                Some(TriggerKind::Client { pattern: pattern?, is: is? })
            }
            "event" => fields.take("event").and_then(|node| self.word(node, &HomeEvent::ALL)).map(TriggerKind::Event),
            "sequence" => self.nested_sequence(fields),
            "webhook" => fields.take("webhook").and_then(|node| self.webhook(node)).map(TriggerKind::Webhook),
            _ => {
                let schedule = self.schedule(word, fields);
                let is_within_day = matches!(schedule, Some(Schedule::Every(_)));
                let catch_up = if is_within_day { None } else { fields.take("catch_up") };
                let catch_up = catch_up.and_then(|node| self.duration(node));
                Some(TriggerKind::Schedule { schedule: schedule?, catch_up })
            }
        }
    }

    fn topic_trigger(&mut self, fields: &mut Fields<'_>) -> Option<TriggerKind> {
        let filter = fields.take("topic").and_then(|node| self.checked_filter(node));
        let payload = fields.take("payload").map(|node| self.values(node));
        let condition = fields.take("where").map(|node| self.question(node));
        let retained = fields.take("retained").and_then(|node| self.flag(node)).unwrap_or(false);
        Some(TriggerKind::Topic {
            filter: filter?,
            payload: optional(payload)?,
            condition: optional(condition)?,
            retained,
        })
    }

    fn state_trigger(&mut self, fields: &mut Fields<'_>) -> Option<StateTrigger> {
        let filter = fields.take("state").and_then(|node| self.checked_filter(node));
        let field = fields.take("field").map(|node| self.path(node));
        let from = fields.take("from").map(|node| self.values(node));
        let to = fields.take("to").map(|node| self.values(node));
        let range = self.range(fields, Hysteresis::Allowed);
        let hold = fields.take("for").map(|node| self.duration(node));
        let catch_up = fields.take("catch_up").map(|node| self.duration(node));
        let ignored = self.ignored_in(fields, "to");
        Some(StateTrigger {
            filter: filter?,
            field: optional(field)?.unwrap_or_default(),
            from: optional(from)?,
            to: optional(to)?,
            range: range?,
            hold: optional(hold)?,
            catch_up: optional(catch_up)?,
            ignored,
        })
    }

    /// Returns a name that fits in `/hook/NAME`.
    fn webhook(&mut self, node: &Node) -> Option<Arc<str>> {
        let name = self.plain_text(node)?;
        if !name.is_empty() && !name.contains('/') {
            return Some(name);
        }
        let span = self.mark(node);
        let found = self.findings.error(
            Code::BAD_NAME,
            span,
            format!("`{}` isn't a valid name for a webhook", if name.is_empty() { "\"\"" } else { &*name }),
        );
        found.help("it's part of the address `/hook/NAME`: use at least one character, and no `/`");
        None
    }

    fn at_trigger(&mut self, fields: &mut Fields<'_>) -> Option<TriggerKind> {
        let node = fields.take("at")?;
        let weekdays = fields.take("weekdays").map(|node| self.weekdays(node));
        let catch_up = fields.take("catch_up").map(|node| self.duration(node));
        if self.is_sun_event_at(fields, node) {
            return None;
        }
        let is_expression = node.as_scalar().is_some_and(|scalar| {
            let text = scalar.text.as_str();
            TimeOfDay::parse(text).is_err() && !text.contains("${") && !looks_like_time(text)
        });
        let expression = if is_expression { Some(self.time_expression(node)?) } else { self.unfixed_expression(node) };
        if let Some(expression) = expression {
            let (weekdays, catch_up) = (optional(weekdays)?.unwrap_or_default(), optional(catch_up)?);
            return Some(TriggerKind::AtExpression { expression, weekdays, catch_up });
        }
        let times = match &node.kind {
            NodeKind::List(items) if !items.is_empty() => {
                let times: Vec<_> = items.iter().map(|item| self.time_of_day(item)).collect();
                times.into_iter().collect::<Option<Vec<_>>>()
            }
            _ => self.time_of_day(node).map(|time| vec![time]),
        };
        let schedule = Schedule::At { times: times?, weekdays: optional(weekdays)?.unwrap_or_default() };
        Some(TriggerKind::Schedule { schedule, catch_up: optional(catch_up)? })
    }

    /// Returns the expression of text that is just `${EXPR}`, if only the home knows its value.
    fn unfixed_expression(&mut self, node: &Node) -> Option<Expression> {
        let scalar = node.as_scalar().filter(|scalar| scalar.text.as_str().contains("${"))?;
        // Mistakes in it are reported when its value is needed.
        let template = self.context.sandbox.compile_text(&scalar.text, &self.names).ok()?;
        match template {
            Template::Expression(expression)
                if !self.constants.fix(&self.context.sandbox, &Template::Expression(expression.clone())) =>
            {
                self.check_rules_in(&expression);
                Some(expression)
            }
            _ => None,
        }
    }

    fn schedule(&mut self, word: &str, fields: &mut Fields<'_>) -> Option<Schedule> {
        match word {
            "every" => {
                let node = fields.take("every")?;
                let (from, at) = (fields.take("from"), fields.take("at"));
                self.every(node, from, at)
            }
            "cron" => {
                let node = fields.take("cron")?;
                let fixed = self.fixed(node, "a cron pattern (`\"30 7 * * mon-fri\"`)")?;
                Cron::parse(&fixed.text)
                    .map(Schedule::Cron)
                    .map_err(|error| self.findings.error(Code::BAD_CRON, fixed.span, error.to_string()))
                    .ok()
            }
            "calendar" => self.calendar_trigger(fields),
            _ => {
                let node = fields.take("sun")?;
                if self.has_offset_in_sun(node) {
                    fields.allow(&["offset", "weekdays"]);
                    return None;
                }
                let event = self.word(node, &SunEvent::ALL);
                let offset = fields.take("offset").map(|node| self.offset(node));
                let weekdays = fields.take("weekdays").map(|node| self.weekdays(node));
                self.need_location(node);
                Some(Schedule::Sun {
                    event: event?,
                    offset: optional(offset)?.unwrap_or(SignedDuration::ZERO),
                    weekdays: optional(weekdays)?.unwrap_or(Weekdays::ALL),
                })
            }
        }
    }

    pub(super) fn offset(&mut self, node: &Node) -> Option<SignedDuration> {
        let fixed = self.fixed(node, "an offset (`-30m`, `1h`)")?;
        match parse_offset(&fixed.text) {
            Ok(offset) => Some(offset),
            Err(error) => {
                self.duration_error(&fixed, &error);
                None
            }
        }
    }

    /// Reports a use of the sun in a home without a location.
    pub(super) fn need_location(&mut self, node: &Node) {
        if self.context.has_location {
            return;
        }
        let span = self.mark(node);
        let found = self.findings.error(Code::NO_LOCATION, span, "the sun's position needs the home's location");
        found.help("add e.g. `location: { latitude: 51.5, longitude: -0.12 }` to homerule.yaml");
    }

    /// Reports `for` on a trigger that happens at one instant.
    fn check_hold(&mut self, word: &str, fields: &mut Fields<'_>) {
        if matches!(word, "state" | "silent" | "device" | "input") {
            return;
        }
        let Some(entry) = fields.refuse("for") else { return };
        let message = format!("`for` doesn't work with `{word}`, which happens at one instant and doesn't last");
        let help = match word {
            "topic" => "use `state:` instead of `topic:`, with `to:` and the value that must last",
            _ => "add a `delay` before the actions instead",
        };
        self.findings.error(Code::CANNOT_HOLD, entry.key_span.clone(), message).help(help);
    }

    /// Returns a filter whose named wildcards don't hide a variable.
    pub(in crate::lang::rule_file) fn checked_filter(&mut self, node: &Node) -> Option<TopicFilter> {
        const EXPECTED: &str = "a topic filter (`home/+room/tv`)";
        let scalar = node.as_scalar().filter(|scalar| !matches!(scalar.value, Value::Text(_) | Value::Null));
        if let Some(scalar) = scalar {
            let help = format!("if this is a topic, put it in quotes: `\"{}\"`", scalar.text.as_str());
            self.wrong_type(node, EXPECTED).help(help);
            return None;
        }
        let fixed = self.fixed(node, EXPECTED)?;
        let filter = self.parse_filter(&fixed)?;
        for name in filter.names() {
            let span = fixed.text.find(&format!("{name}")).map(|at| fixed.span_of(at..at + name.len()));
            self.refuse_reserved(name, span.unwrap_or(fixed.span.clone()), "wildcard")?;
        }
        Some(filter)
    }

    fn report_unknown_trigger(&mut self, node: &Node) {
        let (span, help) = self.no_word(node, Place::Trigger, &TRIGGER_WORDS);
        self.findings.error(Code::UNKNOWN_TRIGGER, span.clone(), "this isn't a trigger").suggest(span, help);
    }
}

/// Returns the keys of a map that are in `words`, with their entries.
pub(super) fn words_of<'n>(entries: &'n [Entry], words: &[&'static str]) -> Vec<(&'static str, &'n Entry)> {
    let found = |entry: &'n Entry| Some((*words.iter().find(|word| **word == entry.key.as_str())?, entry));
    entries.iter().filter_map(found).collect()
}

/// Returns what was given, if it could be read: `None` if it was given and couldn't.
#[expect(clippy::option_option, reason = "not given, given and broken, given and read are three things")]
pub(super) fn optional<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// Returns the names of the wildcards of all triggers in `node`, without reporting mistakes.
pub(super) fn wildcards(node: &Node, reader: &Reader<'_>) -> BTreeSet<Name> {
    let mut silent = Reader::new(reader.text.clone());
    silent.sandbox = reader.sandbox;
    silent.constants = reader.constants.clone();
    let items = match &node.kind {
        NodeKind::List(items) => items.as_slice(),
        NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
    };
    let mut names = BTreeSet::new();
    for item in items {
        if let Some(parts) = item.get("sequence") {
            names.extend(wildcards(parts, reader));
        }
        let nodes = match &item.kind {
            NodeKind::Map(_) => ["topic", "state", "silent"].iter().filter_map(|word| item.get(word)).collect(),
            NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Closure(_) => vec![item],
        };
        for filter in nodes.into_iter().filter_map(|node| silent.filter(node)) {
            names.extend(filter.names().cloned());
        }
    }
    names
}

fn looks_like_time(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_digit() || ": apmAPM.h".contains(letter))
        && text.chars().any(|letter| letter.is_ascii_digit())
}
