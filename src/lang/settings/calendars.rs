//! `calendars`: the iCalendar files of the home, by the names that rules use.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::yaml::tree::Node;

impl Reader<'_> {
    /// Returns the files of calendars, by their names.
    pub(super) fn calendars(&mut self, node: &Node) -> BTreeMap<Arc<str>, Arc<str>> {
        let mut calendars = BTreeMap::new();
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of names to files (`bins: bins.ics`)");
            return calendars;
        };
        for entry in entries {
            let Some(path) = self.plain_text(&entry.value) else { continue };
            if path.trim().is_empty() || path.contains("://") {
                let message = format!("`{path}` isn't a file");
                let found = self.findings.error(Code::BAD_NAME, entry.value.span.clone(), message);
                found.help("name an iCalendar file of the home (`bins.ics`); a job may fetch it from elsewhere");
                continue;
            }
            calendars.insert(entry.key.as_str().into(), path.trim().into());
        }
        calendars
    }
}
