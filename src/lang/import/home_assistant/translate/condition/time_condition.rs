//! Conditions on the time of day and the sun.

use crate::lang::import::home_assistant::entities::{InputKind, Source};
use crate::lang::import::home_assistant::translate::condition::kinds::Condition;
use crate::lang::import::home_assistant::translate::duration;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::trigger::time_trigger::time_of_day;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

/// An end of a window.
enum End {
    Fixed(String),
    /// An expression of a text, `07:30:00`.
    Computed(String),
}

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn time_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Condition> {
        let (after, before) = (self.end(node, "after")?, self.end(node, "before")?);
        let weekdays = match node.get("weekday").filter(|days| !days.is_null()) {
            Some(days) => Some(self.weekdays(days)?),
            None => None,
        };
        let days = weekdays.map(|days| ("weekdays", days));
        let window = |keys: Vec<(&str, Doc)>| Condition::Words(Doc::inline([("time", entries(keys))]));
        let condition = match (after, before) {
            (None, None) => match days {
                Some(days) => return Ok(window(vec![days])),
                None => return self.refuse(node, "`time` needs `after`, `before` or `weekday`"),
            },
            (None | Some(End::Fixed(_)), None | Some(End::Fixed(_))) => {
                let text = |end: Option<End>| match end {
                    Some(End::Fixed(text)) => Some(text),
                    _ => None,
                };
                // They moved: read again.
                let (after, before) = (text(self.end(node, "after")?), text(self.end(node, "before")?));
                let passes = after.as_ref().zip(before.as_ref()).is_some_and(|(after, before)| after >= before);
                let mut keys = Vec::new();
                keys.extend(after.map(|text| ("after", Doc::text(text))));
                keys.extend(before.map(|text| ("before", Doc::text(text))));
                if !passes {
                    keys.extend(days);
                    return Ok(window(keys));
                }
                window(keys)
            }
            (after, before) => {
                let text = |end: &Option<End>| match end {
                    Some(End::Fixed(text)) => Some(crate::lang::import::home_assistant::expression::quoted(text)),
                    Some(End::Computed(expression)) => Some(expression.clone()),
                    None => None,
                };
                let ends = (text(&after), text(&before));
                let written = match ends {
                    (Some(after), Some(before)) => format!("ha::between({after}, {before})"),
                    (Some(after), None) => format!("ha::between({after}, '24:00')"),
                    (None, Some(before)) => format!("ha::between('00:00', {before})"),
                    (None, None) => return self.refuse(node, "`time` needs `after` or `before`"),
                };
                Condition::expression(written, crate::lang::import::home_assistant::expression::ATOM)
            }
        };
        Ok(match days {
            Some(days) => Condition::All(vec![condition, window(vec![days])]),
            None => condition,
        })
    }

    fn end(&mut self, node: &Node, key: &str) -> Answer<Option<End>> {
        let Some(end) = node.get(key).filter(|end| !end.is_null()) else { return Ok(None) };
        if end.as_number().is_some() {
            let text = end.as_scalar().map(|scalar| scalar.text.to_string()).unwrap_or_default();
            return self.refuse_as_there(
                end,
                format!("`{text}` is a number to YAML, which Home Assistant refuses too: quote it, `\"{text}\"`"),
            );
        }
        if is_template(end) {
            return self.refuse_as_there(end, format!("`{key}` can't be a template, in Home Assistant neither"));
        }
        let text = end.to_text().unwrap_or_default();
        if let Some(time) = time_of_day(&text) {
            return Ok(Some(End::Fixed(time)));
        }
        let id = self.entity_id(end, &text)?;
        let entity = self.scope.home.entity(&id);
        let field = self.field(end, &entity, None)?;
        Ok(Some(End::Computed(match &entity.source {
            Source::Input { kind: InputKind::Time, .. } => field.expression,
            Source::Input { kind: InputKind::Date { has_time: true }, .. } => {
                format!("{}.split(' ')[1]", field.expression)
            }
            Source::Input { .. } => return self.refuse(end, format!("`{id}` has no time of day")),
            _ if entity.domain() == "input_datetime" => field.expression,
            _ => format!("strftime(ha::timestamp({}), '%H:%M:%S')", field.expression),
        })))
    }

    pub(in crate::lang::import::home_assistant::translate) fn sun_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Condition> {
        let mut keys = Vec::new();
        for key in ["after", "before"] {
            let Some(event) = node.get(key).filter(|event| !event.is_null()).and_then(Node::to_text) else { continue };
            if !matches!(&*event, "sunrise" | "sunset") {
                return self.refuse(node, format!("`{key}: {event}` isn't `sunrise` or `sunset`"));
            }
            let offset = match node.get(&format!("{key}_offset")).filter(|offset| !offset.is_null()) {
                Some(offset) => self.fixed_duration(offset)?,
                None => 0,
            };
            let text = match offset {
                0 => event,
                offset if offset > 0 => format!("{event}+{}", duration::written(offset)),
                offset => format!("{event}{}", duration::written(offset)),
            };
            keys.push((key, Doc::text(text)));
        }
        if keys.is_empty() {
            return self.refuse(node, "`sun` needs `after` or `before`");
        }
        self.needs_place();
        Ok(Condition::Words(Doc::inline([("time", entries(keys))])))
    }
}
