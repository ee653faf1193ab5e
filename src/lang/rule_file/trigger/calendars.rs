//! Triggers on calendars, and calendars that expressions name.

use std::ops::Range;

use jiff::SignedDuration;

use crate::lang::reader::fields::Fields;
use crate::lang::reader::file_span;
use crate::lang::{Code, near};
use crate::model::agenda::{Edge, Matching};
use crate::model::schedule::Schedule;
use crate::script::{CalendarMention, Expression};

use super::optional;
use crate::lang::rule_file::decoder::Decoder;

impl Decoder<'_> {
    /// Returns when `calendar: NAME, is: start` is due.
    pub(super) fn calendar_trigger(&mut self, fields: &mut Fields<'_>) -> Option<Schedule> {
        let node = fields.take("calendar")?;
        let name = self.fixed(node, "a calendar's name (`bins`)");
        let edge = fields.need("is", &self.reader.text).map(|node| self.word(node, &Edge::ALL));
        let offset = fields.take("offset").map(|node| self.offset(node));
        let matching = fields.take("match").map(|node| {
            let fixed = self.fixed(node, "a regular expression")?;
            match Matching::parse(&fixed.text) {
                Ok(matching) => Some(matching),
                Err(error) => {
                    let message = format!("`{}` isn't a valid regular expression", fixed.text);
                    let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    self.findings.error(Code::BAD_CALENDAR, fixed.span, message).help(last);
                    None
                }
            }
        });
        let name = name?;
        self.need_calendar(&name.text, name.span.clone());
        Some(Schedule::Events {
            calendar: name.text.clone(),
            edge: edge??,
            offset: optional(offset)?.unwrap_or(SignedDuration::ZERO),
            matching: optional(matching)?,
        })
    }

    /// Checks the calendars that an expression names.
    pub(in crate::lang::rule_file) fn check_calendars_in(&mut self, expression: &Expression) {
        for CalendarMention { name, at } in expression.calendar_mentions() {
            let span = file_span(expression.source(), at.clone());
            self.need_calendar(name, span);
        }
    }

    /// Reports a calendar that the settings don't name.
    pub(in crate::lang::rule_file) fn need_calendar(&mut self, name: &str, span: Range<usize>) {
        let Some(known) = &self.context.calendars else { return };
        if known.contains(name) {
            return;
        }
        let near = near::nearest(name, known.iter().map(|known| &**known)).map(str::to_owned);
        let known: Vec<&str> = known.iter().map(|known| &**known).collect();
        let help = match (near, known.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => format!("name its file in homerule.yaml: `calendars: {{ {name}: {name}.ics }}`"),
            (None, known) => format!("homerule.yaml names {}", near::list(known)),
        };
        let message = format!("there is no calendar `{name}`");
        self.findings.error(Code::UNKNOWN_CALENDAR, span, message).help(help);
    }
}
