//! Actions on timers: each is a rule that waits, and says what it does on a retained topic.

use crate::lang::import::home_assistant::expression::quoted;
use crate::lang::import::home_assistant::translate::helper::left_of;
use crate::lang::import::home_assistant::translate::trigger::kinds::event_topic;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn timer_call(
        &mut self,
        node: &Node,
        id: &str,
        (rule, topic, duration): (&str, &str, Option<&str>),
        service: &str,
    ) -> Answer<Vec<Doc>> {
        // What is never started can't be ended either.
        if !self.names.is_started(id) && matches!(service, "cancel" | "finish" | "change" | "pause") {
            return Ok(Vec::new());
        }
        let cancel = Doc::inline([("cancel", Doc::text(rule))]);
        // An idle one isn't ended, and says nothing.
        let is_running = format!("running({})", quoted(rule));
        let if_so = |asked: &str, docs: Vec<Doc>| {
            vec![Doc::Map(vec![("if".to_owned(), Doc::text(asked)), ("then".to_owned(), Doc::List(docs))])]
        };
        let said = |topic: &str, value: &str| {
            entries(vec![
                ("publish", Doc::text(topic)),
                ("payload", Doc::text(value)),
                ("retain", Doc::Value(true.into())),
            ])
        };
        let state = |value: &str| said(topic, value);
        let (is_paused, left) = (self.names.is_paused(id), left_of(topic));
        let event = |work: &Self, event: &str| {
            work.names.events.contains(event).then(|| {
                entries(vec![
                    ("publish", Doc::text(event_topic(event))),
                    ("payload", entries(vec![("entity_id", Doc::text(id))])),
                ])
            })
        };
        match service {
            "start" => {
                let given = node.get("data").and_then(|data| data.get("duration")).cloned();
                let time = match &given {
                    Some(given) => self.duration(given)?,
                    None => match duration {
                        Some(duration) => duration.to_owned(),
                        None => return self.refuse(node, format!("`{id}` has no duration")),
                    },
                };
                let is_resumed = is_paused && given.is_none();
                let time = if is_resumed {
                    format!("${{ha::left(state({}), {})}}", quoted(&left), quoted(&time))
                } else {
                    time
                };
                self.shared.started.borrow_mut().insert(rule.to_owned());
                let with = Doc::inline([("duration", Doc::text(time))]);
                Ok(vec![Doc::inline([("run", Doc::text(rule)), ("with", with), ("wait", Doc::Value(false.into()))])])
            }
            "cancel" => {
                let mut docs = vec![cancel, state("idle")];
                docs.extend(is_paused.then(|| said(&left, "")));
                docs.extend(event(self, "timer.cancelled"));
                let asked = format!("{is_running} or state({}) == 'paused'", quoted(topic));
                Ok(if_so(if is_paused { &asked } else { &is_running }, docs))
            }
            "finish" => {
                let mut docs = vec![cancel, state("idle")];
                docs.extend(event(self, "timer.finished"));
                Ok(if_so(&is_running, docs))
            }
            "pause" => {
                let mut docs = vec![said(&left, &format!("${{remaining({})}}", quoted(rule))), cancel, state("paused")];
                docs.extend(event(self, "timer.paused"));
                Ok(if_so(&is_running, docs))
            }
            "change" => {
                let Some(by) = node.get("data").and_then(|data| data.get("duration")).cloned() else {
                    return self.refuse(node, "`duration` is missing");
                };
                let by = self.duration(&by)?;
                Ok(vec![Doc::inline([("extend", Doc::text(rule)), ("by", Doc::text(by))])])
            }
            _ => self.refuse(node, format!("`timer.{service}` has no counterpart here")),
        }
    }
}
