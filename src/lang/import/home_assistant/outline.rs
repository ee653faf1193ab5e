//! The outline of the house: what homerule.yaml needs, as a new file or as text to add.

use std::fmt::Write as _;

use super::load::Configuration;
use super::translate::Shared;
use super::write::{json, scalar};
use super::yaml::Node;

/// Returns a homerule.yaml for a new home, with its place, and the placeholders of its notifications.
pub(super) fn settings(configuration: &Configuration, shared: &Shared) -> String {
    let mut text = String::new();
    let core = configuration.core.as_ref();
    let number = |key: &str| core.and_then(|core| core.get(key)).and_then(Node::as_number);
    let is_secret = |key: &str| {
        core.and_then(|core| core.get(key)).and_then(Node::as_scalar).is_some_and(|scalar| scalar.secret.is_some())
    };
    let mut place = Vec::new();
    if let (Some(latitude), Some(longitude), false) =
        (number("latitude"), number("longitude"), is_secret("latitude") || is_secret("longitude"))
    {
        place.push(format!("latitude: {latitude}, longitude: {longitude}"));
    }
    if let Some(zone) = core.and_then(|core| core.get("time_zone")).and_then(Node::to_text)
        && !is_secret("time_zone")
    {
        place.push(format!("timezone: {}", json(&zone.into())));
    }
    if !place.is_empty() {
        let _ = writeln!(text, "location: {{ {} }}", place.join(", "));
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
