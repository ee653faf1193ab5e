//! Reads iCalendar files (RFC 5545): text -> the events of an agenda, with diagnostics (docs/language/calendars.md).
//!
//! An event that can't be read is an error at its line, and takes no other with it.

mod component;
mod component_tree;
mod event;
mod line;
mod recurring;
mod time;
mod together;
mod zones;

use crate::lang::diagnostic::findings::Findings;
use crate::lang::text::FileText;
use crate::lang::{Code, Diagnostic};
use crate::model::agenda::Agenda;

use event::Read;
use zones::Zones;

/// Returns the events that a file holds, and what is wrong with it.
pub(in crate::lang) fn read(text: &FileText) -> (Agenda, Vec<Diagnostic>) {
    let mut findings = Findings::new(text.file());
    let calendars = component_tree::read(text, &mut findings);
    if calendars.is_empty() && !findings.has_errors() {
        let found = findings.error(Code::BAD_CALENDAR, 0..0, "this isn't an iCalendar file");
        found.help("it begins with the line `BEGIN:VCALENDAR`");
    }
    let mut series = Vec::new();
    for calendar in &calendars {
        let zones = Zones::of(calendar);
        let events = calendar.inner.iter().filter(|component| component.name == "VEVENT");
        let read: Vec<Read> = events.filter_map(|event| Read::of(event, &zones, &mut findings)).collect();
        series.extend(together::series(read));
    }
    (Agenda::new(series), findings.into_vec())
}
