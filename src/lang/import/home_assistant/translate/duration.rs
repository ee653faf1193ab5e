//! Durations: Home Assistant's seconds, `00:05:00` and maps, as `5m`.

use std::fmt::Write as _;

use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::yaml::{Node, Value};

/// How long something must hold: a time in milliseconds, or one that is computed when it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant::translate) struct Hold {
    pub(in crate::lang::import::home_assistant::translate) fixed: Option<i64>,
    pub(in crate::lang::import::home_assistant::translate) computed: Option<String>,
}

impl Work<'_> {
    /// Returns a duration as text; with a template, as `${…}`.
    pub(in crate::lang::import::home_assistant::translate) fn duration(&mut self, node: &Node) -> Answer<String> {
        if let Some(millis) = constant(node) {
            return Ok(written(millis));
        }
        if is_template(node) {
            let rendered = self.template(node)?;
            if let Some(millis) = rendered.constant().and_then(|text| of_text(&text)) {
                return Ok(written(millis));
            }
            return Ok(format!("${{ha::duration({})}}", natural(&rendered)));
        }
        let Some(entries) = node.as_map() else {
            return self
                .refuse(node, "this isn't a duration: write `\"00:05:00\"`, a number of seconds, or `minutes: 5`");
        };
        let mut parts = Vec::new();
        for entry in entries {
            let scale = match entry.name() {
                "days" => 86_400,
                "hours" => 3600,
                "minutes" => 60,
                "seconds" => 1,
                "milliseconds" => 0,
                name => {
                    let message = format!("`{name}` isn't a part of a duration");
                    return self.refuse(&entry.value, message);
                }
            };
            let value = if is_template(&entry.value) {
                let rendered = self.template(&entry.value)?;
                rendered.expression().as_number(Some("0")).at(crate::lang::import::home_assistant::expression::PRODUCT)
            } else {
                match entry.value.as_number().map(|number| number.to_string()).or_else(|| entry.value.to_text()) {
                    Some(number) if number.trim().parse::<f64>().is_ok() => number,
                    _ => return self.refuse(&entry.value, "this isn't a number"),
                }
            };
            parts.push(match scale {
                1 => value,
                0 => format!("{value} / 1000"),
                scale => format!("{value} * {scale}"),
            });
        }
        if parts.is_empty() {
            return self.refuse(node, "this duration is empty");
        }
        Ok(format!("${{ha::duration({})}}", parts.join(" + ")))
    }

    /// Returns how long a trigger must hold.
    pub(in crate::lang::import::home_assistant::translate) fn hold(&mut self, node: &Node) -> Answer<Hold> {
        let Some(hold) = node.get("for").filter(|hold| !hold.is_null()) else { return Ok(Hold::default()) };
        let mut has_template = false;
        hold.walk(&mut |part| has_template |= is_template(part));
        if !has_template {
            return Ok(Hold { fixed: Some(self.fixed_duration(hold)?).filter(|millis| *millis > 0), computed: None });
        }
        let text = self.duration(hold)?;
        if text.starts_with("${") {
            return Ok(Hold { fixed: None, computed: Some(text) });
        }
        let fixed = crate::model::parse_duration(&text).ok().and_then(|time| i64::try_from(time.as_millis()).ok());
        Ok(Hold { fixed: fixed.filter(|millis| *millis > 0), computed: None })
    }

    /// Returns a duration that is known now, in milliseconds.
    pub(in crate::lang::import::home_assistant::translate) fn fixed_duration(&mut self, node: &Node) -> Answer<i64> {
        if let Some(millis) = constant(node) {
            return Ok(millis);
        }
        if is_template(node) {
            let rendered = self.template(node)?;
            if let Some(millis) = rendered.constant().and_then(|text| of_text(&text)) {
                return Ok(millis);
            }
        }
        let has_template = {
            let mut found = false;
            node.walk(&mut |part| found |= is_template(part));
            found
        };
        if has_template {
            return self.refuse(node, "a time that is computed has no counterpart here: write the time");
        }
        self.refuse(node, "this isn't a duration: write `\"00:05:00\"`, a number of seconds, or `minutes: 5`")
    }
}

/// Returns what a duration's template gives, an entity's state as its text where that may be `00:05:00`.
fn natural(rendered: &crate::lang::import::home_assistant::expression::Rendered) -> String {
    let written = rendered.expression();
    match written.kind {
        crate::lang::import::home_assistant::expression::Kind::Reading(_) => written.as_text(),
        _ => written.text,
    }
}

/// Returns a duration that has no templates, in milliseconds.
pub(in crate::lang::import::home_assistant::translate) fn constant(node: &Node) -> Option<i64> {
    if let Some(entries) = node.as_map() {
        let mut total = 0.0;
        for entry in entries {
            let number = entry.value.as_number().or_else(|| entry.value.as_text()?.trim().parse().ok())?;
            total += number
                * match entry.name() {
                    "days" => 86_400_000.0,
                    "hours" => 3_600_000.0,
                    "minutes" => 60_000.0,
                    "seconds" => 1000.0,
                    "milliseconds" => 1.0,
                    _ => return None,
                };
        }
        return (!entries.is_empty()).then(|| whole(total));
    }
    match &node.as_scalar()?.value {
        Value::Int(_) | Value::Float(_) => node.as_number().map(|seconds| whole(seconds * 1000.0)),
        Value::Text => of_text(&node.as_scalar()?.text),
        Value::Null | Value::Bool(_) | Value::Date => None,
    }
}

/// Returns the milliseconds of `HH:MM`, `HH:MM:SS`, with a sign or not, or of seconds.
pub(in crate::lang::import::home_assistant::translate) fn of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.contains(':') {
        return digits.parse::<f64>().ok().map(|seconds| sign * whole(seconds * 1000.0));
    }
    let parts: Vec<&str> = digits.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] => (*hours, *minutes, "0"),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let hours: i64 = hours.trim().parse().ok()?;
    let minutes: i64 = minutes.trim().parse().ok()?;
    let seconds: f64 = seconds.trim().parse().ok()?;
    Some(sign * (hours * 3_600_000 + minutes * 60_000 + whole(seconds * 1000.0)))
}

#[expect(clippy::cast_possible_truncation, reason = "a time of milliseconds is far below")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// Returns milliseconds as a duration: `1h30m`.
pub(in crate::lang::import::home_assistant::translate) fn written(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let mut rest = millis.unsigned_abs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(sign);
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_units() {
        for (text, expected) in [
            ("00:05:00", "5m"),
            ("01:30", "1h30m"),
            ("90", "1m30s"),
            ("0.5", "500ms"),
            ("-00:30:00", "-30m"),
            ("48:00:00", "2d"),
        ] {
            assert_eq!(of_text(text).map(written).as_deref(), Some(expected), "{text}");
        }
    }
}
