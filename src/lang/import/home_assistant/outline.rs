//! The outline of the house: what homerule.yaml needs, as a new file or as text to add.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::load::Configuration;
use super::translate::Shared;
use super::write::{json, scalar};
use super::yaml::Node;

/// Where a home is.
#[derive(Debug, Default)]
pub(super) struct HomePlace {
    latitude: Option<f64>,
    longitude: Option<f64>,
    zone: Option<String>,
    /// Whether the coordinates are secrets there.
    is_secret: bool,
}

impl HomePlace {
    /// Returns what a configuration says of it, or else what the user interface keeps.
    pub(super) fn of(configuration: &Configuration) -> HomePlace {
        let sources = [configuration.core.as_ref(), configuration.stored_core.as_ref()];
        let mut found = HomePlace::default();
        for source in sources.into_iter().flatten() {
            let text = |key: &str| source.get(key).and_then(Node::to_text).map(|text| text.trim().to_owned());
            let number = |key: &str| text(key).and_then(|text| text.parse::<f64>().ok());
            if found.latitude.is_none()
                && let (Some(latitude), Some(longitude)) = (number("latitude"), number("longitude"))
                && latitude.abs() <= 90.0
                && longitude.abs() <= 180.0
            {
                (found.latitude, found.longitude) = (Some(latitude), Some(longitude));
                let is_secret =
                    |key: &str| source.get(key).and_then(Node::as_scalar).is_some_and(|scalar| scalar.secret.is_some());
                found.is_secret = is_secret("latitude") || is_secret("longitude");
            }
            let zone = text("time_zone").filter(|zone| TimeZone::get(zone).is_ok());
            found.zone = found.zone.take().or(zone);
        }
        found
    }

    /// Returns whether the coordinates are known.
    pub(super) fn is_known(&self) -> bool {
        self.latitude.is_some()
    }

    /// Returns what is to be said of it, if anything.
    pub(super) fn note(&self) -> Option<&'static str> {
        self.is_secret.then_some(
            "homerule.yaml says where the home is, because the sun needs it; in Home Assistant's configuration that was a secret",
        )
    }
}

/// What a rule that needs the sun differs by where the place isn't known.
pub(super) const NO_PLACE: &str = "the configuration doesn't say where the home is: `location` in homerule.yaml is a placeholder, on the equator. Fill it in, or the sun rises at the wrong time";

/// Returns a homerule.yaml for a new home, with its place, and the placeholders of its notifications.
pub(super) fn settings(place: &HomePlace, needs_sun: bool, shared: &Shared) -> String {
    let mut parts = Vec::new();
    let mut text = String::new();
    match (place.latitude, place.longitude) {
        (Some(latitude), Some(longitude)) => parts.push(format!("latitude: {latitude}, longitude: {longitude}")),
        _ if needs_sun => {
            text.push_str("# A placeholder: say where the home is, or the sun rises at the wrong time.\n");
            parts.push("latitude: 0, longitude: 0".to_owned());
        }
        _ => {}
    }
    parts.extend(place.zone.as_ref().map(|zone| format!("timezone: {}", json(&zone.as_str().into()))));
    if !parts.is_empty() {
        let _ = writeln!(text, "location: {{ {} }}", parts.join(", "));
    }
    text.push_str(&needed(shared));
    text
}

/// Returns what the rules need: targets of notifications, to be filled in.
pub(super) fn needed(shared: &Shared) -> String {
    let targets = shared.notify.borrow();
    if targets.is_empty() {
        return String::new();
    }
    let mut text =
        String::from("notify:    # placeholders: say where each goes, e.g. `phone: { ntfy: \"https://ntfy.sh/…\" }`\n");
    for target in targets.iter() {
        let _ = writeln!(
            text,
            "  {}: {{ publish: home_assistant/notify/{target}, payload: {{ title: \"${{title}}\", message: \"${{message}}\" }} }}",
            scalar(target)
        );
    }
    text
}
