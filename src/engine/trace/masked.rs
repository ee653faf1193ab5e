//! Traces without secrets: whatever of a home's secrets a run read or made is masked before the trace leaves the engine.

use std::sync::Arc;

use crate::model::{Secrets, Value};
use crate::rules::Wanted;

use super::{
    Awaited, DeviceStep, Fault, Missing, Outcome, Refusal, Step, StepResult, StopReason, Trace, Verdict, WaitsFor,
    WhyFalse, WhyUnknown,
};

/// Masks secrets in the parts of a trace.
pub(crate) struct Masker<'a>(pub(crate) &'a Secrets);

impl Masker<'_> {
    /// Masks the secrets in a trace.
    pub(crate) fn trace(&self, trace: &mut Trace) {
        match &mut trace.outcome {
            Outcome::Stopped(StopReason::Action(reason)) => self.text(reason),
            Outcome::Failed(fault) => self.fault(fault),
            Outcome::Finished
            | Outcome::Stopped(StopReason::WaitTimedOut)
            | Outcome::Cancelled(_)
            | Outcome::Skipped(_)
            | Outcome::Running => {}
        }
        self.steps(&mut trace.steps);
    }

    /// Masks the secrets in steps.
    pub(crate) fn steps(&self, steps: &mut [Step]) {
        for step in steps {
            for (_, value) in &mut step.values {
                self.value(value);
            }
            self.result(&mut step.result);
        }
    }

    /// Masks the secrets in a text.
    pub(crate) fn text(&self, text: &mut String) {
        if let Some(masked) = self.0.mask_text(text) {
            *text = masked;
        }
    }

    fn texts(&self, texts: &mut [String]) {
        for text in texts {
            self.text(text);
        }
    }

    fn shared(&self, text: &mut Arc<str>) {
        if let Some(masked) = self.0.mask_text(text) {
            *text = masked.into();
        }
    }

    fn value(&self, value: &mut Value) {
        if let Some(masked) = self.0.mask_value(value) {
            *value = masked;
        }
    }

    fn values(&self, values: &mut [Value]) {
        for value in values {
            self.value(value);
        }
    }

    fn result(&self, result: &mut StepResult) {
        match result {
            StepResult::Published(_, payload) | StepResult::Withheld(_, payload) => {
                if let Some(masked) = self.0.mask_payload(payload) {
                    *payload = masked;
                }
            }
            StepResult::Unchanged(_, value)
            | StepResult::Case(value)
            | StepResult::Set(_, value)
            | StepResult::Refused(Refusal::HoldBroken { value: Some(value), .. }) => self.value(value),
            StepResult::NoCase { value, cases } => {
                self.value(value);
                self.values(cases);
            }
            StepResult::Would(result) => self.result(result),
            StepResult::Text(text) | StepResult::Words(text) | StepResult::Requested { url: text, .. } => {
                self.text(text);
            }
            StepResult::Notified { title, message, .. } => {
                self.text(title);
                self.text(message);
            }
            StepResult::Started(command) => self.texts(command),
            StepResult::Judged { verdict, source } => {
                self.verdict(verdict);
                if let Some(source) = source {
                    self.shared(source);
                }
            }
            StepResult::WaitsFor(WaitsFor::Events { events, .. }) => {
                for event in events {
                    self.awaited(event);
                }
            }
            StepResult::WaitsFor(WaitsFor::Confirm { missing, .. }) => self.missing(missing),
            StepResult::Device(step) => self.device(step),
            StepResult::Failed(fault) => self.fault(fault),
            StepResult::Done
            | StepResult::Caused(_)
            | StepResult::TimerDue { .. }
            | StepResult::Refused(_)
            | StepResult::Lasts(_)
            | StepResult::WaitsFor(_)
            | StepResult::TimedOut
            | StepResult::Rule(_)
            | StepResult::TimerSet { .. }
            | StepResult::TimerCancelled { .. }
            | StepResult::TooLarge(_) => {}
        }
    }

    fn device(&self, step: &mut DeviceStep) {
        match step {
            DeviceStep::Commanded { values, .. } | DeviceStep::Unchanged { values, .. } => self.value(values),
            DeviceStep::Again { missing, .. } => self.missing(missing),
            DeviceStep::Nobody | DeviceStep::Confirmed { .. } | DeviceStep::Superseded { .. } => {}
        }
    }

    fn missing(&self, missing: &mut [Missing]) {
        for Missing { wanted, said, .. } in missing {
            self.values(wanted);
            if let Some(said) = said {
                self.value(said);
            }
        }
    }

    fn verdict(&self, verdict: &mut Verdict) {
        match verdict {
            Verdict::False(Some(why)) => match &mut **why {
                WhyFalse::OtherValue { value, wanted, .. } => {
                    self.value(value);
                    if let Wanted::OneOf(values) = wanted {
                        self.values(values);
                    }
                }
                WhyFalse::Words(words) => self.shared(words),
                WhyFalse::GaveNothing
                | WhyFalse::OutsideWindow(_)
                | WhyFalse::Sun { .. }
                | WhyFalse::NoValue { .. }
                | WhyFalse::TooLarge { .. }
                | WhyFalse::TooShort { .. } => {}
            },
            Verdict::Unknown(why) => match &mut **why {
                WhyUnknown::NoNumber { value, .. } => self.value(value),
                WhyUnknown::NoValueYet(_) | WhyUnknown::TooLarge { .. } => {}
            },
            Verdict::Failed(fault) => self.fault(fault),
            Verdict::True | Verdict::False(None) => {}
        }
    }

    fn awaited(&self, awaited: &mut Awaited) {
        match awaited {
            Awaited::Message { payload, .. } => self.values(payload),
            Awaited::Change { from, to, .. } => {
                self.values(from);
                self.values(to);
            }
            Awaited::Silence { .. }
            | Awaited::Time
            | Awaited::Sequence { .. }
            | Awaited::Client { .. }
            | Awaited::Event(_)
            | Awaited::Webhook(_)
            | Awaited::Condition(_) => {}
        }
    }

    fn fault(&self, fault: &mut Fault) {
        match fault {
            Fault::Error { message, line, .. } => {
                self.text(message);
                if let Some(line) = line {
                    self.text(line);
                }
            }
            Fault::Loop(_) | Fault::NoRoom(_) => {}
        }
    }
}
