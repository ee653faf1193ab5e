//! Why a message that has a trigger's topic doesn't set it off, in words, for those who ask why a rule didn't run.

use crate::model::{Message, Origin, Value};

use crate::rules::{Question, StateTrigger, Trigger, TriggerKind, Wanted};

use crate::explain::words::{alternatives, told_apart};

/// Returns why `message` doesn't set off `trigger`, whose value before, the whole payload, was `before`; `None` where
/// its topic isn't the trigger's, or nothing in the message keeps it.
#[must_use]
pub fn miss(trigger: &Trigger, message: &Message, before: Option<&Value>) -> Option<String> {
    let value = message.payload.value();
    let is_ours = |filter: &crate::model::TopicFilter| filter.matches_in_rules(&message.topic);
    match &trigger.kind {
        TriggerKind::Topic { filter, .. } if !is_ours(filter) => None,
        TriggerKind::State(state) if !is_ours(&state.filter) => None,
        TriggerKind::Device(device) if !is_ours(&device.state.filter) => None,
        TriggerKind::Silent { filter, .. } if !is_ours(filter) => None,
        _ if !trigger.enabled => Some("the trigger is off (`enabled: false`)".to_owned()),
        TriggerKind::Topic { payload, condition, retained, .. } => {
            if matches!(message.origin, Origin::Retained | Origin::Restored) && !retained {
                return Some(
                    "it was already there at the start, which only fills the state (`retained: true` counts it)".into(),
                );
            }
            let wanted = payload.as_ref().filter(|wanted| !is_one_of(wanted, value));
            if let Some(wanted) = wanted {
                let (wanted, value) = told_apart(wanted, value);
                return Some(format!("it's {value}, and `payload` wants {wanted}"));
            }
            condition.as_ref().map(|condition| match condition {
                Question::Expression(expression) => {
                    format!("`where: {}` isn't true for it", expression.source().as_str())
                }
                Question::Closure(_) => "its `where` isn't true for it".to_owned(),
            })
        }
        TriggerKind::State(state) => miss_of_state(state, value, before),
        TriggerKind::Device(device) => miss_of_state(&device.state, value, before),
        TriggerKind::Silent { .. } => Some("it spoke, so its `for` starts again".to_owned()),
        TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Sequence(_)
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
        let missed = value.as_number().map_or(Some(Wanted::Number), |number| range.missed(number));
        if let Some(wanted) = missed {
            return Some(not_in_range(&value, &wanted));
        }
        return match old {
            None => Some("it's the first value that's known, and a first one never crosses".to_owned()),
            Some(old) if old.as_number().is_some_and(|old| range.contains(old)) => {
                Some(format!("it was already within the range: {old}"))
            }
            Some(old) if range.hysteresis > 0.0 => {
                Some(format!("it hadn't left the range by the hysteresis of {}: it was {old}", range.hysteresis))
            }
            Some(_) => None,
        };
    }
    if old.as_ref() == Some(&value) {
        return Some(format!("it didn't change: it was {value} already"));
    }
    if let Some(to) = state.to.as_ref().filter(|to| !is_one_of(to, &value)) {
        let (to, value) = told_apart(to, &value);
        return Some(format!("it's {value}, and `to` wants {to}"));
    }
    let old = old.unwrap_or_default();
    let from = state.from.as_ref().filter(|from| !is_one_of(from, &old))?;
    if old.is_null() {
        return Some(format!("nothing is known of what it was before, and `from` wants {}", alternatives(from)));
    }
    let (from, old) = told_apart(from, &old);
    Some(format!("it was {old}, and `from` wants {from}"))
}

fn not_in_range(value: &Value, wanted: &Wanted) -> String {
    match (wanted, value) {
        (Wanted::Above(bound), _) => format!("{value} isn't above {bound}"),
        (Wanted::Below(bound), _) => format!("{value} isn't below {bound}"),
        (Wanted::Number, Value::Text(_)) => format!("{value} is a text, not a number"),
        (Wanted::Number | Wanted::OneOf(_), _) => format!("{value} isn't a number"),
    }
}

fn is_one_of(wanted: &[Value], value: &Value) -> bool {
    wanted.iter().any(|wanted| value.matches(wanted))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Payload, Place, Qos, Topic, TopicFilter, ValuePath};
    use crate::rules::{Ignored, Range};

    fn trigger(kind: TriggerKind) -> Trigger {
        Trigger {
            id: None,
            enabled: true,
            part_of: None,
            kind,
            path: "when".into(),
            place: Place { file: "".into(), line: 1, column: 1 },
        }
    }

    fn filter() -> TopicFilter {
        TopicFilter::parse("home/+/room").unwrap()
    }

    fn message(topic: &str, payload: &str) -> Message {
        let (topic, payload) = (Topic::parse(topic).unwrap(), Payload::from_bytes(payload.to_owned()));
        Message { topic, payload, qos: Qos::AtLeastOnce, retain: false, origin: Origin::Live, expires_at: None }
    }

    /// Returns why `payload` after `before` doesn't set off a trigger; empty where nothing keeps it.
    fn told(trigger: &Trigger, before: Option<&str>, payload: &str) -> String {
        let before = before.map(|before| Payload::from_bytes(before.to_owned()));
        let before = before.as_ref().map(Payload::value);
        miss(trigger, &message("home/hall/room", payload), before).unwrap_or_default()
    }

    fn topic(payload: Option<Vec<Value>>) -> Trigger {
        trigger(TriggerKind::Topic { filter: filter(), payload, condition: None, retained: false })
    }

    fn state(change: impl FnOnce(&mut StateTrigger)) -> Trigger {
        let mut state = StateTrigger {
            filter: filter(),
            field: ValuePath::default(),
            from: None,
            to: None,
            range: None,
            hold: None,
            catch_up: None,
            ignored: Ignored::default(),
        };
        change(&mut state);
        trigger(TriggerKind::State(state))
    }

    fn range(above: Option<f64>, below: Option<f64>, hysteresis: f64) -> Trigger {
        state(|state| state.range = Some(Range { above, below, hysteresis }))
    }

    #[test]
    fn a_message_of_another_topic_has_nothing_to_do_with_it() {
        let silent = trigger(TriggerKind::Silent { filter: filter(), hold: Duration::from_secs(1) });
        let event = trigger(TriggerKind::Event(crate::rules::HomeEvent::Started));
        for trigger in [topic(None), state(|_| {}), silent, event] {
            assert_eq!(miss(&trigger, &message("home/lux", "1"), None), None);
        }
    }

    #[test]
    fn a_topic_trigger_misses_other_payloads_and_what_was_there_at_the_start() {
        let wanted = topic(Some(vec![Value::text("ON"), Value::Int(1)]));
        assert_eq!(told(&wanted, None, "OFF"), "it's OFF, and `payload` wants ON or 1");
        assert_eq!(told(&wanted, None, "1.0"), "", "numbers compare as numbers");
        assert_eq!(told(&topic(None), None, "x"), "");
        assert_eq!(told(&wanted, None, "\"1\""), "it's 1 (text), and `payload` wants ON (text) or 1 (a number)");
        let retained = Message { origin: Origin::Retained, ..message("home/hall/room", "ON") };
        let why = "it was already there at the start, which only fills the state (`retained: true` counts it)";
        assert_eq!(miss(&wanted, &retained, None).as_deref(), Some(why));
    }

    #[test]
    fn a_trigger_that_is_switched_off_says_so_before_anything_else() {
        let off = Trigger { enabled: false, ..topic(Some(vec![Value::text("ON")])) };
        assert_eq!(told(&off, None, "OFF"), "the trigger is off (`enabled: false`)");
    }

    #[test]
    fn a_silent_trigger_counts_anew() {
        let silent = trigger(TriggerKind::Silent { filter: filter(), hold: Duration::from_secs(1) });
        assert_eq!(told(&silent, None, "x"), "it spoke, so its `for` starts again");
    }

    #[test]
    fn a_range_tells_on_which_side_the_number_is_and_why_it_did_not_cross() {
        assert_eq!(told(&range(Some(20.0), None, 0.0), Some("25"), "20"), "20 isn't above 20");
        assert_eq!(told(&range(None, Some(10.0), 0.0), Some("5"), "10.5"), "10.5 isn't below 10");
        let both = range(Some(10.0), Some(20.0), 0.0);
        assert_eq!(told(&both, Some("15"), "9"), "9 isn't above 10");
        assert_eq!(told(&both, Some("15"), "21"), "21 isn't below 20");
        assert_eq!(told(&both, Some("12"), "15"), "it was already within the range: 12");
        assert_eq!(told(&both, None, "15"), "it's the first value that's known, and a first one never crosses");
        assert_eq!(told(&both, Some("21"), "15"), "", "it crosses");
        assert_eq!(told(&both, Some("21"), "warm"), "warm is a text, not a number");
        assert_eq!(told(&both, Some("21"), "\"15\""), "15 is a text, not a number");
        assert_eq!(told(&both, Some("21"), "true"), "true isn't a number");
        let slow = range(None, Some(10.0), 2.0);
        assert_eq!(told(&slow, Some("11"), "9"), "it hadn't left the range by the hysteresis of 2: it was 11");
    }

    #[test]
    fn a_value_tells_what_it_is_and_what_it_was() {
        let to = state(|state| state.to = Some(vec![Value::text("open"), Value::text("ajar")]));
        assert_eq!(told(&to, Some("ajar"), "closed"), "it's closed, and `to` wants open or ajar");
        assert_eq!(told(&to, Some("open"), "open"), "it didn't change: it was open already");
        assert_eq!(told(&to, Some("closed"), "open"), "");
        let from = state(|state| state.from = Some(vec![Value::text("open")]));
        assert_eq!(told(&from, Some("ajar"), "closed"), "it was ajar, and `from` wants open");
        assert_eq!(told(&from, None, "closed"), "nothing is known of what it was before, and `from` wants open");
        assert_eq!(told(&from, Some("open"), "closed"), "");
    }

    #[test]
    fn what_is_not_in_the_payload_is_no_value() {
        let field = |path: &str| {
            let path = ValuePath::parse(path).unwrap();
            state(|state| state.field = path)
        };
        assert_eq!(told(&field("a.b[0]"), None, r#"{"a":1}"#), "it has no `a.b[0]`");
        assert_eq!(told(&field("a"), None, r#"{"a":null}"#), "it has no `a`");
        assert_eq!(told(&state(|_| {}), Some("x"), ""), "its payload is empty");
        assert_eq!(
            told(&field("a"), Some(r#"{"a":1,"b":1}"#), r#"{"a":1,"b":2}"#),
            "it didn't change: it was 1 already"
        );
    }
}
