//! Helpers that compute: those that can't be computed here stay with Home Assistant.

use super::entities::Source;
use super::import::Importer;
use super::report::Reason;
use super::translate::{self, Helpers, RuleSource, Shared};

impl Importer<'_> {
    /// Leaves to Home Assistant what computes there and can't be computed here: who reads it, reads it there.
    pub(super) fn leave_computed(&mut self, helpers: &mut Helpers) {
        let derived = std::mem::take(&mut helpers.derived);
        for (index, id, key) in derived {
            let Some(helper) = self.configuration.helpers.get(index) else { continue };
            let is_ours =
                matches!(self.home.entities.get(&id).map(|entity| &entity.source), Some(Source::Derived { .. }));
            if !is_ours {
                continue;
            }
            let shared = Shared::default();
            let source =
                RuleSource { home: &self.home, names: &self.names, shared: &shared, files: &self.loader.files };
            let made = self.home.aside(|| translate::derived(source, &helper.node, &id, &key, Vec::new()));
            match made.refused.into_iter().next() {
                None => helpers.derived.push((index, id, key)),
                Some(reason) => {
                    let text = format!("{}. Home Assistant goes on computing it", reason.text);
                    helpers.refused.push((index, Reason::new(reason.code, text)));
                    self.home.entities.remove(&id);
                }
            }
        }
    }
}
