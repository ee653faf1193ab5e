//! What triggers and waits are for, in words: for those who ask why nothing happened.

use crate::model::format_duration;

use super::miss::alternatives;
use super::{ActionKind, ClientChange, Condition, ConditionKind, HomeEvent, StateTrigger, Trigger, TriggerKind};

impl Trigger {
    /// Returns what is waited for where any of `triggers` will do.
    #[must_use]
    pub fn awaited_of(triggers: &[Trigger]) -> String {
        triggers.iter().map(Trigger::awaited).collect::<Vec<_>>().join(" or ")
    }

    /// Returns what the trigger waits for: `` a change of `door` to open for 3m ``.
    #[must_use]
    pub fn awaited(&self) -> String {
        match &self.kind {
            TriggerKind::Topic { filter, payload, .. } => {
                let payload = payload.as_ref().map_or(String::new(), |wanted| format!(" {}", alternatives(wanted)));
                format!("a message of `{filter}`{payload}")
            }
            TriggerKind::State(state) => state.awaited(),
            TriggerKind::Silent { filter, hold } => {
                format!("the silence of `{filter}` for {}", format_duration(*hold))
            }
            TriggerKind::Schedule { .. } | TriggerKind::AtExpression { .. } => "its time".to_owned(),
            TriggerKind::Client { pattern, is } => {
                let is = match is {
                    ClientChange::Connected => "comes",
                    ClientChange::Disconnected => "goes",
                };
                format!("the client `{pattern}` that {is}")
            }
            TriggerKind::Event(event) => {
                let word = HomeEvent::ALL.iter().find(|(_, known)| known == event).map_or("", |(word, _)| word);
                format!("the event `{word}`")
            }
            TriggerKind::Webhook(name) => format!("the webhook `{name}`"),
        }
    }
}

impl StateTrigger {
    fn awaited(&self) -> String {
        let field = if self.field.is_whole() { String::new() } else { format!("`{}` of ", self.field) };
        let mut text = format!("a change of {field}`{}`", self.filter);
        if let Some(from) = &self.from {
            text = format!("{text} from {}", alternatives(from));
        }
        if let Some(to) = &self.to {
            text = format!("{text} to {}", alternatives(to));
        }
        if let Some(range) = &self.range {
            text = format!("{text} to {}", range.sides());
        }
        if let Some(hold) = self.hold {
            text = format!("{text} for {}", format_duration(hold));
        }
        text
    }
}

impl ActionKind {
    /// Returns what the action waits for; `None` where it waits for nothing that happens.
    #[must_use]
    pub fn awaited(&self) -> Option<String> {
        let triggers = self.triggers();
        if !triggers.is_empty() {
            return Some(Trigger::awaited_of(triggers));
        }
        match self {
            ActionKind::Wait(_) | ActionKind::Repeat { .. } => {
                self.conditions().first().map(|condition| until(condition))
            }
            _ => None,
        }
    }
}

/// Returns what a condition that is waited for says, where it is an expression.
fn until(condition: &Condition) -> String {
    match &condition.kind {
        ConditionKind::Expression(expression) => {
            let source: Vec<&str> = expression.source().as_str().split_whitespace().collect();
            format!("`{}`", source.join(" "))
        }
        _ => "its `until`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Place, TopicFilter, Value, ValuePath};
    use crate::rules::Range;

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
        };
        let place = Place { file: "".into(), line: 1, column: 1 };
        let told =
            |kind| Trigger { id: None, enabled: true, kind, path: "when".into(), place: place.clone() }.awaited();
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
        assert_eq!(told(topic), "a message of `home/+room/t` ON");
        let silent = TriggerKind::Silent { filter, hold: Duration::from_mins(1) };
        assert_eq!(told(silent), "the silence of `home/+room/t` for 1m");
        assert_eq!(told(TriggerKind::Event(HomeEvent::Started)), "the event `started`");
    }
}
