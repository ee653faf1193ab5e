//! Decodes expectations: what must have happened for a test to pass.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::Value;

use super::decoder::{Decoder, items};
use super::{
    BLOCKED_BY, Expectation, Expected, ExpectedCall, ExpectedMessage, ExpectedPayload, ExpectedRun, OUTCOMES, Pattern,
};

impl Decoder<'_> {
    /// Decodes the expectation that `word` names.
    pub(super) fn expectation(&mut self, word: &str, fields: &mut Fields<'_>) -> Option<Expectation> {
        match word {
            "expect" => fields.take("expect").and_then(|node| self.published(node)).map(Expectation::Published),
            "expect_state" => fields.take("expect_state").and_then(|node| self.states(node)).map(Expectation::State),
            "expect_run" => fields.take("expect_run").and_then(|node| self.run(node)).map(Expectation::Run),
            "expect_http" => fields.take("expect_http").and_then(|node| self.http(node)).map(Expectation::Http),
            "expect_set" => fields.take("expect_set").and_then(|node| self.expected_set(node)).map(Expectation::Set),
            "expect_notify" => {
                fields.take("expect_notify").and_then(|node| self.expected_notices(node)).map(Expectation::Notified)
            }
            _ => fields.take("expect_exec").and_then(|node| self.exec(node)).map(Expectation::Exec),
        }
    }

    fn published(&mut self, node: &Node) -> Option<Expected<ExpectedMessage>> {
        match &node.kind {
            NodeKind::Map(_) => {
                let payloads = self.states(node)?;
                let message = |ExpectedPayload { topic, payload }| ExpectedMessage {
                    topic,
                    payload,
                    at: None,
                    retain: None,
                    qos: None,
                };
                Some(Expected::AnyOrder(payloads.into_iter().map(message).collect()))
            }
            NodeKind::List(items) => {
                let messages: Vec<_> = items.iter().map(|item| self.message(item)).collect();
                Some(Expected::InOrder(messages.into_iter().collect::<Option<_>>()?))
            }
            NodeKind::Closure(_) | NodeKind::Scalar(_) if is_nothing(node) => Some(Expected::AnyOrder(Vec::new())),
            NodeKind::Closure(_) | NodeKind::Scalar(_) => {
                self.wrong_type(node, "a map of topics to payloads, a list of messages or `nothing`");
                None
            }
        }
    }

    fn message(&mut self, node: &Node) -> Option<ExpectedMessage> {
        let mut fields = self.fields(node, "an expected message (`{ topic: …, payload: … }`)")?.at(Place::Expectation);
        let topic = self.need(&mut fields, "topic").and_then(|node| self.topic(node));
        let payload = fields.take("payload").map(|node| self.pattern(node));
        let at = fields.take("at").map(|node| self.time(node));
        let retain = fields.take("retain").map(|node| self.flag(node));
        let qos = fields.take("qos").map(|node| self.qos(node));
        self.finish(fields);
        Some(ExpectedMessage {
            topic: topic?,
            payload: payload.unwrap_or(Some(Pattern::Any))?,
            at: optional(at)?,
            retain: optional(retain)?,
            qos: optional(qos)?,
        })
    }

    fn states(&mut self, node: &Node) -> Option<Vec<ExpectedPayload>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of topics to payloads");
            return None;
        };
        let read: Vec<_> = entries
            .iter()
            .map(|entry| {
                let (topic, payload) = (self.topic_key(entry), self.pattern(&entry.value));
                Some(ExpectedPayload { topic: topic?, payload: payload? })
            })
            .collect();
        read.into_iter().collect()
    }

    fn run(&mut self, node: &Node) -> Option<ExpectedRun> {
        let mut fields = self.fields(node, "an expected run (`{ rule: …, outcome: … }`)")?.at(Place::Expectation);
        let rule_node = self.need(&mut fields, "rule");
        let place = self.place(rule_node.unwrap_or(node));
        let rule = rule_node.and_then(|node| self.plain_text(node));
        let outcome = fields.take("outcome").map(|node| self.word_of(node, &OUTCOMES));
        let by = fields.take("by").map(|node| self.word_of(node, &BLOCKED_BY));
        let times = fields.take("times").map(|node| self.integer(node, 0..1_000_000));
        let at_most = fields.take("at_most").map(|node| self.integer(node, 0..1_000_000));
        let publishes = fields.take("publishes").map(|node| self.topic(node));
        let takes_by = match outcome.flatten() {
            Some("skipped") => true,
            Some("cancelled") => by.flatten() == Some("override"),
            _ => false,
        };
        if by.is_some() && !takes_by {
            let span = fields.take_entry("by").map(|entry| entry.key_span.clone()).unwrap_or_default();
            let message = "`by` has no effect without `outcome: skipped`";
            self.findings.error(Code::KEY_WITHOUT_EFFECT, span, message);
        }
        if publishes.is_some() && outcome.is_some() {
            let span = fields.take_entry("outcome").map(|entry| entry.key_span.clone()).unwrap_or_default();
            let message = "`outcome` has no effect beside `publishes`, which counts messages";
            self.findings.error(Code::KEY_WITHOUT_EFFECT, span, message);
        }
        self.finish(fields);
        let count = |given: Option<Option<u64>>| Some(optional(given)?.and_then(|times| usize::try_from(times).ok()));
        let (times, at_most) = (count(times)?, count(at_most)?);
        let (outcome, by, publishes) = (optional(outcome)?, optional(by)?, optional(publishes)?);
        Some(ExpectedRun { rule: rule?, place, outcome, by, times, at_most, publishes })
    }

    fn http(&mut self, node: &Node) -> Option<Vec<ExpectedCall>> {
        if is_nothing(node) {
            return Some(Vec::new());
        }
        let calls: Vec<_> = items(node).iter().map(|item| self.request(item)).collect();
        calls.into_iter().collect()
    }

    /// A request has at least what is written, and so have its headers; its body is exactly what's written.
    fn request(&mut self, node: &Node) -> Option<ExpectedCall> {
        let mut fields = self.fields(node, "an expected request (`{ method: …, url: … }`)")?.at(Place::Expectation);
        let method = fields.take("method").map(|node| self.text_pattern(node));
        let url = fields.take("url").map(|node| self.text_pattern(node));
        let headers = fields.take("headers").map(|node| self.read_pattern(node, Pattern::at_least));
        let body = fields.take("body").map(|node| self.pattern(node));
        self.finish(fields);
        let mut parts: IndexMap<Arc<str>, Pattern> = IndexMap::new();
        for (key, pattern) in [("method", method), ("url", url), ("headers", headers), ("body", body)] {
            if let Some(pattern) = pattern {
                parts.insert(key.into(), pattern?);
            }
        }
        Some(ExpectedCall { pattern: Pattern::Contains(parts) })
    }

    fn exec(&mut self, node: &Node) -> Option<Vec<ExpectedCall>> {
        if is_nothing(node) {
            return Some(Vec::new());
        }
        let is_list_of_lists = matches!(&node.kind, NodeKind::List(items) if items.iter().all(is_list));
        let commands = if is_list_of_lists { items(node) } else { std::slice::from_ref(node) };
        let calls: Vec<_> = commands.iter().map(|command| self.command(command)).collect();
        calls.into_iter().collect()
    }

    fn command(&mut self, node: &Node) -> Option<ExpectedCall> {
        let parts: Vec<_> = items(node).iter().map(|part| self.text_pattern(part)).collect();
        Some(ExpectedCall { pattern: Pattern::List(parts.into_iter().collect::<Option<_>>()?) })
    }

    /// Returns the pattern of text; a number is its digits.
    pub(super) fn text_pattern(&mut self, node: &Node) -> Option<Pattern> {
        match node.as_scalar() {
            Some(_) => self.plain_text(node).map(|text| Pattern::Equals(Value::Text(text))),
            None => self.read_pattern(node, Pattern::of_part),
        }
    }

    /// Returns the pattern of a payload.
    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        self.read_pattern(node, Pattern::of_payload)
    }

    pub(super) fn read_pattern(&mut self, node: &Node, read: fn(&Value) -> Result<Pattern, String>) -> Option<Pattern> {
        let value = self.value(node)?;
        match read(&value) {
            Ok(pattern) => Some(pattern),
            Err(message) => {
                let span = self.mark(node);
                self.findings.error(Code::BAD_PATTERN, span, message);
                None
            }
        }
    }
}

/// Turns "missing", "invalid" and "valid" into: go on without, give up, go on with.
#[expect(clippy::option_option, reason = "the outer one is whether it reads well, the inner one whether it is there")]
fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

fn is_nothing(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| scalar.text.as_str() == "nothing")
}

fn is_list(node: &Node) -> bool {
    matches!(node.kind, NodeKind::List(_))
}
