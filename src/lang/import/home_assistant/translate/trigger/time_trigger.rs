//! Triggers of time: `time`, `time_pattern` and `sun`.

use crate::lang::import::home_assistant::entities::{InputKind, Source};
use crate::lang::import::home_assistant::translate::duration;
use crate::lang::import::home_assistant::translate::trigger::kinds::{Triggers, other};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn time_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let Some(at) = node.get("at") else { return self.refuse(node, "`at` is missing") };
        let weekdays = match node.get("weekday") {
            Some(days) => Some(self.weekdays(days)?),
            None => None,
        };
        let mut fixed = Vec::new();
        for item in at.items() {
            let (entity, offset) = match item.get("entity_id") {
                Some(entity) => (entity, item.get("offset").filter(|offset| !offset.is_null())),
                None => (item, None),
            };
            if entity.as_number().is_some() {
                let text = entity.as_scalar().map(|scalar| scalar.text.to_string()).unwrap_or_default();
                return self.refuse_as_there(
                    entity,
                    format!("`{text}` is a number to YAML, which Home Assistant refuses too: quote it, `\"{text}\"`"),
                );
            }
            let Some(text) = entity.to_text() else { return self.refuse(item, "`at` needs a time, as `\"07:30:00\"`") };
            if is_template(entity) {
                return self.refuse(entity, "`at` that is a template isn't translated");
            }
            if let Some(time) = time_of_day(&text) {
                fixed.push(time);
                continue;
            }
            let id = self.entity_id(entity, &text)?;
            if !matches!(id.split('.').next(), Some("input_datetime" | "sensor")) {
                let message =
                    format!("`{id}` has no time: Home Assistant takes only an input_datetime or a sensor, too");
                return self.refuse_as_there(entity, message);
            }
            let offset = match offset {
                Some(offset) => self.fixed_duration(offset)? / 1000,
                None => 0,
            };
            let found = self.scope.home.entity(&id);
            let expression = match &found.source {
                Source::Input { name, kind: InputKind::Time | InputKind::Date { has_time: true } } => {
                    let field = self.field(entity, &found, None)?;
                    let _ = name;
                    field.expression
                }
                Source::Input { .. } => return self.refuse(entity, format!("`{id}` has no time of day")),
                _ => format!("ha::moment({})", self.field(entity, &found, None)?.expression),
            };
            let expression = if offset == 0 { expression } else { format!("ha::moved({expression}, {offset})") };
            let mut keys = vec![("at", Doc::text(format!("${{{expression}}}")))];
            keys.extend(weekdays.clone().map(|days| ("weekdays", days)));
            triggers.push(other("time", entries(keys)));
        }
        if !fixed.is_empty() {
            let mut times: Vec<serde_json::Value> = fixed.into_iter().map(Into::into).collect();
            let times = if times.len() == 1 { times.remove(0) } else { times.into() };
            let mut keys = vec![("at", Doc::Value(times))];
            keys.extend(weekdays.map(|days| ("weekdays", days)));
            triggers.push(other("time", entries(keys)));
        }
        Ok(())
    }

    /// Returns `weekdays`.
    pub(in crate::lang::import::home_assistant::translate) fn weekdays(&mut self, node: &Node) -> Answer<Doc> {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let mut found = Vec::new();
        for item in node.items() {
            let text = item.to_text().unwrap_or_default().to_lowercase();
            let Some(index) = DAYS.iter().position(|day| *day == text) else {
                return self.refuse(item, format!("`{text}` isn't a weekday: `mon`, `tue`, …"));
            };
            found.push(index);
        }
        found.sort_unstable();
        found.dedup();
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            return self.refuse(node, "no weekday is given");
        };
        let day = |index: usize| DAYS.get(index).copied().unwrap_or_default();
        if found.len() > 2 && last - first + 1 == found.len() {
            return Ok(Doc::text(format!("{}-{}", day(*first), day(*last))));
        }
        if let [only] = found.as_slice() {
            return Ok(Doc::text(day(*only)));
        }
        Ok(Doc::Value(found.iter().map(|index| day(*index)).collect::<Vec<_>>().into()))
    }

    pub(in crate::lang::import::home_assistant::translate) fn pattern_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let part = |key: &str| {
            node.get(key).filter(|part| !part.is_null()).and_then(Node::to_text).map(|text| text.trim().to_owned())
        };
        let (hours, minutes, seconds) = (part("hours"), part("minutes"), part("seconds"));
        if hours.is_none() && minutes.is_none() && seconds.is_none() {
            return self.refuse(node, "`time_pattern` needs `hours`, `minutes` or `seconds`");
        }
        // What is larger than what is given is any; what is smaller is 0.
        let minutes_then = if hours.is_some() { "0" } else { "*" };
        let seconds_then = if hours.is_some() || minutes.is_some() { "0" } else { "*" };
        let parts = [
            (seconds.unwrap_or_else(|| seconds_then.to_owned()), 60),
            (minutes.unwrap_or_else(|| minutes_then.to_owned()), 60),
            (hours.unwrap_or_else(|| "*".to_owned()), 24),
        ];
        let mut fields = Vec::new();
        for (text, size) in parts {
            let (is_step, digits) = text.strip_prefix('/').map_or((false, &*text), |rest| (true, rest));
            let number = digits.parse::<u32>();
            match number {
                _ if text == "*" => fields.push("*".to_owned()),
                Ok(0) if is_step => return self.refuse(node, "`/0` never comes"),
                Ok(number) if is_step && number < size => {
                    fields.push(if number == 1 { "*".to_owned() } else { format!("*/{number}") });
                }
                Ok(_) if is_step => fields.push("0".to_owned()),
                Ok(number) if number < size => fields.push(number.to_string()),
                _ => {
                    let message = format!("`{text}` isn't a part of a time: a number, `/5` or `*`");
                    return self.refuse(node, message);
                }
            }
        }
        let doc = match fields.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["0", minutes, "*"] if divides(minutes, 60) => Doc::inline([("every", Doc::text(every(minutes, 'm')))]),
            ["0", "0", hours] if divides(hours, 24) => Doc::inline([("every", Doc::text(every(hours, 'h')))]),
            [seconds, "*", "*"] if divides(seconds, 60) => Doc::inline([("every", Doc::text(every(seconds, 's')))]),
            ["0", minutes, hours] => Doc::inline([("cron", Doc::text(format!("{minutes} {hours} * * *")))]),
            [seconds, minutes, hours] => {
                Doc::inline([("cron", Doc::text(format!("{seconds} {minutes} {hours} * * *")))])
            }
            _ => return self.refuse(node, "this pattern isn't translated"),
        };
        triggers.push(other("time_pattern", doc));
        Ok(())
    }

    pub(in crate::lang::import::home_assistant::translate) fn sun_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let event = node.get("event").and_then(Node::to_text).unwrap_or_default();
        if !matches!(&*event, "sunrise" | "sunset") {
            return self.refuse(node, format!("`event: {event}` isn't `sunrise` or `sunset`"));
        }
        let mut keys = vec![("sun", Doc::text(event))];
        if let Some(offset) = node.get("offset").filter(|offset| !offset.is_null()) {
            let millis = self.fixed_duration(offset)?;
            if millis != 0 {
                keys.push(("offset", Doc::text(duration::written(millis))));
            }
        }
        self.needs_place();
        triggers.push(other("sun", entries(keys)));
        Ok(())
    }
}

/// Returns a time of the day as we write it: `07:30`, `07:30:15`.
pub(in crate::lang::import::home_assistant::translate) fn time_of_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let number = |part: &str, below: u32| part.parse::<u32>().ok().filter(|number| *number < below && part.len() <= 2);
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (number(hour, 24)?, number(minute, 60)?, 0),
        [hour, minute, second] => {
            let second = second.split('.').next().unwrap_or_default();
            (number(hour, 24)?, number(minute, 60)?, number(second, 60)?)
        }
        _ => return None,
    };
    Some(if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") })
}

fn divides(field: &str, size: u32) -> bool {
    field == "*"
        || field
            .strip_prefix("*/")
            .and_then(|number| number.parse::<u32>().ok())
            .is_some_and(|number| size.is_multiple_of(number))
}

fn every(field: &str, unit: char) -> String {
    format!("{}{unit}", field.strip_prefix("*/").unwrap_or("1"))
}
