//! Tells of text that is taken for something and was probably meant as something else: `when: sunset`, `at: sunset-30m`.

use crate::lang::diagnostic::near::did_you_mean;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::file_span;
use crate::lang::yaml::tree::Node;
use crate::lang::{Applies, Code};
use crate::model::schedule::{Boundary, Cron, SunEvent, TimeOfDay};
use crate::model::{TopicFilter, Value, format_duration, format_offset, parse_duration};
use crate::script::{Expression, Template};

use crate::lang::rule_file::decoder::Decoder;

/// The first part of Home Assistant's ids of entities: `binary_sensor.hall`.
const ENTITY_DOMAINS: [&str; 26] = [
    "alarm_control_panel",
    "automation",
    "binary_sensor",
    "button",
    "calendar",
    "camera",
    "climate",
    "cover",
    "device_tracker",
    "fan",
    "group",
    "input_boolean",
    "input_number",
    "input_select",
    "light",
    "lock",
    "media_player",
    "number",
    "person",
    "scene",
    "script",
    "select",
    "sensor",
    "sun",
    "switch",
    "vacuum",
];

impl Decoder<'_> {
    /// Warns about a trigger that is a single text, which is a topic, and looks like another trigger. `None` if it can't
    /// even be a topic.
    pub(in crate::lang::rule_file) fn warn_of_unlikely_topic(&mut self, node: &Node) -> Option<()> {
        let Some(scalar) = node.as_scalar() else { return Some(()) };
        let text = scalar.text.as_str().trim();
        let help = match likely_trigger(text) {
            Some(trigger) => format!("{} If it's a topic, write `{{ topic: \"{text}\" }}`", did_you_mean(&trigger)),
            None if is_entity_id(text) => format!(
                "`{text}` looks like an entity of Home Assistant; name the topic that the device publishes on, e.g. \
                 `{{ state: zigbee2mqtt/hall, to: ON }}`"
            ),
            None => return Some(()),
        };
        let span = node.span.clone();
        let is_topic = TopicFilter::parse(text).is_ok();
        let found = if is_topic {
            let message = format!("this rule starts on messages on the topic `{text}`");
            self.reader.findings.warning(Code::UNLIKELY_TOPIC, span.clone(), message)
        } else {
            let message = format!("a trigger without a word is a topic, but this is `{text}`");
            self.reader.findings.error(Code::UNLIKELY_TOPIC, span.clone(), message)
        };
        found.help(help);
        if let Some(trigger) = likely_trigger(text) {
            found.fix(span, trigger, Applies::Unsure);
        }
        is_topic.then_some(())
    }

    /// Returns whether `at` names a sun event, and reports that.
    pub(in crate::lang::rule_file) fn is_sun_event_at(&mut self, fields: &Fields<'_>, node: &Node) -> bool {
        let Some(scalar) = node.as_scalar() else { return false };
        let Some((event, offset)) = sun_event(scalar.text.as_str()) else { return false };
        self.report_sun_event(fields, node, &trigger_of_sun(event, offset.as_deref()));
        true
    }

    fn report_sun_event(&mut self, fields: &Fields<'_>, node: &Node, trigger: &str) {
        let text = node.as_scalar().map_or("", |scalar| scalar.text.as_str());
        let message = format!("`at` takes a time of day, not the sun event `{text}`");
        let entry = fields.entry("at").map(|entry| file_span(&entry.key, 0..2).start..entry.value.span.end);
        let is_flow = self.reader.text.get(fields.span()).starts_with('{');
        let found = self.reader.findings.error(Code::BAD_TIME, node.span.clone(), message);
        found.help(did_you_mean(trigger));
        if let Some(span) = entry.filter(|_| is_flow || !trigger.contains("offset")) {
            found.fix(span, trigger.trim_matches(['{', '}', ' ']), Applies::Safe);
        }
    }

    /// Returns the expression of `at`. One that always gives the same must give a time.
    pub(in crate::lang::rule_file) fn time_expression(&mut self, node: &Node) -> Option<Expression> {
        let expression = self.expression(node)?;
        let template = Template::Expression(expression.clone());
        if !self.constants.fix(&self.context.sandbox, &template) {
            return Some(expression);
        }
        let value = self.constants.render(&self.context.sandbox, &template).ok()?;
        let is_time = match &value {
            Value::Time(_) => true,
            Value::Text(text) => TimeOfDay::parse(text).is_ok(),
            _ => false,
        };
        if is_time {
            return Some(expression);
        }
        let span = self.mark(node);
        let shown = if value.is_null() { "nothing".to_owned() } else { format!("`{value}`") };
        let message = format!("`at` needs a time of day, but this is always {shown}");
        let found = self.findings.error(Code::BAD_TIME, span, message);
        match sun_event(&value.to_string()) {
            Some((event, offset)) => found.help(did_you_mean(&trigger_of_sun(event, offset.as_deref()))),
            None => found.help("use e.g. `at: \"07:30\"`"),
        };
        None
    }

    /// Returns whether a sun event is written with its offset, and reports that: `sun: sunset - 30m`.
    pub(in crate::lang::rule_file) fn has_offset_in_sun(&mut self, node: &Node) -> bool {
        let Some(scalar) = node.as_scalar() else { return false };
        let Some((event, Some(offset))) = sun_event(scalar.text.as_str()) else { return false };
        let span = self.mark(node);
        let message = format!("the offset of a sun event has its own key, but this is `{}`", scalar.text.as_str());
        let found = self.findings.error(Code::UNKNOWN_WORD, span, message);
        found.help(did_you_mean(&format!("{{ sun: {event}, offset: {offset} }}")));
        true
    }
}

/// Returns the trigger that `text` was probably meant as.
fn likely_trigger(text: &str) -> Option<String> {
    if let Some((event, offset)) = sun_event(text) {
        return Some(trigger_of_sun(event, offset.as_deref()));
    }
    if TimeOfDay::parse(text).is_ok() {
        return Some(format!("{{ at: \"{text}\" }}"));
    }
    if let Some(interval) = text.strip_prefix("every ") {
        let interval = parse_duration(interval.trim());
        let suggestion = interval.map_or_else(|error| error.suggestion(), |time| Some(format_duration(time)));
        return suggestion.map(|interval| format!("{{ every: {interval} }}"));
    }
    if matches!(text, "started" | "startup" | "start" | "boot") {
        return Some("{ event: started }".to_owned());
    }
    let is_cron = text.split_whitespace().count() >= 5 && Cron::parse(text).is_ok();
    is_cron.then(|| format!("{{ cron: \"{text}\" }}"))
}

fn is_entity_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(domain, name)| {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        ENTITY_DOMAINS.contains(&domain) && !name.is_empty() && name.chars().all(is_name)
    })
}

/// Returns the sun event that `text` names, and its offset if it has one: `sunset - 30m`.
fn sun_event(text: &str) -> Option<(SunEvent, Option<String>)> {
    let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    match Boundary::parse(&plain.to_lowercase()).ok()? {
        Boundary::Sun(event, offset) => Some((event, (!offset.is_zero()).then(|| format_offset(offset)))),
        Boundary::Time(_) => None,
    }
}

fn trigger_of_sun(event: SunEvent, offset: Option<&str>) -> String {
    match offset {
        Some(offset) => format!("{{ sun: {event}, offset: {offset} }}"),
        None => format!("{{ sun: {event} }}"),
    }
}
