//! Actions: sequences, choices, loops and waits.

use crate::lang::Code;
use crate::lang::import::home_assistant::entities::payload_value;
use crate::lang::import::home_assistant::expression::{Kind, Written};
use crate::lang::import::home_assistant::translate::condition::kinds::{Condition, as_if};
use crate::lang::import::home_assistant::translate::condition::sure::sure as sure_or;
use crate::lang::import::home_assistant::translate::names::variable;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    /// Translates a list of actions. What can't be is left as a comment.
    pub(in crate::lang::import::home_assistant::translate) fn actions(&mut self, node: &Node) -> Vec<Doc> {
        let items = node.items();
        self.sequence(&items)
    }

    pub(in crate::lang::import::home_assistant::translate) fn sequence(&mut self, items: &[&Node]) -> Vec<Doc> {
        let mut docs = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut comments = self.take_comments(&item.place, false);
            if let Some(alias) = item.get("alias").and_then(Node::to_text)
                && item.get("condition").is_none()
            {
                comments.insert(0, alias);
            }
            if item.as_map().is_some() && !is_condition(item) && self.is_enabled(item) == Ok(false) {
                let mut lines = comments;
                self.take_comments(&item.place, true);
                lines.push("switched off in Home Assistant:".to_owned());
                lines.extend(crate::lang::import::home_assistant::translate::work::quoted_lines(
                    self.files,
                    &item.place,
                ));
                docs.push(Doc::Comment(lines));
                continue;
            }
            if is_condition(item) {
                let rest = items.get(index + 1..).unwrap_or_default();
                docs.extend(self.guarded(item, rest, comments));
                return docs;
            }
            let before = self.refused.len();
            let outer = self.secrets.replace(Vec::new());
            let outcome = self.action(item);
            let secrets = std::mem::replace(&mut self.secrets, outer).unwrap_or_default();
            comments.extend(self.take_comments(&item.place, true));
            match outcome {
                Ok(mut made) if self.refused.len() == before || made.iter().any(|doc| !doc.is_comment()) => {
                    if item.get("continue_on_error").and_then(Node::as_bool) == Some(true) {
                        for doc in &mut made {
                            add_key(doc, "on_error", Doc::text("continue"));
                        }
                    }
                    if !secrets.is_empty() {
                        made.insert(0, Doc::Map(vec![("let".to_owned(), Doc::Map(secrets))]));
                    }
                    match made.is_empty() {
                        true if comments.is_empty() => {}
                        true => docs.push(Doc::Comment(comments)),
                        false => {
                            let first = made.remove(0);
                            docs.push(first.noted(comments));
                            docs.extend(made);
                        }
                    }
                }
                Ok(_) | Err(_) => {
                    let mut lines = comments;
                    lines.extend(self.original(item));
                    docs.push(Doc::Comment(lines));
                }
            }
        }
        docs
    }

    /// A condition among actions ends its sequence where it doesn't hold: what follows it stands inside of it.
    pub(in crate::lang::import::home_assistant::translate) fn guarded(
        &mut self,
        item: &Node,
        rest: &[&Node],
        mut comments: Vec<String>,
    ) -> Vec<Doc> {
        let condition = match self.condition(item) {
            Ok(None) => return self.sequence(rest),
            Ok(Some(condition)) => condition.sure(),
            Err(_) => {
                comments.extend(self.original(item));
                let mut docs = vec![Doc::Comment(comments)];
                docs.extend(self.sequence(rest));
                return docs;
            }
        };
        comments.extend(self.take_comments(&item.place, true));
        if let Some(alias) = item.get("alias").and_then(Node::to_text) {
            comments.insert(0, alias);
        }
        let then = self.sequence(rest);
        if then.iter().all(Doc::is_comment) {
            return then;
        }
        let doc = Doc::Map(vec![("if".to_owned(), condition.doc()), ("then".to_owned(), block(then))]);
        vec![doc.noted(comments)]
    }

    /// Translates one action.
    pub(in crate::lang::import::home_assistant::translate) fn action(&mut self, node: &Node) -> Answer<Vec<Doc>> {
        self.within(Code::ACTION_NOT_TAKEN, |work| work.action_of_kind(node))
    }

    fn action_of_kind(&mut self, node: &Node) -> Answer<Vec<Doc>> {
        if node.as_map().is_none() {
            return self.refuse(node, "this isn't an action");
        }
        self.known_action_keys(node)?;
        let is_stop = node.get("stop").is_some();
        if node.get("response_variable").is_some() && is_stop {
            self.differ("what a script answers isn't known to who runs it here");
        }
        if node.get("response_variable").is_some() && !is_stop {
            return self
                .refuse(node, "`response_variable` has no counterpart: what an action answers isn't known here");
        }
        let has = |key: &str| node.get(key).is_some();
        if has("action") {
            self.call(node)
        } else if let Some(delay) = node.get("delay") {
            let text = self.duration(delay)?;
            Ok(if text == "0s" { Vec::new() } else { vec![Doc::inline([("delay", Doc::text(text))])] })
        } else if has("wait_template") {
            self.wait_template(node).map(|doc| vec![doc])
        } else if has("wait_for_trigger") {
            self.wait_for_trigger(node).map(|doc| vec![doc])
        } else if has("choose") {
            Ok(self.choose(node))
        } else if has("if") {
            self.if_then(node)
        } else if let Some(repeat) = node.get("repeat") {
            self.repeat(repeat).map(|doc| vec![doc])
        } else if let Some(branches) = node.get("parallel") {
            let lists: Vec<Doc> = branches.items().into_iter().map(|branch| list(self.actions(branch))).collect();
            Ok(vec![Doc::Map(vec![("parallel".to_owned(), Doc::List(lists))])])
        } else if let Some(inner) = node.get("sequence") {
            Ok(self.actions(inner))
        } else if let Some(reason) = node.get("stop") {
            let text = if reason.is_null() { String::new() } else { self.text(reason)? };
            if node.get("error").and_then(Node::as_bool) == Some(true) {
                self.differ("`stop` with `error: true` ends a run as failed there; here it is stopped");
            }
            Ok(vec![Doc::inline([("stop", Doc::text(if text.is_empty() { "stopped".to_owned() } else { text }))])])
        } else if let Some(variables) = node.get("variables") {
            self.set_variables(variables)
        } else if has("event") {
            self.fire_event(node).map(|doc| vec![doc])
        } else if has("device_id") {
            self.device_action(node)
        } else if has("set_conversation_response") {
            self.refuse(node, "`set_conversation_response` has no counterpart: there is no voice assistant here")
        } else {
            let keys: Vec<String> =
                node.as_map().unwrap_or_default().iter().map(|entry| entry.name().to_owned()).collect();
            let message = format!("an action with `{}` isn't one that Home Assistant knows", keys.join("`, `"));
            self.refuse(node, message)
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn choose(&mut self, node: &Node) -> Vec<Doc> {
        let mut options = Vec::new();
        for option in node.get("choose").map(Node::items).unwrap_or_default() {
            let mut comments = self.take_comments(&option.place, false);
            if let Some(alias) = option.get("alias").and_then(Node::to_text) {
                comments.insert(0, alias);
            }
            if self.complete_option(option).is_err() {
                continue;
            }
            let conditions = match option.get("conditions") {
                Some(conditions) => sure(self.conditions(conditions)),
                None => Vec::new(),
            };
            let then = option.get("sequence").map(|sequence| self.actions(sequence)).unwrap_or_default();
            let condition = as_if(&conditions).unwrap_or_else(|| Doc::text("true"));
            let doc = Doc::Map(vec![("if".to_owned(), condition), ("then".to_owned(), block(then))]);
            options.push(doc.noted(comments));
        }
        let default = node.get("default").map(|default| self.actions(default)).filter(|default| !default.is_empty());
        if options.is_empty() {
            return default.unwrap_or_default();
        }
        let mut keys = vec![("choose".to_owned(), Doc::List(options))];
        keys.extend(default.map(|default| ("else".to_owned(), block(default))));
        vec![Doc::Map(keys)]
    }

    pub(in crate::lang::import::home_assistant::translate) fn if_then(&mut self, node: &Node) -> Answer<Vec<Doc>> {
        let Some(asked) = node.get("if") else { return self.refuse(node, "`if` is missing") };
        let conditions = sure(self.conditions(asked));
        let Some(then) = node.get("then") else { return self.refuse(node, "`then` is missing") };
        let then = self.actions(then);
        let otherwise = node.get("else").map(|actions| self.actions(actions)).filter(|actions| !actions.is_empty());
        let Some(condition) = as_if(&conditions) else { return Ok(then) };
        let mut keys = vec![("if".to_owned(), condition), ("then".to_owned(), block(then))];
        let Some(otherwise) = otherwise else { return Ok(vec![Doc::Map(keys)]) };
        let otherwise = ("else".to_owned(), block(otherwise));
        // An `if` that is unknown does neither here; there it's false.
        if conditions.iter().any(|(_, condition)| condition.may_be_unknown()) {
            return Ok(vec![Doc::Map(vec![("choose".to_owned(), Doc::List(vec![Doc::Map(keys)])), otherwise])]);
        }
        keys.push(otherwise);
        Ok(vec![Doc::Map(keys)])
    }

    pub(in crate::lang::import::home_assistant::translate) fn repeat(&mut self, node: &Node) -> Answer<Doc> {
        self.complete_loop(node)?;
        let was_in_one = std::mem::replace(&mut self.scope.repeats, true);
        let kind = self.repeat_kind(node);
        let items = node.get("for_each").and_then(Node::as_list).unwrap_or_default();
        let mut has_template = false;
        for item in items {
            item.walk(&mut |part| has_template |= is_template(part));
        }
        let known = if has_template { Vec::new() } else { items.to_vec() };
        let turns = match node.get("count").filter(|count| !is_template(count)) {
            Some(count) => count.to_text().and_then(|count| count.trim().parse().ok()),
            None => node.get("for_each").and_then(Node::as_list).map(<[Node]>::len),
        };
        let before = std::mem::replace(&mut self.scope.items, known);
        let turns_before = std::mem::replace(&mut self.scope.turns, turns);
        let items = node.get("sequence").map(|sequence| self.actions(sequence)).unwrap_or_default();
        self.scope.repeats = was_in_one;
        self.scope.items = before;
        self.scope.turns = turns_before;
        let (word, value) = kind?;
        let kind = Doc::Map(vec![(word.to_owned(), value)]);
        let kind = match kind {
            Doc::Map(keys) if keys.iter().all(|(_, value)| !matches!(value, Doc::List(_))) => Doc::Inline(keys),
            other => other,
        };
        Ok(Doc::Map(vec![("repeat".to_owned(), kind), ("do".to_owned(), block(items))]))
    }

    pub(in crate::lang::import::home_assistant::translate) fn repeat_kind(
        &mut self,
        node: &Node,
    ) -> Answer<(&'static str, Doc)> {
        if let Some(count) = node.get("count") {
            if is_template(count) {
                let rendered = self.template(count)?;
                let number = rendered.expression();
                let text = match number.kind {
                    Kind::Int => number.text,
                    _ => format!("ha::int({})", number.text),
                };
                return Ok(("times", Doc::text(format!("${{{text}}}"))));
            }
            let whole = count.as_number().or_else(|| count.to_text()?.trim().parse().ok());
            return match whole.filter(|number| *number >= 0.0 && number.fract() == 0.0) {
                #[expect(clippy::cast_possible_truncation, reason = "nobody repeats that often")]
                Some(number) => Ok(("times", Doc::Value((number as i64).into()))),
                None => self.refuse(count, "`count` needs a whole number"),
            };
        }
        for word in ["while", "until"] {
            if let Some(asked) = node.get(word) {
                // What fails ends the loop there.
                let conditions = self.conditions(asked);
                let conditions = if word == "while" { sure(conditions) } else { ends(conditions) };
                return match as_if(&conditions) {
                    Some(doc) => Ok((if word == "while" { "while" } else { "until" }, doc)),
                    None => self.refuse(node, format!("`{word}` is empty")),
                };
            }
        }
        if let Some(list) = node.get("for_each") {
            if is_template(list) {
                let rendered = self.template(list)?;
                let written = rendered.expression();
                if rendered.constant().is_some() && written.kind == Kind::Text {
                    return self.refuse(list, "`for_each` needs a list");
                }
                return Ok(("each", Doc::text(format!("${{{}}}", written.text))));
            }
            if list.as_list().is_none() {
                return self.refuse(list, "`for_each` needs a list");
            }
            return Ok(("each", Doc::Value(self.data(list)?)));
        }
        self.refuse(node, "`repeat` needs `count`, `while`, `until` or `for_each`")
    }

    /// Translates `variables`, of actions and of automations.
    pub(in crate::lang::import::home_assistant::translate) fn set_variables(
        &mut self,
        node: &Node,
    ) -> Answer<Vec<Doc>> {
        let keys = self.variable_entries(node)?;
        Ok(if keys.is_empty() { Vec::new() } else { vec![Doc::Map(vec![("let".to_owned(), Doc::Map(keys))])] })
    }

    /// Returns the names and values of `variables`. What follows reads them.
    pub(in crate::lang::import::home_assistant::translate) fn variable_entries(
        &mut self,
        node: &Node,
    ) -> Answer<Vec<(String, Doc)>> {
        let Some(entries) = node.as_map() else { return self.refuse(node, "`variables` needs names with values") };
        let mut keys = Vec::new();
        for entry in entries {
            let Some(name) = variable(entry.name()) else {
                return self.refuse(&entry.key, format!("`{}` can't be the name of a variable here", entry.name()));
            };
            let mut written = Written::atom(&*name, Kind::Any);
            let value = if is_template(&entry.value) {
                let rendered = self.template(&entry.value)?;
                let expression = rendered.expression();
                written.kind = match expression.kind {
                    Kind::Bool | Kind::Int | Kind::Float | Kind::Number | Kind::List | Kind::Map => {
                        expression.kind.clone()
                    }
                    _ => Kind::Any,
                };
                match rendered.constant() {
                    Some(text) if !self.reassigned.contains(entry.name()) => {
                        let constant = Node::text_at(&entry.value.place, &text);
                        self.scope.constants.insert(entry.name().to_owned(), constant);
                    }
                    _ => {
                        if let Some(values) = expression.texts() {
                            written = Written::one_of(&name, &values, false);
                        }
                    }
                }
                rendered.value()
            } else {
                let mut has_template = false;
                entry.value.walk(&mut |part| has_template |= is_template(part));
                if !has_template && !self.reassigned.contains(entry.name()) {
                    self.scope.constants.insert(entry.name().to_owned(), entry.value.clone());
                    written.constant = entry.value.as_text().map(ToOwned::to_owned);
                }
                written.kind = match &entry.value.kind {
                    crate::lang::import::home_assistant::yaml::Kind::List(_) => Kind::List,
                    crate::lang::import::home_assistant::yaml::Kind::Map(_) => Kind::Map,
                    _ => written.kind,
                };
                if written.kind == Kind::Map && !has_template {
                    written.members = members(&entry.value);
                }
                self.data(&entry.value)?
            };
            self.scope.variables.insert(entry.name().to_owned(), written);
            keys.push((name, Doc::Value(value)));
        }
        Ok(keys)
    }

    pub(in crate::lang::import::home_assistant::translate) fn fire_event(&mut self, node: &Node) -> Answer<Doc> {
        let Some(event) = node.get("event").and_then(Node::to_text) else {
            return self.refuse(node, "`event` needs a name");
        };
        if node.get("event").is_some_and(is_template) {
            return self.refuse(node, "an event whose name is computed isn't translated");
        }
        if !self.names.events.contains(&event) {
            return self.refuse(node, format!("nothing in this configuration hears the event `{event}`, so firing it does nothing here: publish a message instead"));
        }
        let mut data = serde_json::Map::new();
        for key in ["event_data", "event_data_template"] {
            if let Some(serde_json::Value::Object(map)) = node.get(key).map(|data| self.data(data)).transpose()? {
                data.extend(map);
            }
        }
        let topic = crate::lang::import::home_assistant::translate::trigger::kinds::event_topic(&event);
        Ok(entries(vec![("publish", Doc::text(topic)), ("payload", Doc::Value(data.into()))]))
    }
}

/// Returns the members of a map that are all texts.
fn members(node: &Node) -> Option<Vec<(String, Written)>> {
    let entries = node.as_map()?.iter();
    entries.map(|entry| Some((entry.name().to_owned(), Written::constant(entry.value.as_text()?)))).collect()
}

/// Returns conditions of which those that fail are false.
fn sure(conditions: Vec<(Vec<String>, Condition)>) -> Vec<(Vec<String>, Condition)> {
    conditions.into_iter().map(|(comments, condition)| (comments, condition.sure())).collect()
}

/// Returns the conditions that end a loop: one alone that fails ends it, too.
fn ends(conditions: Vec<(Vec<String>, Condition)>) -> Vec<(Vec<String>, Condition)> {
    let is_alone = conditions.len() == 1;
    let end = |(comments, condition)| match condition {
        Condition::Expression(written) if is_alone => (comments, Condition::Expression(sure_or(written, true))),
        other => (comments, Condition::sure(other)),
    };
    conditions.into_iter().map(end).collect()
}

/// Returns whether an action is a condition.
fn is_condition(node: &Node) -> bool {
    node.get("condition").is_some()
}

/// Returns actions as a block: one alone stands alone. A block of comments alone does nothing.
pub(in crate::lang::import::home_assistant::translate) fn block(docs: Vec<Doc>) -> Doc {
    let docs = with_something(docs);
    if let [only] = docs.as_slice()
        && matches!(only, Doc::Inline(_) | Doc::Map(_))
    {
        return only.clone();
    }
    Doc::List(docs)
}

/// Returns actions as a list.
pub(in crate::lang::import::home_assistant::translate) fn list(docs: Vec<Doc>) -> Doc {
    Doc::List(with_something(docs))
}

fn with_something(mut docs: Vec<Doc>) -> Vec<Doc> {
    if docs.iter().all(Doc::is_comment) {
        docs.push(Doc::inline([("log", Doc::text("nothing to do here")), ("level", Doc::text("debug"))]));
    }
    docs
}

pub(in crate::lang::import::home_assistant::translate) fn add_key(doc: &mut Doc, key: &str, value: Doc) {
    match doc {
        Doc::Inline(keys) | Doc::Map(keys) => keys.push((key.to_owned(), value)),
        Doc::Noted(_, inner) => add_key(inner, key, value),
        _ => {}
    }
}

/// Returns a payload that is always the same as a value: JSON objects and lists as such.
pub(in crate::lang::import::home_assistant::translate) fn payload_doc(text: &str) -> Doc {
    match payload_value(text) {
        value @ (serde_json::Value::Object(_) | serde_json::Value::Array(_)) => {
            Doc::Value(crate::lang::import::home_assistant::translate::work::escaped(value))
        }
        _ => Doc::text(crate::lang::import::home_assistant::expression::escape(text)),
    }
}
