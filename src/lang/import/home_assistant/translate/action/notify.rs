//! Notifications: each target of Home Assistant as one of ours.

use crate::lang::import::home_assistant::translate::trigger::kinds::reply;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

/// The most buttons that a notification here has.
const MOST_BUTTONS: usize = 10;

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
                other => lost.push(format!("`{other}`")),
            }
        }
        let mut buttons = Vec::new();
        let mut priority = None;
        for entry in data.get("data").and_then(Node::as_map).unwrap_or_default() {
            match entry.name() {
                "actions" => buttons = self.buttons(&entry.value, &mut lost)?,
                key @ ("importance" | "priority") => match urgency(&entry.value) {
                    Some(number) => priority = priority.max(Some(number)),
                    None => lost.push(format!("`{key}`")),
                },
                other => lost.push(format!("`{other}`")),
            }
        }
        if let Some(priority) = priority {
            keys.push(("priority".to_owned(), Doc::Value(priority.into())));
        }
        if !buttons.is_empty() {
            keys.push(("buttons".to_owned(), Doc::InlineList(buttons)));
        }
        if !lost.is_empty() {
            self.differ(format!("of a notification, {} isn't kept", lost.join(", ")));
        }
        self.shared.notify.borrow_mut().extend(names);
        Ok(vec![Doc::Inline(keys)])
    }

    /// Returns the buttons of a notification: those that an automation hears.
    fn buttons(&mut self, actions: &Node, lost: &mut Vec<String>) -> Answer<Vec<Doc>> {
        let mut buttons = Vec::new();
        for action in actions.items() {
            let id = match action.get("action") {
                Some(id) if self.constant_of(id).is_some() => {
                    self.constant_of(id).and_then(|id| id.to_text()).unwrap_or_default()
                }
                Some(id) if is_template(id) => self.template(id)?.constant().unwrap_or_default(),
                id => id.and_then(Node::to_text).unwrap_or_default(),
            };
            let Some(title) = action.get("title") else { continue };
            let title = self.text(title)?;
            if id == "URI" || !self.names.replies.contains(&id) || buttons.len() == MOST_BUTTONS {
                lost.push(format!("the button “{title}”"));
                continue;
            }
            buttons.push(entries(vec![("text", Doc::text(title)), ("webhook", Doc::text(reply(&id)))]));
        }
        Ok(buttons)
    }
}

/// Returns how urgent an importance is.
fn urgency(node: &Node) -> Option<i64> {
    Some(match node.to_text()?.as_str() {
        "max" => 5,
        "high" => 4,
        "default" | "normal" => 3,
        "low" => 2,
        "min" => 1,
        _ => return None,
    })
}
