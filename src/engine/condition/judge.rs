//! Judges conditions: true, false, unknown or failed, and why (docs/language/conditions.md).

use std::sync::Arc;

use crate::engine::instant::later;
use crate::engine::trace::{Step, StepKind, StepResult, WhyFalse, WhyUnknown};
use crate::model::schedule::SunDay;
use crate::model::{Label, Topic, TopicState, Value, device_topic, is_inner, spoken};
use crate::rules::{Condition, ConditionKind, DeviceCondition, StateCondition};
use crate::script::{Expression, Failure, Named, Reads};

use super::evaluator::Evaluator;
use super::judgement::Judgement;
use super::scope::Scope;
use super::tracker::Tracker;

/// What a judgement needs beside the condition, and what it records.
pub(crate) struct Judging<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) trackers: &'a [Tracker],
    pub(crate) reads: Reads,
    pub(crate) steps: Vec<Step>,
}

impl<'a> Judging<'a> {
    pub(crate) fn new(scope: &'a Scope<'a>, trackers: &'a [Tracker]) -> Judging<'a> {
        Judging { scope, trackers, reads: Reads::default(), steps: Vec::new() }
    }
}

impl Evaluator {
    /// Judges a condition, and records it and the conditions within as steps.
    pub(crate) fn judge(&mut self, judging: &mut Judging<'_>, condition: &Condition) -> Judgement {
        let mut values = Vec::new();
        let verdict = match &condition.kind {
            ConditionKind::Expression(expression) => self.judge_expression(judging, expression, &mut values),
            ConditionKind::State(state) => self.judge_state(judging, state, condition, &mut values),
            ConditionKind::Device(device) => self.judge_device(judging, device, condition, &mut values),
            ConditionKind::All(inner) => self.judge_all(judging, inner),
            ConditionKind::Any(inner) => self.judge_any(judging, inner),
            ConditionKind::Not(inner) => match self.judge(judging, inner) {
                Judgement::True => Judgement::False(None),
                Judgement::False(_) => Judgement::True,
                other => other,
            },
            ConditionKind::Time(window) => {
                let calendar = &self.world.calendar;
                if let Some(at) = window.next_change(self.world.now, calendar) {
                    judging.reads.changes_at(at);
                }
                if window.contains(self.world.now, calendar) {
                    Judgement::True
                } else {
                    no(WhyFalse::OutsideWindow(window.to_string().into()))
                }
            }
            ConditionKind::Sun { is_up } => {
                let calendar = &self.world.calendar;
                judging.reads.sun = true;
                match SunDay::is_up(self.world.now, calendar) {
                    Some(up) if up == *is_up => Judgement::True,
                    Some(is_up) => no(WhyFalse::Sun { is_up }),
                    None => Judgement::Failed(Failure::plain("the home has no `location` in homerule.yaml".to_owned())),
                }
            }
        };
        judging.steps.push(Step {
            path: condition.path.clone(),
            at: self.world.now,
            kind: StepKind::Condition,
            result: StepResult::Judged {
                verdict: verdict.traced(),
                source: match &condition.kind {
                    ConditionKind::Expression(expression) => Some(expression.text()),
                    ConditionKind::All(_)
                    | ConditionKind::Any(_)
                    | ConditionKind::Not(_)
                    | ConditionKind::State(_)
                    | ConditionKind::Device(_)
                    | ConditionKind::Time(_)
                    | ConditionKind::Sun { .. } => None,
                },
            },
            values,
            place: None,
        });
        verdict
    }

    /// In `all`, one false decides.
    fn judge_all(&mut self, judging: &mut Judging<'_>, inner: &[Condition]) -> Judgement {
        self.judge_parts(judging, inner, |part| matches!(part, Judgement::False(_))).unwrap_or(Judgement::True)
    }

    /// In `any`, one true decides.
    fn judge_any(&mut self, judging: &mut Judging<'_>, inner: &[Condition]) -> Judgement {
        self.judge_parts(judging, inner, Judgement::holds).unwrap_or(Judgement::False(None))
    }

    /// Judges all parts, since the trace shows all of them. Returns the first that decides; else the first that failed;
    /// else the first that is unknown; `None` where there is none of these.
    fn judge_parts(
        &mut self,
        judging: &mut Judging<'_>,
        inner: &[Condition],
        decides: impl Fn(&Judgement) -> bool,
    ) -> Option<Judgement> {
        let (mut decided, mut failed, mut unknown) = (None, None, None);
        let mut failures = 0;
        for condition in inner {
            match self.judge(judging, condition) {
                part if decides(&part) => decided = decided.or(Some(part)),
                part @ Judgement::Failed(_) => {
                    failures += 1;
                    failed = failed.or(Some(part));
                }
                part @ Judgement::Unknown(_) => unknown = unknown.or(Some(part)),
                Judgement::True | Judgement::False(_) => {}
            }
        }
        if decided.is_some() {
            self.failures_passed_over += failures;
        }
        decided.or(failed).or(unknown)
    }

    fn judge_expression(
        &mut self,
        judging: &mut Judging<'_>,
        expression: &Expression,
        values: &mut Vec<(Label, Value)>,
    ) -> Judgement {
        let mut reads = Reads::default();
        let result = self.value(judging.scope, expression, &mut reads);
        self.note_values(judging.scope, expression, &reads, values);
        reads.past.clear();
        judging.reads.merge(reads);
        match result {
            Ok(Value::Bool(true)) => Judgement::True,
            Ok(Value::Bool(false)) => Judgement::False(None),
            Ok(Value::Null) => no(WhyFalse::GaveNothing),
            Ok(value) => Judgement::Failed(Failure::of_expression(
                expression,
                format!("a condition must give true or false, and this gives {}: {value}", value.kind()),
            )),
            Err(Failure { without_value: Some(topic), .. }) => Judgement::no_value_yet(topic),
            Err(failure) => Judgement::Failed(failure),
        }
    }

    fn judge_state(
        &mut self,
        judging: &mut Judging<'_>,
        state: &StateCondition,
        condition: &Condition,
        values: &mut Vec<(Label, Value)>,
    ) -> Judgement {
        let topic = match self.topic(judging.scope, &state.topic, &mut judging.reads) {
            Ok(topic) => topic,
            Err(Failure { without_value: Some(topic), .. }) => return Judgement::no_value_yet(topic),
            Err(failure) => return Judgement::Failed(failure),
        };
        let label = called(&topic);
        self.judge_topic(judging, state, (topic, label), condition, values)
    }

    fn judge_device(
        &mut self,
        judging: &mut Judging<'_>,
        asked: &DeviceCondition,
        condition: &Condition,
        values: &mut Vec<(Label, Value)>,
    ) -> Judgement {
        let name = match self.text(judging.scope, &asked.device, &mut judging.reads) {
            Ok(name) => name,
            Err(Failure { without_value: Some(topic), .. }) => return Judgement::no_value_yet(topic),
            Err(failure) => return Judgement::Failed(failure),
        };
        judging.reads.devices = true;
        let (topic, label) = match self.world.devices.find(&name) {
            Named::One(device) => match device.topic(&asked.property) {
                Some(topic) => (topic.clone(), device.spoken(&asked.property)),
                None => {
                    let why = format!("`{}` has no property `{}`", device.label, asked.property);
                    return Judgement::Failed(Failure { place: Some(condition.place.clone()), ..Failure::plain(why) });
                }
            },
            Named::Several(_) => {
                let why = format!("several devices are called `{name}`: use an id");
                return Judgement::Failed(Failure { place: Some(condition.place.clone()), ..Failure::plain(why) });
            }
            Named::None => match device_topic(&name, &asked.property) {
                Some(topic) => return Judgement::no_value_yet(topic),
                None => return Judgement::Failed(Failure::plain(format!("no device is called `{name}`"))),
            },
        };
        self.judge_topic(judging, &asked.state, (topic, label.into()), condition, values)
    }

    fn judge_topic(
        &mut self,
        judging: &mut Judging<'_>,
        state: &StateCondition,
        (topic, label): (Topic, Label),
        condition: &Condition,
        values: &mut Vec<(Label, Value)>,
    ) -> Judgement {
        judging.reads.topics.insert(topic.clone());
        let Some(known) = self.world.states.get(topic.as_str()).filter(|known| known.has_had_value) else {
            return Judgement::no_value_yet(topic);
        };
        let tracker = judging.trackers.iter().find(|tracker| tracker.path == condition.path);
        let payload = known.payload.value();
        let value = if state.ignored.contains(payload, &state.field) {
            let Some(last) = tracker.and_then(|tracker| tracker.known.get(&topic)) else {
                return Judgement::no_value_yet(topic);
            };
            last.clone()
        } else {
            payload.at(&state.field).cloned().unwrap_or_default()
        };
        values.push((label, if known.too_large.is_some() { known.told() } else { value.clone() }));
        let field = || (!state.field.is_whole()).then(|| state.field.to_string().into());
        if !state.can_judge(&value) {
            return Judgement::Unknown(Box::new(match known.too_large {
                Some(bytes) => WhyUnknown::TooLarge { topic, bytes },
                None => WhyUnknown::NoNumber { topic, field: field(), value },
            }));
        }
        if value.is_null() {
            return no(match known.too_large {
                Some(bytes) => WhyFalse::TooLarge { topic, bytes },
                None => WhyFalse::NoValue { topic, field: field() },
            });
        }
        if !state.accepts(&value) {
            let wanted = state.wanted(&value);
            return no(WhyFalse::OtherValue { topic, field: field(), value, wanted });
        }
        let Some(hold) = state.hold else { return Judgement::True };
        let since = tracker.map_or(known.changed_at, |tracker| tracker.since(&topic, known));
        let due = later(since, hold);
        if due <= self.world.now {
            return Judgement::True;
        }
        judging.reads.changes_at(due);
        no(WhyFalse::TooShort { topic, since, due })
    }

    /// Notes what an expression read, for the trace: its variables, the topics, and which rules hold or run.
    fn note_values(&self, scope: &Scope<'_>, expression: &Expression, reads: &Reads, values: &mut Vec<(Label, Value)>) {
        for name in expression.variables() {
            if !matches!(&**name, "now" | "sun" | "inputs") {
                values.push((Arc::clone(name).into(), scope.get(name)));
            }
        }
        for topic in &reads.topics {
            let value = self.world.states.get(topic.as_str()).map(TopicState::told);
            values.push((called(topic), value.unwrap_or_default()));
        }
        let holds = reads.holds.iter().map(|rule| (format!("holds({rule})"), self.world.holding.contains(rule)));
        let running = reads.running.iter();
        let running = running.map(|rule| (format!("running({rule})"), self.world.running.contains_key(rule)));
        values.extend(reads.past.iter().map(|(call, value)| (Arc::clone(call).into(), value.clone())));
        values.extend(holds.chain(running).map(|(name, is_so)| (name.into(), Value::Bool(is_so))));
    }
}

/// Returns a topic as traces call it.
fn called(topic: &Topic) -> Label {
    if is_inner(topic.as_str()) { Arc::<str>::from(spoken(topic.as_str())).into() } else { topic.text().into() }
}

fn no(why: WhyFalse) -> Judgement {
    Judgement::False(Some(Box::new(why)))
}
