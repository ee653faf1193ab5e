//! What triggers and waits are for, in words: for those who ask why nothing happened.

use crate::engine::Awaited;
use crate::model::format_duration;

use super::values::alternatives;

/// Returns what's waited for if any of these will do.
#[must_use]
pub fn awaited_any(events: &[Awaited]) -> String {
    events.iter().map(awaited).collect::<Vec<_>>().join(" or ")
}

/// Returns what's waited for: `` a change of `door` to open for 3m ``.
#[must_use]
pub fn awaited(event: &Awaited) -> String {
    match event {
        Awaited::Message { filter, payload } if payload.is_empty() => format!("a message on `{filter}`"),
        Awaited::Message { filter, payload } => format!("a message on `{filter}` that says {}", alternatives(payload)),
        Awaited::Change { filter, field, from, to, above, below, hold } => {
            let field = field.as_ref().map_or(String::new(), |field| format!("`{field}` of "));
            let mut text = format!("a change of {field}`{filter}`");
            if !from.is_empty() {
                text = format!("{text} from {}", alternatives(from));
            }
            if !to.is_empty() {
                text = format!("{text} to {}", alternatives(to));
            }
            let above = above.map(|above| format!("above {above}"));
            let sides: Vec<String> = above.into_iter().chain(below.map(|below| format!("below {below}"))).collect();
            if !sides.is_empty() {
                text = format!("{text} to {}", sides.join(" and "));
            }
            if let Some(hold) = hold {
                text = format!("{text} for {}", format_duration(*hold));
            }
            text
        }
        Awaited::Silence { filter, hold } => format!("silence on `{filter}` for {}", format_duration(*hold)),
        Awaited::Time => "its time".to_owned(),
        Awaited::Sequence { times: Some(times), within, .. } => {
            format!("{times} of the following within {}", format_duration(*within))
        }
        Awaited::Sequence { parts, within, .. } => {
            format!("a sequence of {parts} within {}", format_duration(*within))
        }
        Awaited::Client { pattern, connects: true } => format!("the client `{pattern}` to connect"),
        Awaited::Client { pattern, connects: false } => format!("the client `{pattern}` to disconnect"),
        Awaited::Event(word) => format!("the event `{word}`"),
        Awaited::Webhook(name) => format!("the webhook `{name}`"),
        Awaited::Condition(Some(source)) => {
            format!("`{}`", source.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        Awaited::Condition(None) => "its `until`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Place, TopicFilter, Value, ValuePath};
    use crate::rules::{HomeEvent, Ignored, Range, StateTrigger, Trigger, TriggerKind};

    #[test]
    fn a_trigger_says_all_that_it_asks_for() {
        let filter = TopicFilter::parse("home/+room/t").unwrap();
        let state = StateTrigger {
            filter: filter.clone(),
            field: ValuePath::parse("a.b").unwrap(),
            from: Some(vec![Value::text("shut")]),
            to: Some(vec![Value::text("open"), Value::text("ajar")]),
            range: None,
            hold: Some(Duration::from_mins(3)),
            catch_up: None,
            ignored: Ignored::default(),
        };
        let place = Place { file: "".into(), line: 1, column: 1 };
        let told = |kind| {
            let trigger =
                Trigger { id: None, enabled: true, kind, part_of: None, path: "when".into(), place: place.clone() };
            awaited(&Awaited::from(&trigger))
        };
        let range = Range { above: Some(10.0), below: Some(20.5), hysteresis: 0.0 };
        let crossing = StateTrigger { from: None, to: None, range: Some(range), hold: None, ..state.clone() };
        assert_eq!(
            told(TriggerKind::State(state)),
            "a change of `a.b` of `home/+room/t` from shut to open or ajar for 3m"
        );
        assert_eq!(
            told(TriggerKind::State(crossing)),
            "a change of `a.b` of `home/+room/t` to above 10 and below 20.5"
        );
        let payload = Some(vec![Value::text("ON")]);
        let topic = TriggerKind::Topic { filter: filter.clone(), payload, condition: None, retained: false };
        assert_eq!(told(topic), "a message on `home/+room/t` that says ON");
        let silent = TriggerKind::Silent { filter, hold: Duration::from_mins(1) };
        assert_eq!(told(silent), "silence on `home/+room/t` for 1m");
        assert_eq!(told(TriggerKind::Event(HomeEvent::Started)), "the event `started`");
    }
}
