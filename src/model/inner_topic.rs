//! Topics of the engine's own, which no client sees: what a device last said of a property, and the values of inputs, as state
//! that triggers, conditions and expressions find as they find that of any topic.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Topic, is_in_topic};

/// How those of devices begin.
const DEVICE: &str = "$device/";

/// How those of inputs begin.
const INPUT: &str = "$input/";

/// Returns the topic that holds what the device `label` last said of a property.
#[must_use]
pub fn device_topic(label: &str, property: &str) -> Option<Topic> {
    Topic::parse(&format!("{DEVICE}{}/{}", level(label), level(property))).ok()
}

/// Returns how the topics of a device's properties begin.
#[must_use]
pub fn device_prefix(label: &str) -> String {
    format!("{DEVICE}{}/", level(label))
}

/// Returns the filter of a property of any device.
#[must_use]
pub fn any_device(property: &str) -> String {
    format!("{DEVICE}+/{}", level(property))
}

/// Returns the topic that holds an input's value.
#[must_use]
pub fn input_topic(name: &str) -> Option<Topic> {
    Topic::parse(&format!("{INPUT}{}", level(name))).ok()
}

/// Returns whether a topic is one of the engine's own.
#[must_use]
pub fn is_inner(topic: &str) -> bool {
    topic.starts_with(DEVICE) || topic.starts_with(INPUT)
}

/// Returns a topic as people call it: `Hall lamp.on`, `inputs.vacation`, and any other as it is.
#[must_use]
pub fn spoken(topic: &str) -> Cow<'_, str> {
    if let Some((label, property)) = topic.strip_prefix(DEVICE).and_then(|rest| rest.split_once('/')) {
        return Cow::Owned(format!("{}.{}", unescaped(label), unescaped(property)));
    }
    match topic.strip_prefix(INPUT) {
        Some(name) => Cow::Owned(format!("inputs.{}", unescaped(name))),
        None => Cow::Borrowed(topic),
    }
}

/// Returns a name as one level of a topic.
fn level(name: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| is_in_topic(letter) && !matches!(letter, '/' | '%');
    if !name.is_empty() && name.chars().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let mut level = String::from(if name.is_empty() { "%" } else { "" });
    for letter in name.chars() {
        if is_plain(letter) {
            level.push(letter);
        } else {
            // Writing into a text never fails.
            let _ = write!(level, "%{:x};", u32::from(letter));
        }
    }
    Cow::Owned(level)
}

fn unescaped(level: &str) -> Cow<'_, str> {
    if !level.contains('%') {
        return Cow::Borrowed(level);
    }
    let mut parts = level.split('%');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap_or(("", part));
        name.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
        name.push_str(rest);
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_topic_is_called_as_people_call_it() {
        let topic = device_topic("Hall/lamp + 1%", "on").unwrap();
        assert_eq!(topic.as_str(), "$device/Hall%2f;lamp %2b; 1%25;/on");
        assert_eq!(spoken(topic.as_str()), "Hall/lamp + 1%.on");
        assert_eq!(spoken(input_topic("vacation").unwrap().as_str()), "inputs.vacation");
        assert_eq!(spoken("zigbee2mqtt/hall"), "zigbee2mqtt/hall");
    }

    proptest! {
        #[test]
        fn any_name_makes_a_topic_and_comes_back(name in any::<String>()) {
            let topic = device_topic(&name, "on").unwrap();
            prop_assert!(is_inner(topic.as_str()));
            prop_assert_eq!(spoken(topic.as_str()), format!("{name}.on"));
        }
    }
}
