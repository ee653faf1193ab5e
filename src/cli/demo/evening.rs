//! What the devices of the demo say and do: an evening of three quarters of an hour, again and again.

use std::time::Duration;

/// How long one evening is.
pub(super) const EVENING: Duration = Duration::from_mins(45);

/// What a device says, and when: minutes after the evening's begin.
pub(super) struct Said {
    pub(super) minute: u64,
    pub(super) topic: &'static str,
    pub(super) payload: &'static str,
}

/// What was said before the evening begins, kept by the broker.
pub(super) const BEFORE: [(&str, &str); 6] = [
    ("home/living_room/light", r#"{"state":"OFF"}"#),
    ("home/hall/light", r#"{"state":"OFF"}"#),
    ("home/kitchen/light", r#"{"state":"ON","brightness":200}"#),
    ("home/hall/lux", "12"),
    ("home/hall/motion", "OFF"),
    ("home/laundry/washer", r#"{"power":1.8}"#),
];

/// What is said during an evening, in the order of the minutes.
pub(super) const STORY: [Said; 17] = [
    said(1, "home/living_room/tv", "ON"),
    said(3, "home/laundry/washer", r#"{"power":2050}"#),
    said(5, "home/hall/motion", "ON"),
    said(6, "home/hall/motion", "OFF"),
    said(9, "home/laundry/washer", r#"{"power":310}"#),
    said(12, "home/hall/lux", "9"),
    said(14, "home/laundry/washer", r#"{"power":1890}"#),
    said(17, "home/hall/motion", "ON"),
    said(18, "home/hall/motion", "ON"),
    said(20, "home/hall/motion", "OFF"),
    said(22, "home/laundry/washer", r#"{"power":140}"#),
    said(25, "home/laundry/washer", r#"{"power":1.9}"#),
    said(31, "home/living_room/tv", "OFF"),
    said(34, "home/hall/motion", "ON"),
    said(35, "home/hall/motion", "OFF"),
    said(36, "home/bedroom/button", "single"),
    said(39, "home/bedroom/button", "double"),
];

/// How the command topics of lamps end; without it, a topic is that of the lamp's state.
pub(super) const COMMAND: &str = "/set";

const fn said(minute: u64, topic: &'static str, payload: &'static str) -> Said {
    Said { minute, topic, payload }
}

/// Returns what a lamp says of itself once it was told `command`.
pub(super) fn answer(command: &str) -> String {
    if matches!(command, "ON" | "OFF") { format!(r#"{{"state":"{command}"}}"#) } else { command.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_in_order_and_ends_with_the_evening() {
        let minutes: Vec<u64> = STORY.iter().map(|said| said.minute).collect();
        assert!(minutes.is_sorted(), "{minutes:?}");
        assert!(minutes.last().is_some_and(|last| Duration::from_mins(*last) < EVENING));
    }

    #[test]
    fn a_lamp_tells_its_state_as_json_whatever_it_was_told() {
        assert_eq!(answer("ON"), r#"{"state":"ON"}"#);
        assert_eq!(answer(r#"{"state":"ON","brightness":80}"#), r#"{"state":"ON","brightness":80}"#);
    }
}
