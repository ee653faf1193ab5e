//! Targets: which entities an action is for.

use crate::lang::import::home_assistant::expression::{Kind, NOTHING, Translator, quoted};
use crate::lang::import::home_assistant::translate::action::finite::{Choice, finite};
use crate::lang::import::home_assistant::translate::action::flow::block;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Entry, Kind as NodeKind, Node};

const AT_THE_IMPORT: &str = "areas, labels, devices, groups and `all` mean the entities that were in them at the import, without hidden, configuration and diagnostic ones";

impl Work<'_> {
    /// Returns the entities of a call, groups of the configuration written out.
    pub(in crate::lang::import::home_assistant::translate) fn targets(&mut self, node: &Node) -> Answer<Vec<String>> {
        let Some(target) = node.get("target") else { return Ok(Vec::new()) };
        if is_template(target) {
            return self.refuse(target, "a `target` that is a template isn't translated");
        }
        let mut ids: Vec<String> = Vec::new();
        for entry in target.as_map().unwrap_or_default() {
            for item in entry.value.items() {
                if is_template(item) {
                    return self.refuse(item, format!("`{}` that is a template isn't translated", entry.name()));
                }
                let Some(text) = item.to_text() else { continue };
                match entry.name() {
                    "entity_id" if text == "none" => {}
                    "entity_id" if text == "all" => {
                        let domain = node.get("action").and_then(Node::to_text).unwrap_or_default();
                        let domain = domain.split('.').next().unwrap_or_default().to_owned();
                        let found = self.scope.home.registries.of_domain(&domain);
                        if found.is_empty() {
                            return self.refuse(item, format!("which entities `all` means isn't known: name them, or copy `.storage` with the registries beside the configuration, if there is a `{domain}` in it"));
                        }
                        self.shared.note(AT_THE_IMPORT);
                        ids.extend(found);
                    }
                    "entity_id" => ids.push(self.entity_id(item, &text)?),
                    key @ ("area_id" | "device_id" | "label_id" | "floor_id") => {
                        let Some(found) = self.scope.home.registries.expand(key, &text) else {
                            return self.refuse(item, format!("what `{key}: {text}` is isn't known: copy `.storage` with the registries beside the configuration, or name the entities"));
                        };
                        self.shared.note(AT_THE_IMPORT);
                        let domain = node.get("action").and_then(Node::to_text).unwrap_or_default();
                        let domain = domain.split('.').next().unwrap_or_default().to_owned();
                        let fits = |id: &String| domain == "homeassistant" || id.split('.').next() == Some(&domain);
                        ids.extend(found.into_iter().filter(fits));
                    }
                    other => return self.refuse(&entry.value, format!("`{other}` isn't a target")),
                }
            }
        }
        let mut written_out = Vec::new();
        for id in ids {
            match self.scope.home.entity(&id).source {
                crate::lang::import::home_assistant::entities::Source::Derived { members, .. }
                    if id.starts_with("group.") =>
                {
                    written_out.extend(members);
                }
                _ => written_out.push(id),
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        written_out.retain(|id| seen.insert(id.clone()));
        Ok(written_out)
    }

    /// Translates a call whose action or entities a template chooses: `choose` with one call for each.
    /// `None` if nothing of it is a template.
    pub(in crate::lang::import::home_assistant::translate) fn chosen(
        &mut self,
        node: &Node,
    ) -> Answer<Option<Vec<Doc>>> {
        let mut found: Option<(Vec<&'static str>, usize, Node)> = None;
        if let Some(action) = node.get("action").filter(|action| is_template(action)) {
            found = Some((vec!["action"], 0, action.clone()));
        } else if let Some(target) = node.get("target") {
            for key in ["entity_id", "area_id", "device_id"] {
                let items = target.get(key).map(Node::items).unwrap_or_default();
                if let Some((index, item)) = items.iter().enumerate().find(|(_, item)| is_template(item)) {
                    found = Some((vec!["target", key], index, (*item).clone()));
                    break;
                }
            }
        }
        let Some((path, index, template)) = found else { return Ok(None) };
        if let Some(constant) = self.constant_of(&template) {
            let replaced = replace(node, &path, index, &constant);
            return self.call(&replaced).map(Some);
        }
        let rendered = self.template(&template)?;
        let written = rendered.expression();
        let list = match &written.kind {
            Kind::States(ids) => Some(ids.clone()),
            Kind::List => of_list(&written.text),
            _ => None,
        };
        if let Some(ids) = list {
            let items = ids.iter().map(|id| Node::text_at(&template.place, id)).collect();
            let replaced = replace(node, &path, index, &Node::list_at(&template.place, items));
            return self.call(&replaced).map(Some);
        }
        if let Some(ids) = written.text.strip_prefix("random(").and_then(|text| of_list(text.strip_suffix(')')?)) {
            return self.at_random(node, (&path, index), &template, &ids).map(Some);
        }
        let scope = self.scope.clone();
        let translator = Translator::new(&scope);
        let Some(choices) = finite(&rendered, &|reading| translator.states_of_reading(reading)) else {
            let what = if path.first() == Some(&"action") { "the name of an action" } else { "an entity id" };
            return self.refuse(
                &template,
                format!(
                    "{what} that is computed from data isn't translated: choose among fixed ones, with `if` or `choose`"
                ),
            );
        };
        let mut options = Vec::new();
        let mut otherwise = None;
        for Choice { condition, text } in choices {
            let items = text.split(',').map(|id| Node::text_at(&template.place, id.trim())).collect::<Vec<_>>();
            let value = if path.first() == Some(&"action") {
                Node::text_at(&template.place, text.trim())
            } else {
                Node::list_at(&template.place, items)
            };
            let replaced = replace(node, &path, index, &value);
            let is_nothing = text.trim().is_empty() || text.contains(NOTHING);
            let docs = if is_nothing { Vec::new() } else { self.call(&replaced)? };
            match condition {
                Some(condition) => options
                    .push(Doc::Map(vec![("if".to_owned(), Doc::text(condition)), ("then".to_owned(), block(docs))])),
                None => {
                    otherwise = Some(docs);
                    break;
                }
            }
        }
        if options.is_empty() {
            return Ok(Some(otherwise.unwrap_or_default()));
        }
        let mut keys = vec![("choose".to_owned(), Doc::List(options))];
        keys.extend(otherwise.filter(|docs| !docs.is_empty()).map(|docs| ("else".to_owned(), block(docs))));
        Ok(Some(vec![Doc::Map(keys)]))
    }

    /// Translates a call for one of several entities, whichever comes.
    fn at_random(
        &mut self,
        node: &Node,
        (path, index): (&[&str], usize),
        template: &Node,
        ids: &[String],
    ) -> Answer<Vec<Doc>> {
        const PICKED: &str = "picked";
        let several: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
        let random = Doc::text(format!("${{random([{}])}}", several.join(", ")));
        let mut options = Vec::new();
        for (id, text) in ids.iter().zip(&several) {
            let value = Node::list_at(&template.place, vec![Node::text_at(&template.place, id)]);
            let value = if path.first() == Some(&"action") { Node::text_at(&template.place, id) } else { value };
            let docs = self.call(&replace(node, path, index, &value))?;
            let asked = Doc::text(format!("{PICKED} == {text}"));
            options.push(Doc::Map(vec![("if".to_owned(), asked), ("then".to_owned(), block(docs))]));
        }
        Ok(vec![
            Doc::Map(vec![("let".to_owned(), Doc::Inline(vec![(PICKED.to_owned(), random)]))]),
            Doc::Map(vec![("choose".to_owned(), Doc::List(options))]),
        ])
    }

    /// Returns what a template `{{ name }}` is, if it's a variable that is always the same.
    pub(in crate::lang::import::home_assistant::translate) fn constant_of(&self, node: &Node) -> Option<Node> {
        let text = node.as_text()?.trim();
        let name = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
        self.scope.constants.get(name).cloned()
    }
}

/// Returns the texts of a written list of constants.
fn of_list(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner
        .split(", ")
        .map(|part| {
            let part = part.strip_prefix('\'').and_then(|part| part.strip_suffix('\''))?;
            part.contains('.').then(|| part.to_owned())
        })
        .collect()
}

/// Returns `node` with `value` at the end of `path`; in a list, in place of its item.
fn replace(node: &Node, path: &[&str], index: usize, value: &Node) -> Node {
    let mut copy = node.clone();
    let Some((key, rest)) = path.split_first() else {
        if let NodeKind::List(items) = &mut copy.kind {
            let new = value.items().into_iter().cloned();
            if index < items.len() {
                items.splice(index..=index, new);
            }
            return copy;
        }
        return value.clone();
    };
    if let NodeKind::Map(entries) = &mut copy.kind {
        for Entry { key: name, value: inner } in entries.iter_mut() {
            if name.as_scalar().is_some_and(|scalar| &*scalar.text == *key) {
                *inner = replace(inner, rest, index, value);
            }
        }
    }
    copy
}
