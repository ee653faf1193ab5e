//! Why a message that has a trigger's topic doesn't set it off, in words, for those who ask why a rule didn't run.

use crate::model::{Message, Origin, Value};

use super::{Question, StateTrigger, Trigger, TriggerKind};

/// Returns why `message` doesn't set off `trigger`, whose value before, the whole payload, was `before`; `None` where
/// its topic isn't the trigger's, or nothing in the message keeps it.
#[must_use]
pub fn miss(trigger: &Trigger, message: &Message, before: Option<&Value>) -> Option<String> {
    let value = message.payload.value();
    let is_ours = |filter: &crate::model::TopicFilter| filter.matches_in_rules(&message.topic);
    match &trigger.kind {
        TriggerKind::Topic { filter, .. } if !is_ours(filter) => None,
        TriggerKind::State(state) if !is_ours(&state.filter) => None,
        TriggerKind::Silent { filter, .. } if !is_ours(filter) => None,
        _ if !trigger.enabled => Some("the trigger is switched off (`enabled: false`)".to_owned()),
        TriggerKind::Topic { payload, condition, retained, .. } => {
            if matches!(message.origin, Origin::Retained | Origin::Restored) && !retained {
                return Some(
                    "it was there at the start: that only fills the state (`retained: true` counts it)".into(),
                );
            }
            let wanted = payload.as_ref().filter(|wanted| !is_one_of(wanted, value));
            if let Some(wanted) = wanted {
                return Some(format!("`payload` is {}, and it is {value}", alternatives(wanted)));
            }
            condition.as_ref().map(|condition| match condition {
                Question::Expression(expression) => {
                    format!("`where: {}` isn't true of it", expression.source().as_str())
                }
                Question::Closure(_) => "its `where` isn't true of it".to_owned(),
            })
        }
        TriggerKind::State(state) => miss_of_state(state, value, before),
        TriggerKind::Silent { .. } => Some("it spoke, and `for` counts anew".to_owned()),
        TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => None,
    }
}

fn miss_of_state(state: &StateTrigger, payload: &Value, before: Option<&Value>) -> Option<String> {
    let there = |payload: &Value| payload.at(&state.field).filter(|value| !value.is_null()).cloned();
    let Some(value) = there(payload) else {
        return Some(if state.field.is_whole() {
            "its payload is empty".to_owned()
        } else {
            format!("it has no `{}`", state.field)
        });
    };
    let old = before.and_then(there);
    if let Some(range) = &state.range {
        let Some(number) = value.as_number() else { return Some(format!("{value} is no number")) };
        if !range.contains(number) {
            let above = range.above.filter(|above| number <= *above).map(|above| format!("above {above}"));
            let below = range.below.filter(|below| number >= *below).map(|below| format!("below {below}"));
            return Some(format!("{value} is not {}", above.or(below).unwrap_or_default()));
        }
        return match old {
            None => Some("no value before it is known, and a first one never crosses".to_owned()),
            Some(old) if old.as_number().is_some_and(|old| range.contains(old)) => {
                Some(format!("it was within the range before: {old}"))
            }
            Some(old) if range.hysteresis > 0.0 => {
                Some(format!("it hadn't left the range by the hysteresis of {}: {old}", range.hysteresis))
            }
            Some(_) => None,
        };
    }
    if old.as_ref() == Some(&value) {
        return Some(format!("it didn't change: {value}"));
    }
    if let Some(to) = state.to.as_ref().filter(|to| !is_one_of(to, &value)) {
        return Some(format!("`to` is {}, and it is {value}", alternatives(to)));
    }
    let old = old.unwrap_or_default();
    let from = state.from.as_ref().filter(|from| !is_one_of(from, &old))?;
    let was = if old.is_null() { "nothing that is known".to_owned() } else { old.to_string() };
    Some(format!("`from` is {}, and it was {was}", alternatives(from)))
}

fn is_one_of(wanted: &[Value], value: &Value) -> bool {
    wanted.iter().any(|wanted| value.matches(wanted))
}

fn alternatives(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
