//! What was made of an automation: switched off as a whole if a part of it was refused.

use crate::lang::import::home_assistant::report::Reason;
use crate::lang::import::home_assistant::translate::rule::Made;
use crate::lang::import::home_assistant::translate::work::Work;
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Place;

impl Work<'_> {
    /// Returns what was made: switched off if a part was refused, so that nothing acts half.
    pub(in crate::lang::import::home_assistant::translate) fn made(
        &mut self,
        mut rules: Vec<(String, Doc)>,
        _key: &str,
    ) -> Made {
        for (id, attribute) in self.scope.home.take_left() {
            self.differ(format!("`{attribute}` of `{id}` is read from Home Assistant, which goes on saying it"));
        }
        if !self.refused.is_empty() {
            for (_, doc) in &mut rules {
                switch_off(doc);
            }
        }
        rules.append(&mut self.helpers);
        let placed = |(place, reason): &(_, Reason)| {
            let place: &Place = place;
            Reason::new(reason.code, format!("line {}: {}", place.line, reason.text))
        };
        let refused = self.refused.iter().map(placed).collect();
        Made { rules, differs: std::mem::take(&mut self.differs), refused }
    }
}

fn switch_off(doc: &mut Doc) {
    match doc {
        Doc::Noted(_, inner) => switch_off(inner),
        Doc::Map(keys) => {
            keys.retain(|(key, _)| key != "enabled");
            let at = keys
                .iter()
                .position(|(key, _)| !matches!(&**key, "name" | "description" | "tags"))
                .unwrap_or(keys.len());
            keys.insert(at, ("enabled".to_owned(), Doc::Value(false.into())));
        }
        _ => {}
    }
}
