//! Devices: which topics belong together (`devices:` in docs/settings.md).
//!
//! A filter's named wildcards name the device: `home/+room/+device/#` makes `home/living/tv/power` a topic of
//! `living/tv`.

use std::sync::Arc;

use super::{Name, Topic, TopicFilter};

/// The devices of a home, told by their topics.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    filters: Vec<TopicFilter>,
}

impl Devices {
    /// Returns the devices that `filters` tell. The first filter that matches a topic names its device; one
    /// without a named wildcard names none.
    #[must_use]
    pub fn new(filters: &[TopicFilter]) -> Devices {
        let filters = filters.iter().filter(|filter| filter.names().next().is_some()).cloned().collect();
        Devices { filters }
    }

    /// Returns the name of the device that `topic` belongs to: what the named wildcards match, with `/` between.
    #[must_use]
    pub fn device_of(&self, topic: &Topic) -> Option<Name> {
        self.filters.iter().find_map(|filter| name_in(filter, topic))
    }
}

/// Returns `None` where the filter doesn't match, and where a wildcard matches nothing: that is no device.
fn name_in(filter: &TopicFilter, topic: &Topic) -> Option<Name> {
    if !filter.matches_in_rules(topic) {
        return None;
    }
    let captures = filter.captures(topic)?;
    let parts: Vec<&str> = filter.named(&captures).map(|(_, text)| text.as_ref()).collect();
    let is_whole = parts.iter().all(|part| !part.is_empty());
    is_whole.then(|| Arc::from(parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device_of(filters: &[&str], topic: &str) -> Option<String> {
        let filters: Vec<TopicFilter> = filters.iter().map(|filter| TopicFilter::parse(filter).unwrap()).collect();
        Devices::new(&filters).device_of(&Topic::parse(topic).unwrap()).map(|name| name.to_string())
    }

    #[test]
    fn the_named_wildcards_name_the_device() {
        let filters = ["home/+room/+device/#", "zigbee2mqtt/+device/#", "shellies/+/+device/status", "#"];
        for (topic, device) in [
            ("home/living/tv", Some("living/tv")),
            ("home/living/tv/power", Some("living/tv")),
            ("home/living", None),
            ("zigbee2mqtt/Stehlampe/availability", Some("Stehlampe")),
            ("shellies/kitchen/plug/status", Some("plug")),
            ("elsewhere", None),
        ] {
            assert_eq!(device_of(&filters, topic).as_deref(), device, "{topic}");
        }
    }

    #[test]
    fn the_first_filter_that_matches_names_the_device() {
        assert_eq!(device_of(&["+kind/+device", "home/+device"], "home/tv").as_deref(), Some("home/tv"));
        assert_eq!(device_of(&["home/+device", "+kind/+device"], "home/tv").as_deref(), Some("tv"));
    }

    #[test]
    fn what_has_no_name_is_no_device() {
        assert_eq!(device_of(&["home/+room/+device/#"], "home//tv"), None);
        assert_eq!(device_of(&["home/#rest"], "home"), None);
        assert_eq!(device_of(&["home/#rest"], "home/a/b").as_deref(), Some("a/b"));
        assert_eq!(device_of(&["home/+/#"], "home/a/b"), None);
        assert_eq!(device_of(&["+device/#"], "homerule/status"), None, "homerule is no device of the home");
    }
}
