//! Waiting: `wait_template` and `wait_for_trigger`.

use crate::lang::import::home_assistant::expression::ANSWER;
use crate::lang::import::home_assistant::translate::condition::sure::sure;
use crate::lang::import::home_assistant::translate::trigger::kinds::{Triggers, marks};
use crate::lang::import::home_assistant::translate::work::{Answer, Work};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn wait_template(&mut self, node: &Node) -> Answer<Doc> {
        let Some(template) = node.get("wait_template") else { return self.refuse(node, "`wait_template` is missing") };
        let written = sure(self.template(template)?.trigger(), false);
        self.scope.waits = true;
        let until = Doc::inline([("until", Doc::text(written.text))]);
        self.with_timeout(node, until)
    }

    pub(in crate::lang::import::home_assistant::translate) fn wait_for_trigger(&mut self, node: &Node) -> Answer<Doc> {
        let Some(listed) = node.get("wait_for_trigger") else {
            return self.refuse(node, "`wait_for_trigger` is missing");
        };
        let mut triggers = Triggers::default();
        let mut docs = Vec::new();
        for (index, item) in listed.items().into_iter().enumerate() {
            let comments = self.take_comments(&item.place, false);
            let before = triggers.listed.len();
            self.trigger(item, &mut triggers)?;
            let given = item.get("id").and_then(Node::to_text);
            let mut ids = Vec::new();
            for started in triggers.listed.iter_mut().skip(before) {
                let own = std::mem::take(&mut started.fired.marks);
                let is_answer = own.values.contains_key(ANSWER);
                let id = own.id.or_else(|| given.clone()).or_else(|| is_answer.then(|| index.to_string()));
                started.fired.marks = marks(item, id.clone(), index);
                started.fired.marks.values.extend(own.values);
                ids.push(id);
            }
            if self.is_enabled(item) == Ok(false) {
                triggers.listed.truncate(before);
                continue;
            }
            let mut comments = comments;
            for (started, id) in triggers.listed.iter().skip(before).zip(&ids) {
                if started.guard.is_some() {
                    return self.refuse(item, "`not_to` and `not_from` have no counterpart in a wait");
                }
                let mut doc = started.doc.clone();
                if let (Doc::Inline(keys), Some(id)) = (&mut doc, id) {
                    keys.push(("id".to_owned(), Doc::text(id)));
                }
                docs.push(doc.noted(std::mem::take(&mut comments)));
            }
        }
        if triggers.computed.iter().any(|computed| computed.late.is_some()) {
            return self.refuse(node, "a `for` that is computed has no counterpart in a wait: write the time");
        }
        let awaited = match (docs.len(), triggers.computed.as_slice()) {
            (0, [computed]) if computed.hold.is_none() => {
                self.differ("a wait for a template ends at once here if it's true already; there it must become true");
                Doc::inline([("until", Doc::text(&computed.expression))])
            }
            (0, []) => return self.refuse(node, "nothing is waited for"),
            (1, []) => docs.remove(0),
            (_, []) => Doc::List(docs),
            _ => return self.refuse(node, "a template among several triggers of a wait has no counterpart"),
        };
        self.scope.awaited = triggers.listed.into_iter().map(|started| started.fired).collect();
        self.scope.waits = true;
        self.with_timeout(node, awaited)
    }

    /// Adds `timeout` and what happens then. Home Assistant goes on unless it's told to stop.
    pub(in crate::lang::import::home_assistant::translate) fn with_timeout(
        &mut self,
        node: &Node,
        awaited: Doc,
    ) -> Answer<Doc> {
        let mut keys = vec![("wait".to_owned(), awaited)];
        if let Some(timeout) = node.get("timeout").filter(|timeout| !timeout.is_null()) {
            keys.push(("timeout".to_owned(), Doc::text(self.duration(timeout)?)));
            let stops = node.get("continue_on_timeout").and_then(Node::as_bool) == Some(false);
            keys.push(("on_timeout".to_owned(), Doc::text(if stops { "stop" } else { "continue" })));
        }
        Ok(Doc::Inline(keys))
    }
}
