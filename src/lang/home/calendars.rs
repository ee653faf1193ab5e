//! The home's calendars, read from the files that the settings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file_text;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::{Code, Diagnostic, Sources, calendar_file};
use crate::model::agenda::Agendas;

/// Returns the calendars by their names. Reports those that can't be read, or only in part.
pub(super) fn read(
    sources: &Sources,
    paths: &BTreeMap<Arc<str>, Arc<str>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Agendas {
    let mut agendas = Agendas::new();
    for (name, path) in paths {
        let text = match sources.get(path) {
            Some(source) => file_text(path, source, diagnostics),
            None => {
                let mut findings = Findings::new(Arc::clone(path));
                let message = format!("there is no file `{path}`, which homerule.yaml names as the calendar `{name}`");
                findings.error(Code::UNREADABLE_FILE, 0..0, message);
                diagnostics.extend(findings.into_vec());
                None
            }
        };
        let agenda = text.map(|text| {
            let (agenda, found) = calendar_file::read(&text);
            diagnostics.extend(found);
            agenda
        });
        // What names it makes no second mistake.
        agendas.insert(Arc::clone(name), Arc::new(agenda.unwrap_or_default()));
    }
    agendas
}
