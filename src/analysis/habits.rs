//! The habits of the field: where a device speaks that listens on a topic.

use crate::model::Topic;

/// Returns the topic on which a device speaks that listens on `command`, by the habits of the field.
#[must_use]
pub fn state_of(command: &Topic) -> Option<Topic> {
    let text = command.as_str();
    for ending in ["/set", "/command", "/cmd"] {
        if let Some(state) = text.strip_suffix(ending) {
            return Topic::parse(state).ok();
        }
    }
    let (device, what) = text.strip_prefix("cmnd/")?.split_once('/')?;
    Topic::parse(&format!("stat/{device}/{what}")).ok()
}
