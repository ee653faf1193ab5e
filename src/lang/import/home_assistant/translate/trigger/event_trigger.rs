//! The trigger `event`: starts, answers to notifications, and what automations of the configuration fire.

use crate::lang::import::home_assistant::expression::{ANSWER, Fired, FiredKey, FiredKind, Marks};
use crate::lang::import::home_assistant::translate::trigger::kinds::{Started, Triggers, event_topic, other, reply};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn event_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let Some(types) = node.get("event_type") else { return self.refuse(node, "`event_type` is missing") };
        for item in types.items() {
            if is_template(item) {
                return self.refuse(item, "an event type that is a template isn't translated");
            }
            let event = item.to_text().unwrap_or_default();
            let data = node.get("event_data").filter(|data| !data.is_null());
            match &*event {
                "homeassistant_start" | "homeassistant_started" => {
                    triggers.push(other("event", Doc::inline([("event", Doc::text("started"))])));
                }
                "homeassistant_stop" | "homeassistant_final_write" => {
                    triggers.push(other("event", Doc::inline([("event", Doc::text("stopping"))])));
                }
                "automation_reloaded" => {
                    triggers.push(other("event", Doc::inline([("event", Doc::text("reloaded"))])));
                }
                "mobile_app_notification_action" => {
                    for (action, id) in self.answers(node, data)? {
                        let values = std::iter::once((ANSWER.to_owned(), action.clone().into())).collect();
                        let marks = Marks { id, values, ..Marks::default() };
                        let (kind, platform) = (FiredKind::Event, "event".to_owned());
                        let doc = Doc::inline([("webhook", Doc::text(reply(&action)))]);
                        triggers.push(Started { doc, fired: Fired { kind, platform, key: None, marks }, guard: None });
                    }
                }
                event if self.names.events.contains(event) => {
                    let topic = event_topic(event);
                    let mut keys = vec![("topic", Doc::text(&topic))];
                    if let Some(data) = data {
                        let mut has_template = false;
                        data.walk(&mut |part| has_template |= is_template(part));
                        if has_template {
                            return self
                                .refuse(data, "`event_data` that is a template isn't translated: use a condition");
                        }
                        keys.push(("payload", Doc::Value(self.data(data)?)));
                    }
                    let fired = Fired {
                        kind: FiredKind::Event,
                        platform: "event".to_owned(),
                        key: Some(FiredKey::Topic(topic)),
                        marks: Marks::default(),
                    };
                    triggers.push(Started { doc: entries(keys), fired, guard: None });
                }
                event => {
                    let advice = match event {
                        "zha_event" | "deconz_event" | "hue_event" | "xiaomi_aqara.click" => {
                            ". The remote's MQTT topic, or its `action`, works"
                        }
                        "state_changed" => ". A state trigger works",
                        "call_service" => ". A state trigger on what the action changes works",
                        _ => "",
                    };
                    let message = format!(
                        "the event `{event}` isn't heard here: no automation or script of this configuration fires it{advice}"
                    );
                    return self.refuse(item, message);
                }
            }
        }
        Ok(())
    }

    /// Returns the actions of notifications that trigger, each with its id where several do.
    fn answers(&mut self, node: &Node, data: Option<&Node>) -> Answer<Vec<(String, Option<String>)>> {
        let Some(action) = data.and_then(|data| data.get("action")) else {
            if node.get("id").is_some() || self.names.buttons.is_empty() {
                return self.refuse(
                    node,
                    "which answer to a notification triggers isn't said: `event_data: { action: NAME }`",
                );
            }
            return Ok(self.names.buttons.iter().map(|action| (action.clone(), Some(action.clone()))).collect());
        };
        let text = match self.constant_of(action) {
            Some(constant) => constant.to_text(),
            None if is_template(action) => self.template(action)?.constant(),
            None => action.to_text(),
        };
        match text {
            Some(text) => Ok(vec![(text, None)]),
            None => self.refuse(action, "the name of a button that is computed isn't known here: write it"),
        }
    }
}
