//! Somebody presses a button: its webhook hears of it, once.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::model::{Map, Name, Payload, Value};

/// The webhook of a button that was pressed, and what it's told.
pub(crate) struct Pressed {
    pub(crate) webhook: Name,
    pub(crate) body: Payload,
}

/// Takes the button with this key; `None`: nobody may press it, or somebody has. `by` is who it was, where that is known.
pub(crate) fn press(core: &mut Core, key: &str, body: Payload, by: Option<&Arc<str>>) -> Option<Pressed> {
    let (notice, index) = core.notices.find(key).map(|(notice, index, _)| (notice, index))?;
    let (button, target) = core.notices.press(notice, index)?;
    if !body.is_empty() {
        return Some(Pressed { webhook: button.webhook, body });
    }
    let mut said = Map::default();
    said.insert("target".into(), Value::Text(target));
    said.insert("text".into(), Value::text(button.text));
    if let Some(by) = by {
        said.insert("from".into(), Value::Text(Arc::clone(by)));
    }
    Some(Pressed { webhook: button.webhook, body: Payload::from_value(&Value::Map(Arc::new(said))) })
}
