//! Decodes the steps of a test: what happens.

use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::fields::{Fields, Missing};
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::{Payload, Value, format_duration};

use super::decoder::{Decoder, items};
use super::{ExpectedTime, PublishStep, Restart, Step, StepKind};

/// The words that make a map a step.
const WORDS: [&str; 17] = [
    "publish",
    "device",
    "input",
    "after",
    "until",
    "expect",
    "expect_state",
    "expect_run",
    "expect_http",
    "expect_exec",
    "expect_set",
    "expect_notify",
    "restart",
    "reload",
    "client",
    "webhook",
    "resume",
];

/// The most messages that one step publishes.
const MOST_MESSAGES: u128 = 100_000;

impl Decoder<'_> {
    /// Decodes a step.
    pub(super) fn step(&mut self, node: &Node) -> Option<Step> {
        let entries = node.as_map().unwrap_or_default();
        let mut words = entries.iter().filter(|entry| WORDS.contains(&entry.key.as_str()));
        let Some(first) = words.next() else {
            self.unknown(node, Code::UNKNOWN_STEP, "step", &WORDS);
            return None;
        };
        if let Some(second) = words.next() {
            let (one, other) = (first.key.as_str(), second.key.as_str());
            let message = format!("this step has both `{one}` and `{other}`");
            let first_span = first.key_span.clone();
            let found = self.findings.error(Code::SEVERAL_STEPS, second.key_span.clone(), message);
            found.relate(first_span, "the first one is here");
            found.help(format!("start a new step with `- {other}: …`"));
            return None;
        }
        let place = self.place(node);
        let word = first.key.as_str().to_owned();
        let mut fields = self.fields(node, &format!("the step `{word}`"))?.at(Place::Step);
        let kind = self.step_kind(&word, &mut fields);
        self.finish(fields);
        Some(Step { kind: kind?, place })
    }

    fn step_kind(&mut self, word: &str, fields: &mut Fields<'_>) -> Option<StepKind> {
        Some(match word {
            "publish" => StepKind::Publish(self.publish(fields)?),
            "device" => StepKind::Device(self.device_says(fields)?),
            "input" => StepKind::Input(fields.take("input").and_then(|node| self.input_step(node))?),
            "after" => StepKind::After(fields.take("after").and_then(|node| self.duration(node))?),
            "until" => StepKind::Until(fields.take("until").and_then(|node| self.time(node))?),
            "restart" => StepKind::Restart(fields.take("restart").and_then(|node| self.restart(node))?),
            "reload" => StepKind::Reload(fields.take("reload").map(|node| self.selections(node))?),
            "client" => fields.take("client").and_then(|node| self.client(node))?,
            "webhook" => {
                let node = fields.take("webhook");
                let span = node.map(|node| node.span.clone()).unwrap_or_default();
                let name = node.and_then(|node| self.plain_text(node));
                let body = fields.take("payload").map(|node| self.payload(node));
                StepKind::Webhook { name: name?, span, body: body.unwrap_or_else(|| Some(Payload::default()))? }
            }
            "resume" => StepKind::Resume(fields.take("resume").and_then(|node| self.plain_text(node))?),
            _ => StepKind::Expect(self.expectation(word, fields)?),
        })
    }

    fn client(&mut self, node: &Node) -> Option<StepKind> {
        let mut fields = self.fields(node, "a client")?;
        let id = self.need(&mut fields, "id").and_then(|node| self.plain_text(node));
        let is = self.need(&mut fields, "is");
        let is_connected = is.and_then(|node| self.word(node, &[("connected", true), ("disconnected", false)]));
        self.finish(fields);
        Some(StepKind::Client { id: id?, is_connected: is_connected? })
    }

    fn restart(&mut self, node: &Node) -> Option<Restart> {
        if node.as_map().is_none() {
            return Some(Restart { down: self.duration(node)?, meanwhile: Vec::new(), is_killed: false });
        }
        let mut fields = self.fields(node, "a restart")?;
        let down = self.need(&mut fields, "down").and_then(|node| self.duration(node));
        let meanwhile: Vec<PublishStep> = match fields.take("meanwhile") {
            Some(list) => items(list).iter().filter_map(|item| self.meanwhile(item)).collect(),
            None => Vec::new(),
        };
        let is_killed = fields.take("killed").map(|node| self.flag(node));
        self.finish(fields);
        Some(Restart { down: down?, meanwhile, is_killed: is_killed.unwrap_or(Some(false))? })
    }

    fn meanwhile(&mut self, node: &Node) -> Option<PublishStep> {
        let mut fields = self.fields(node, "a message of `meanwhile`")?.at(Place::Step);
        let step = self.publish(&mut fields);
        self.finish(fields);
        step
    }

    /// Returns a time: a local one, a time of day, or one with its offset.
    pub(super) fn time(&mut self, node: &Node) -> Option<ExpectedTime> {
        let text = self.plain_text(node)?;
        let time = ExpectedTime::parse(&text);
        if time.is_none() {
            let found = self.findings.error(Code::BAD_TIME, node.span.clone(), format!("`{text}` isn't a valid time"));
            found.help("use `\"20:10:00\"`, `2024-06-01T20:10:00` or `2024-06-01T20:10:00+02:00`");
        }
        time
    }

    fn publish(&mut self, fields: &mut Fields<'_>) -> Option<PublishStep> {
        let topic = self.need(fields, "publish").and_then(|node| self.topic(node));
        let qos = fields.take("qos").map(|node| self.qos(node));
        let retain = fields.take("retain").map(|node| self.flag(node));
        let payloads = self.payloads(fields);
        Some(PublishStep {
            topic: topic?,
            payloads: payloads?,
            qos: qos.unwrap_or(Some(crate::model::Qos::default()))?,
            retain: retain.unwrap_or(Some(false))?,
        })
    }

    /// Returns the payloads of a `publish`: one, the listed ones, or those from one number to another.
    fn payloads(&mut self, fields: &mut Fields<'_>) -> Option<Vec<(Duration, Payload)>> {
        let kinds: Vec<&str> = ["payload", "values", "from"].into_iter().filter(|key| fields.has(key)).collect();
        if let [first, second, ..] = kinds.as_slice() {
            let help = "a step publishes one `payload`, a list of `values`, or numbers `from` … `to`";
            fields.conflict(first, second, help, &mut self.findings);
            fields.allow(&["payload", "values", "every", "from", "to", "over"]);
            return None;
        }
        match kinds.first().copied() {
            Some("values") => self.listed(fields),
            Some("from") => self.ramp(fields),
            _ => {
                let payload = fields.take("payload").and_then(|node| self.payload(node));
                if !fields.has("payload") {
                    // A misspelt key may be meant for any of these.
                    let keys = vec!["payload", "values", "from"];
                    fields.allow(&["values", "every", "from", "to", "over"]);
                    let span = self.text.first_line(&fields.span());
                    let message = "`payload` is missing from the step `publish`".to_owned();
                    let help = Some("for an empty payload, write `payload: null`".to_owned());
                    fields.missing(Missing { keys, code: Code::MISSING_KEY, span, message, help });
                }
                Some(vec![(Duration::ZERO, payload?)])
            }
        }
    }

    /// `values: [20.1, ~, 21.0]`, `every: 30s`: the first one now. `~` is a time without a message.
    fn listed(&mut self, fields: &mut Fields<'_>) -> Option<Vec<(Duration, Payload)>> {
        let values = fields.take("values")?;
        let every = self.need(fields, "every").and_then(|node| self.interval(node));
        let NodeKind::List(items) = &values.kind else {
            self.wrong_type(values, "a list of payloads");
            return None;
        };
        let read: Vec<Option<Value>> = items.iter().map(|item| self.value(item)).collect();
        let every = every?;
        let mut payloads = Vec::new();
        for (index, value) in read.into_iter().enumerate() {
            let value = value?;
            if !value.is_null() {
                payloads.push((every.saturating_mul(u32::try_from(index).ok()?), Payload::from_value(&value)));
            }
        }
        Some(payloads)
    }

    /// `from: 20`, `to: 25`, `over: 1h`, `every: 1m`: both ends are published.
    fn ramp(&mut self, fields: &mut Fields<'_>) -> Option<Vec<(Duration, Payload)>> {
        let from = fields.take("from").and_then(|node| self.number(node));
        let to = self.need(fields, "to").and_then(|node| self.number(node));
        let over_node = self.need(fields, "over");
        let over = over_node.and_then(|node| self.interval(node));
        let every = fields.take("every").map(|node| self.interval(node));
        let (from, to, over) = (from?, to?, over?);
        let usual = if over > Duration::from_mins(1) { Duration::from_mins(1) } else { Duration::from_secs(1) };
        let every = every.unwrap_or(Some(usual))?;
        if over.as_millis() / every.as_millis().max(1) > MOST_MESSAGES {
            let message =
                format!("a message every {} for {} is too many", format_duration(every), format_duration(over));
            let span = over_node.map(|node| node.span.clone()).unwrap_or_default();
            self.findings.error(Code::OUT_OF_RANGE, span, message).help("use a longer `every`");
            return None;
        }
        let mut payloads = Vec::new();
        let mut offset = Duration::ZERO;
        while offset < over {
            payloads.push((offset, number(from + (to - from) * offset.as_secs_f64() / over.as_secs_f64())));
            offset = offset.saturating_add(every);
        }
        payloads.push((over, number(to)));
        Some(payloads)
    }
}

/// Returns the payload of a number, without the noise in its last digits.
#[expect(clippy::cast_possible_truncation, reason = "the number is whole and far below 2^53")]
fn number(number: f64) -> Payload {
    let rounded = (number * 1e6).round() / 1e6;
    let is_whole = rounded.fract() == 0.0 && rounded.abs() < 1e15;
    Payload::from_value(&if is_whole { Value::Int(rounded as i64) } else { Value::Float(rounded) })
}
