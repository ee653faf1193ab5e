//! The components of a file, as they stand in each other.

use super::component::Component;
use super::line::{Line, lines};
use crate::lang::Code;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::text::FileText;

/// How deep components may stand in each other.
const DEEPEST: usize = 16;

/// Returns the calendars of a file. Reports what isn't one.
pub(super) fn read(text: &FileText, findings: &mut Findings) -> Vec<Component> {
    let mut open: Vec<Component> = Vec::new();
    let mut calendars = Vec::new();
    for line in lines(text.as_str()) {
        match line {
            Ok(line) if line.name == "BEGIN" && open.len() < DEEPEST => {
                let name = line.raw.to_uppercase();
                open.push(Component { name, span: line.span, lines: Vec::new(), inner: Vec::new() });
            }
            Ok(line) if line.name == "END" => end(&line, &mut open, &mut calendars, findings),
            Ok(line) => match open.last_mut() {
                Some(component) => component.lines.push(line),
                None => not_a_line(line.span, findings),
            },
            Err(span) => not_a_line(span, findings),
        }
    }
    if let Some(component) = open.first() {
        let message = format!("`BEGIN:{}` is never ended: the file was cut off", component.name);
        findings.error(Code::BAD_CALENDAR, component.span.clone(), message);
    }
    calendars
}

fn end(line: &Line, open: &mut Vec<Component>, calendars: &mut Vec<Component>, findings: &mut Findings) {
    let name = line.raw.to_uppercase();
    let Some(component) = open.pop_if(|component| component.name == name) else {
        let message = format!("`END:{name}` ends nothing that has begun");
        findings.error(Code::BAD_CALENDAR, line.span.clone(), message);
        return;
    };
    match open.last_mut() {
        Some(outer) => outer.inner.push(component),
        None if component.name == "VCALENDAR" => calendars.push(component),
        None => not_a_line(component.span, findings),
    }
}

fn not_a_line(span: std::ops::Range<usize>, findings: &mut Findings) {
    // One such line is told: a file of another kind has nothing else.
    if !findings.has_errors() {
        let found = findings.error(Code::BAD_CALENDAR, span, "this line isn't part of an iCalendar file");
        found.help("each line is `NAME:value`, between `BEGIN:VCALENDAR` and `END:VCALENDAR`");
    }
}
