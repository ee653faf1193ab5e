//! What expressions and templates do, seen from outside: each sentence of docs/language/expressions.md has a case.

mod failures;
mod language;
mod limits;
mod mistakes;
mod reading;
mod robustness;
mod scripts;
mod templates;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::model::schedule::Calendar;
use crate::model::{Message, Origin, Payload, PlacedText, Qos, RuleId, Topic, Value};

use super::{ExpressionError, Failure, Frame, Limits, Names, Reads, Sandbox, World};

/// A home in which tests evaluate.
pub(super) struct Home {
    pub(super) sandbox: Sandbox,
    pub(super) world: World,
    pub(super) variables: BTreeMap<String, Value>,
    pub(super) reads: Reads,
    pub(super) entropy: u64,
}

impl Home {
    /// Returns a home in Berlin on Saturday, 2024-06-01 at 20:00 local time, where nothing was heard yet.
    pub(super) fn new() -> Home {
        Home::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Home {
        let calendar = Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() };
        let now = "2024-06-01T18:00:00Z".parse().unwrap();
        let world = World { now, calendar, ..World::default() };
        Home { sandbox: Sandbox::new(limits), world, variables: BTreeMap::new(), reads: Reads::default(), entropy: 1 }
    }

    /// Sets a variable to what a payload holds.
    pub(super) fn set(mut self, name: &str, payload: &str) -> Home {
        self.variables.insert(name.to_owned(), Value::from_payload(payload.as_bytes()));
        self
    }

    /// Notes a message, which came so many seconds ago.
    pub(super) fn hear(mut self, topic: &str, payload: &str, seconds_ago: i64) -> Home {
        let message = Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes(payload.as_bytes().to_vec()),
            qos: Qos::default(),
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        };
        let at = self.world.now - jiff::SignedDuration::from_secs(seconds_ago);
        self.world.states.note(at, &message, crate::model::Size::Fits);
        self
    }

    fn names(&self) -> Names {
        Names { variables: self.variables.keys().map(|name| name.as_str().into()).collect(), ..Names::default() }
    }

    /// Evaluates `expression`, and returns its value as JSON, or what was said instead and of which part.
    pub(super) fn eval(&mut self, expression: &str) -> String {
        match self.value(expression) {
            Ok(value) => value.to_json().to_string(),
            Err(told) => told,
        }
    }

    pub(super) fn value(&mut self, expression: &str) -> Result<Value, String> {
        let source = PlacedText::whole_file(expression, "rules/test.yaml");
        let compiled = self.sandbox.compile(&source, &self.names()).map_err(|error| told(expression, &error))?;
        let rule = RuleId::new("test", "rule");
        let variables = |name: &str| self.variables.get(name).cloned().unwrap_or_default();
        let mut reads = Reads::default();
        let mut frame = Frame { rule: &rule, variables: &variables, entropy: self.entropy, reads: &mut reads };
        let result = self.sandbox.evaluate(&mut self.world, &compiled, &mut frame);
        self.reads = reads;
        result.map_err(|failure| failed(expression, &failure))
    }
}

/// Returns an error of compiling with the part of the text that it marks.
fn told(text: &str, error: &ExpressionError) -> String {
    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{:?} «{}» {}{help}", error.kind, part(text, &error.at), error.message)
}

/// Returns a failure with the part of the text that it marks.
fn failed(text: &str, failure: &Failure) -> String {
    let unknown =
        failure.without_value.as_ref().map(|topic| format!(" ({topic} has no value yet)")).unwrap_or_default();
    format!("failed «{}» {}{unknown}", part(text, &failure.at), failure.message)
}

/// Returns the part of a text that a mistake marks.
fn part<'a>(text: &'a str, at: &std::ops::Range<usize>) -> &'a str {
    text.get(at.clone()).unwrap()
}
