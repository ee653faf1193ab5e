//! Notifications: each target of Home Assistant as one of ours.

use crate::lang::import::home_assistant::translate::trigger::kinds::reply;
use crate::lang::import::home_assistant::translate::work::{Answer, Work};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn notify(
        &mut self,
        node: &Node,
        domain: &str,
        service: &str,
    ) -> Answer<Vec<Doc>> {
        let names: Vec<String> = match (domain, service) {
            ("persistent_notification", "create") => vec!["persistent_notification".to_owned()],
            ("persistent_notification", _) => {
                self.differ("a notification that was sent can't be taken back here");
                return Ok(Vec::new());
            }
            (_, "send_message") => {
                let ids = self.targets(node)?;
                ids.into_iter()
                    .map(|id| id.split_once('.').map_or(id.clone(), |(_, object)| object.to_owned()))
                    .collect()
            }
            (_, name) => vec![name.to_owned()],
        };
        if names.is_empty() {
            return self.refuse(node, "no target is named");
        }
        if !self.shared.can_notify {
            return self.notify_there(node, domain, service);
        }
        let data = node.get("data").cloned().unwrap_or_else(|| Node::map_at(&node.place, Vec::new()));
        let Some(message) = data.get("message") else { return self.refuse(node, "`message` is missing") };
        let message = self.text(message)?;
        if matches!(&*message, "clear_notification" | "request_location_update" | "command_screen_on")
            || message.starts_with("command_")
        {
            return self.refuse(
                node,
                format!("`message: {message}` is a command to Home Assistant's app, which has no counterpart here"),
            );
        }
        let target = match names.as_slice() {
            [only] => Doc::text(only),
            _ => Doc::Value(names.clone().into()),
        };
        let mut keys = vec![("notify".to_owned(), target), ("message".to_owned(), Doc::text(message))];
        if let Some(title) = data.get("title").filter(|title| !title.is_null()) {
            keys.push(("title".to_owned(), Doc::text(self.text(title)?)));
        }
        let mut lost: Vec<String> = Vec::new();
        for entry in data.as_map().unwrap_or_default() {
            match entry.name() {
                "message" | "title" | "data" => {}
                "notification_id" => lost.push("notification_id".to_owned()),
                other => lost.push(other.to_owned()),
            }
        }
        let mut buttons = Vec::new();
        for entry in data.get("data").and_then(Node::as_map).unwrap_or_default() {
            match entry.name() {
                "actions" => {
                    for action in entry.value.items() {
                        let id = action.get("action").and_then(Node::to_text).unwrap_or_default();
                        let Some(title) = action.get("title") else { continue };
                        let title = self.text(title)?;
                        if id == "URI" || !self.names.replies.contains(&id) {
                            lost.push(format!("the button “{title}”"));
                            continue;
                        }
                        buttons.push(crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(
                            vec![("text", Doc::text(title)), ("webhook", Doc::text(reply(&id)))],
                        ));
                    }
                }
                other => lost.push(other.to_owned()),
            }
        }
        if !buttons.is_empty() {
            keys.push(("buttons".to_owned(), Doc::InlineList(buttons)));
        }
        if !lost.is_empty() {
            let lost =
                lost.iter().map(|key| if key.starts_with("the button") { key.clone() } else { format!("`{key}`") });
            self.differ(format!("of a notification, {} isn't kept", lost.collect::<Vec<_>>().join(", ")));
        }
        self.shared.notify.borrow_mut().extend(names);
        Ok(vec![Doc::Inline(keys)])
    }

    /// Lets Home Assistant send a notification.
    fn notify_there(&mut self, node: &Node, domain: &str, service: &str) -> Answer<Vec<Doc>> {
        self.shared.note("notifications are sent by Home Assistant: rules can't send them themselves yet");
        let ids = if service == "send_message" { self.targets(node)? } else { Vec::new() };
        self.bridge_call(node, &format!("{domain}.{service}"), &ids)
    }
}
