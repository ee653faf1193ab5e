//! Decodes actions (docs/language/actions.md): finds out which one an item is, and reads those that have no actions
//! inside.

mod awaited;
mod flow;
mod notify;
mod publish;
mod snapshot;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::lang::diagnostic::near::Suggestion;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::file_span;
use crate::lang::reader::foreign::{Meant, Place};
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::lang::{Code, near};
use crate::model::{Name, Value};
use crate::rules::{Action, ActionKind, Block, BlockId, DurationTemplate, Exec, Http, LogLevel, OnDropped, OnError};
use crate::script::Template;

use crate::lang::rule_file::decoder::{Decoder, Grows};

/// The words that make a map an action.
const ACTION_WORDS: [&str; 26] = [
    "publish", "scene", "set", "input", "notify", "delay", "wait", "if", "choose", "repeat", "parallel", "let",
    "remember", "run", "enable", "disable", "cancel", "log", "http", "exec", "stop", "extend", "forget", "resume",
    "snapshot", "restore",
];

/// How long an HTTP request may take, unless the rule says.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a program may run, unless the rule says.
const EXEC_TIMEOUT: Duration = Duration::from_secs(30);

impl Decoder<'_> {
    /// Returns a list of actions, or a single one.
    pub(in crate::lang::rule_file) fn block(&mut self, node: &Node, path: &str) -> Option<BlockId> {
        let index = self.blocks.len();
        self.blocks.push(None);
        if node.is_null() {
            self.wrong_type(node, "an action, or a list of actions");
            return None;
        }
        let actions: Vec<Action> = match &node.kind {
            NodeKind::List(items) => {
                let each = items.iter().enumerate();
                each.filter_map(|(index, item)| self.action(item, &format!("{path}[{index}]"))).collect()
            }
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => {
                self.action(node, path).into_iter().collect()
            }
        };
        if let Some(slot) = self.blocks.get_mut(index) {
            *slot = Some(Block { path: path.into(), actions });
        }
        u32::try_from(index).ok().map(BlockId)
    }

    fn action(&mut self, node: &Node, path: &str) -> Option<Action> {
        let place = self.place(node);
        if let Some(closure) = node.as_closure() {
            let kind = self.closure(node, closure).map(ActionKind::Script);
            return Some(Action { kind: kind?, on_error: OnError::default(), path: path.into(), place });
        }
        let Some(entries) = node.as_map().filter(|entries| !entries.is_empty()) else {
            self.report_no_action(node);
            return None;
        };
        let runs = entries.iter().any(|entry| entry.key.as_str() == "run");
        // Beside `run`, `wait` says whether it is waited for.
        let is_word =
            |entry: &&Entry| ACTION_WORDS.contains(&entry.key.as_str()) && !(runs && entry.key.as_str() == "wait");
        let words: Vec<&Entry> = entries.iter().filter(is_word).collect();
        let what = match words.first() {
            Some(word) => format!("the action `{}`", word.key.as_str()),
            None => "a map of topics".to_owned(),
        };
        let mut fields = Fields::of(node, &what, &self.reader.text, &mut self.reader.findings)?.at(Place::Action);
        let known = [("continue", OnError::Continue), ("fail", OnError::Fail)];
        let on_error = fields.take("on_error").and_then(|node| self.word(node, &known)).unwrap_or_default();
        let kind = match words.as_slice() {
            [] => self.topics(entries),
            [word] if self.is_one_action(entries, word) => {
                let kind = self.action_kind(word.key.as_str(), &mut fields, path);
                fields.finish(&mut self.reader.findings);
                kind
            }
            [_] => None,
            [first, second, ..] => {
                self.report_two_actions(first, second);
                None
            }
        };
        Some(Action { kind: kind?, on_error, path: path.into(), place })
    }

    fn action_kind(&mut self, word: &str, fields: &mut Fields<'_>, path: &str) -> Option<ActionKind> {
        match word {
            "publish" => self.publish(fields),
            "scene" => self.scene(fields),
            "set" => self.set(fields),
            "input" => fields.take("input").and_then(|node| self.input_action(node)),
            "notify" => self.notify(fields),
            "delay" => fields.take("delay").and_then(|node| self.duration_template(node)).map(ActionKind::Delay),
            "wait" => self.wait(fields, path),
            "if" => self.if_action(fields, path),
            "choose" => self.choose(fields, path),
            "repeat" => self.repeat(fields, path),
            "parallel" => self.parallel(fields, path),
            "let" => fields.take("let").and_then(|node| self.variables(node, Grows::WithEach)).map(ActionKind::Let),
            "remember" => fields.take("remember").and_then(|node| self.memory(node)).map(ActionKind::Remember),
            "run" => {
                let rule = fields.take("run").and_then(|node| self.rule_reference(node));
                let with = fields.take("with").map_or(Some(Vec::new()), |node| self.variables(node, Grows::Not));
                let waits = fields.take("wait").map_or(Some(true), |node| self.flag(node));
                let known = [("continue", OnDropped::Continue), ("fail", OnDropped::Fail)];
                let on_dropped =
                    fields.take("on_dropped").map_or(Some(OnDropped::Fail), |node| self.word(node, &known));
                Some(ActionKind::Run { rule: rule?, with: with?, waits: waits?, on_dropped: on_dropped? })
            }
            "enable" => {
                let rule = fields.take("enable").and_then(|node| self.rule_reference(node));
                Some(ActionKind::Switch { rule: rule?, is_enabled: true })
            }
            "disable" => {
                let rule = fields.take("disable").and_then(|node| self.rule_reference(node));
                Some(ActionKind::Switch { rule: rule?, is_enabled: false })
            }
            "cancel" => fields.take("cancel").and_then(|node| self.rule_reference(node)).map(ActionKind::Cancel),
            "extend" => self.extend(fields),
            "forget" => fields.take("forget").and_then(|node| self.rule_reference(node)).map(ActionKind::Forget),
            "resume" => fields.take("resume").and_then(|node| self.rule_reference(node)).map(ActionKind::Resume),
            "snapshot" => self.snapshot(fields),
            "restore" => self.restore(fields),
            "log" => {
                let text = fields.take("log").and_then(|node| self.log_text(node));
                let level = fields.take("level").map_or(Some(LogLevel::Info), |node| self.level(node));
                Some(ActionKind::Log { text: text?, level: level? })
            }
            "http" => self.http(fields).map(ActionKind::Http),
            "exec" => self.exec(fields).map(ActionKind::Exec),
            _ => {
                let node = fields.take("stop")?;
                if node.is_null() {
                    return Some(ActionKind::Stop(Template::Constant(Value::text(""))));
                }
                self.text_template(node, "the reason").map(ActionKind::Stop)
            }
        }
    }

    /// Returns a map of topics as an action.
    fn topics(&mut self, entries: &[Entry]) -> Option<ActionKind> {
        let is_topic = |entry: &&Entry| entry.key.as_str() != "on_error";
        let wrong = entries.iter().filter(is_topic).filter(|entry| !entry.key.as_str().contains('/'));
        // The other keys of a misspelt action are probably right.
        let is_meant = |entry: &&Entry| {
            let key = entry.key.as_str();
            Place::Action.meant(key, &ACTION_WORDS).is_some() || near::nearest(key, ACTION_WORDS).is_some()
        };
        let misspelt = wrong.clone().find(is_meant);
        let reported: Vec<&Entry> = misspelt.map_or_else(|| wrong.collect(), |entry| vec![entry]);
        for entry in &reported {
            let key = entry.key.as_str();
            let near = || near::nearest(key, ACTION_WORDS).and_then(|_| near::suggestion(key, &ACTION_WORDS));
            let meant = Place::Action.meant(key, &ACTION_WORDS);
            let suggestion = match meant.map(Meant::suggestion).or_else(near) {
                Some(Suggestion { word: Some(word), help }) => Suggestion {
                    help: format!("{help} To publish to the topic `{key}`, write `publish: {key}`"),
                    word: Some(word),
                },
                Some(advice) => advice,
                None => Suggestion::advice(format!(
                    "to publish to the topic `{key}`, write `publish: {key}`; the actions are {}",
                    near::list(&ACTION_WORDS)
                )),
            };
            let message = format!("unknown action `{key}`");
            let found = self.findings.error(Code::UNKNOWN_ACTION, entry.key_span.clone(), message);
            found.suggest(file_span(&entry.key, 0..key.len()), Some(suggestion));
        }
        let messages = self.messages(entries.iter().filter(is_topic).filter(|entry| entry.key.as_str().contains('/')));
        messages.filter(|_| reported.is_empty()).map(ActionKind::Publish)
    }

    /// Returns whether there are no topics next to the action's word; they would be a second action.
    fn is_one_action(&mut self, entries: &[Entry], word: &Entry) -> bool {
        let Some(topic) = entries.iter().find(|entry| entry.key.as_str().contains('/')) else { return true };
        self.report_two_actions(word, topic);
        false
    }

    fn report_two_actions(&mut self, first: &Entry, second: &Entry) {
        let message = format!("this item has two actions, `{}` and `{}`", first.key.as_str(), second.key.as_str());
        let found = self.findings.error(Code::SEVERAL_ACTIONS, second.key_span.clone(), message);
        found.relate(first.key_span.clone(), "the first one is here");
        found.help("make them items of a list (`- …`), in the order in which they run");
    }

    fn report_no_action(&mut self, node: &Node) {
        let span = self.mark(node);
        let message = format!("expected an action (`publish: …`), found {}", node.describe());
        let text = node.as_scalar().map_or("", |scalar| scalar.text.as_str());
        let word = ACTION_WORDS.into_iter().find(|word| *word == text);
        let help = match word.or_else(|| near::nearest(text, ACTION_WORDS)) {
            Some(word) => format!("write `{word}: …`"),
            None => format!("use one of {}, or a map of topics to payloads", near::list(&ACTION_WORDS)),
        };
        self.findings.error(Code::UNKNOWN_ACTION, span, message).help(help);
    }

    /// Returns the names and values of `remember`: any text can be a name, since it's read as `memory.name`.
    fn memory(&mut self, node: &Node) -> Option<Vec<(Name, Template)>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of names and values");
            return None;
        };
        let values: Vec<_> =
            entries.iter().map(|entry| Some((Name::from(entry.key.as_str()), self.template(&entry.value)?))).collect();
        values.into_iter().collect()
    }

    fn log_text(&mut self, node: &Node) -> Option<Template> {
        if node.is_null() {
            self.wrong_type(node, "text");
            return None;
        }
        self.template(node)
    }

    fn level(&mut self, node: &Node) -> Option<LogLevel> {
        self.word(node, &LogLevel::ALL)
    }

    fn http(&mut self, fields: &mut Fields<'_>) -> Option<Http> {
        let node = fields.take("http")?;
        let what = "`http`";
        let mut fields = Fields::of(node, what, &self.reader.text, &mut self.reader.findings)?;
        let method = match fields.take("method") {
            Some(node) => self.text_template(node, "a method (`GET`, `POST`)"),
            None => Some(Template::Constant(Value::text("GET"))),
        };
        let url = fields.need("url", &self.reader.text);
        let url = url.and_then(|node| self.allowed_url(node));
        let headers = fields.take("headers").map_or(Some(Vec::new()), |node| self.headers(node));
        let body = fields.take("body").map(|node| self.template(node));
        let timeout = fields.take("timeout").map(|node| self.duration_template(node));
        fields.finish(&mut self.reader.findings);
        Some(Http {
            method: method?,
            url: url?,
            headers: headers?,
            body: crate::lang::rule_file::trigger::optional(body)?,
            timeout: crate::lang::rule_file::trigger::optional(timeout)?
                .unwrap_or(DurationTemplate::Fixed(HTTP_TIMEOUT)),
        })
    }

    fn headers(&mut self, node: &Node) -> Option<Vec<(Template, Template)>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of headers");
            return None;
        };
        let headers: Vec<_> = entries
            .iter()
            .map(|entry| {
                let name = self.key_template(entry);
                let value = self.text_template(&entry.value, "the text of a header");
                Some((name?, value?))
            })
            .collect();
        headers.into_iter().collect()
    }

    fn allowed_url(&mut self, node: &Node) -> Option<Template> {
        let url = self.text_template(node, "a URL")?;
        let Some(text) = url.as_constant().and_then(Value::as_text) else { return Some(url) };
        if self.context.allow.as_ref().is_none_or(|allow| allow.allows_url(text)) {
            return Some(url);
        }
        let message = format!("homerule.yaml doesn't allow requests to `{text}`");
        let found = self.reader.findings.error(Code::NOT_ALLOWED, node.span.clone(), message);
        found.help(format!("to allow it, add `allow: {{ http: [\"{text}\"] }}` there; `*` matches any text"));
        None
    }

    fn exec(&mut self, fields: &mut Fields<'_>) -> Option<Exec> {
        let node = fields.take("exec")?;
        let timeout = fields.take("timeout").map(|node| self.duration_template(node));
        let items = match &node.kind {
            NodeKind::List(items) if !items.is_empty() => items,
            _ => {
                self.wrong_type(node, "a list of a program and its arguments (`[say, \"${topic}\"]`)");
                return None;
            }
        };
        let command: Vec<_> = items.iter().map(|item| self.text_template(item, "a program or an argument")).collect();
        let command: Vec<Template> = command.into_iter().collect::<Option<_>>()?;
        if let (Some(program), Some(item)) = (command.first(), items.first())
            && let Some(text) = program.as_constant().and_then(Value::as_text)
            && let Some(allow) = &self.context.allow
            && !allow.exec.iter().any(|allowed| **allowed == *text)
        {
            let message = format!("homerule.yaml doesn't allow the program `{text}`");
            let found = self.reader.findings.error(Code::NOT_ALLOWED, item.span.clone(), message);
            found.help(format!("to allow it, add `allow: {{ exec: [{text}] }}` there"));
            return None;
        }
        let timeout =
            crate::lang::rule_file::trigger::optional(timeout)?.unwrap_or(DurationTemplate::Fixed(EXEC_TIMEOUT));
        Some(Exec { command, timeout })
    }
}

/// Returns the names that the `let` actions in a list of actions set.
pub(in crate::lang::rule_file) fn let_names(node: &Node) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    node.walk(&mut |node| {
        if let Some(entries) = node.get("let").and_then(Node::as_map) {
            names.extend(entries.iter().map(|entry| Arc::from(entry.key.as_str())));
        }
    });
    names
}
