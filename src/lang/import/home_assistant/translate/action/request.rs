//! Requests and programs: `rest_command` and `shell_command`.

use crate::lang::import::home_assistant::translate::names::variable;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn rest_command(
        &mut self,
        node: &Node,
        name: &str,
    ) -> Answer<Vec<Doc>> {
        let Some(command) = self.names.rest_commands.get(name).cloned() else {
            return self.refuse(node, format!("`rest_command.{name}` isn't in this configuration"));
        };
        if let Some((place, reason)) = command.broken() {
            let (place, reason) = (place.clone(), reason.clone());
            return self.refuse_at(place, reason);
        }
        let known = ["url", "method", "headers", "payload", "content_type", "timeout", "verify_ssl"];
        if let Some(entry) = command.as_map().unwrap_or_default().iter().find(|entry| !known.contains(&entry.name())) {
            let message = format!("`{}` of a `rest_command` has no counterpart: set the header yourself", entry.name());
            return self.refuse(node, message);
        }
        if command.get("verify_ssl").and_then(Node::as_bool) == Some(false) {
            return self.refuse(node, "`verify_ssl: false` has no counterpart: certificates are always checked here");
        }
        let before = self.scope.variables.clone();
        let mut lets = Vec::new();
        for entry in node.get("data").and_then(Node::as_map).unwrap_or_default() {
            let Some(name) = variable(entry.name()) else { continue };
            lets.push((name.clone(), Doc::Value(self.data(&entry.value)?)));
            self.scope.variables.insert(
                entry.name().to_owned(),
                crate::lang::import::home_assistant::expression::Written::atom(
                    name,
                    crate::lang::import::home_assistant::expression::Kind::Any,
                ),
            );
        }
        let mut secret = |work: &mut Self, value: &Node| -> Answer<String> {
            let is_secret = value.as_scalar().is_some_and(|scalar| scalar.secret.is_some());
            if !is_secret {
                return work.text(value);
            }
            let doc = work.secret_or_text(value)?;
            let name = format!("secret_{}", lets.len() + 1);
            lets.push((name.clone(), doc));
            Ok(format!("${{{name}}}"))
        };
        let method = command.get("method").and_then(Node::to_text).unwrap_or_else(|| "get".to_owned()).to_uppercase();
        let Some(url) = command.get("url") else { return self.refuse(node, "`url` is missing") };
        let mut keys =
            vec![("method".to_owned(), Doc::text(method)), ("url".to_owned(), Doc::text(secret(self, url)?))];
        let mut headers = Vec::new();
        if let Some(kind) = command.get("content_type") {
            headers.push(("Content-Type".to_owned(), Doc::text(secret(self, kind)?)));
        }
        for entry in command.get("headers").and_then(Node::as_map).unwrap_or_default() {
            headers.push((entry.name().to_owned(), Doc::text(secret(self, &entry.value)?)));
        }
        if !headers.is_empty() {
            keys.push(("headers".to_owned(), Doc::Inline(headers)));
        }
        if let Some(payload) = command.get("payload") {
            keys.push(("body".to_owned(), Doc::text(secret(self, payload)?)));
        }
        if let Some(timeout) = command.get("timeout") {
            keys.push(("timeout".to_owned(), Doc::text(self.duration(timeout)?)));
        }
        self.scope.variables = before;
        let mut docs = Vec::new();
        if !lets.is_empty() {
            docs.push(Doc::Map(vec![("let".to_owned(), Doc::Map(lets))]));
        }
        docs.push(Doc::Map(vec![("http".to_owned(), Doc::Inline(keys))]));
        Ok(docs)
    }

    pub(in crate::lang::import::home_assistant::translate) fn shell_command(
        &mut self,
        node: &Node,
        name: &str,
    ) -> Answer<Vec<Doc>> {
        let Some(command) = self.names.shell_commands.get(name).cloned() else {
            return self.refuse(node, format!("`shell_command.{name}` isn't in this configuration"));
        };
        let text = command.to_text().unwrap_or_default();
        if is_template(&command) || command.as_scalar().is_some_and(|scalar| scalar.secret.is_some()) {
            return self.refuse(node, format!("`shell_command.{name}` is computed, so it isn't translated: write a program, and `exec` with its arguments"));
        }
        if text.contains(['|', '>', '<', ';', '&', '$', '`', '*', '"', '\'', '\\', '~']) {
            return self.refuse(
                node,
                format!("`shell_command.{name}` needs a shell: put it into a program, and run that with `exec`"),
            );
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(program) = words.first() else { return self.refuse(node, format!("`shell_command.{name}` is empty")) };
        self.shared.exec.borrow_mut().insert((*program).to_owned());
        self.refuse(node, format!("`exec` may only run what homerule.yaml allows: add `allow: {{ exec: [{program}] }}`, and write `exec: [{}]` here", words.join(", ")))
    }
}
