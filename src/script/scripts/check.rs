//! The walk over a script's syntax tree that finds calls of functions that don't exist.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::error::{ScriptError, ScriptErrorKind as Kind};
use super::script::Script;
use super::script_file::ScriptFile;
use crate::model::nearest;
use crate::script::expression::error::ExpressionErrorKind;
use crate::script::expression::kinds::{Doubt, Kinds};
use crate::script::expression::mention::{CalendarMention, PastMention};
use crate::script::functions::arguments::Mistake;
use crate::script::functions::elsewhere::instead_of_in_script;
use crate::script::functions::function::Function;
use crate::script::functions::table::{functions, rows};
use crate::script::source::file_tokens::FileTokens;
use crate::script::source::token::TokenKind;

/// Checks one script.
pub(in crate::script) struct ScriptChecker<'a> {
    file: &'a ScriptFile,
    script: &'a Arc<Script>,
    /// Its own functions, with how many arguments they take.
    own: BTreeMap<String, Vec<usize>>,
    errors: Vec<ScriptError>,
    /// What it asks of the past of topics.
    past: Vec<PastMention>,
    /// The calendars that it names.
    calendars: Vec<CalendarMention>,
}

impl<'a> ScriptChecker<'a> {
    /// Returns what is wrong in `script`, what it asks of the past of topics, and the calendars that it names.
    pub(in crate::script) fn check(
        file: &'a ScriptFile,
        script: &'a Arc<Script>,
        ast: &rhai::AST,
    ) -> (Vec<ScriptError>, Vec<PastMention>, Vec<CalendarMention>) {
        let mut own: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for function in ast.iter_functions() {
            own.entry(function.name.to_owned()).or_default().push(function.params.len());
        }
        let mut checker =
            ScriptChecker { file, script, own, errors: Vec::new(), past: Vec::new(), calendars: Vec::new() };
        ast.walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                    checker.call(call, *position, 0);
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, position))) => checker.call(call, *position, 1),
                Some(ASTNode::Expr(chain @ Expr::Dot(..))) => checker.lost_property(chain),
                Some(ASTNode::Stmt(Stmt::Import(import, position))) if path.len() > 1 => {
                    let _ = import;
                    checker.report(
                        Kind::BadImport,
                        *position,
                        "an `import` goes at the top of a file".to_owned(),
                        None,
                    );
                }
                _ => {}
            }
            true
        });
        checker.unused();
        checker.empty_blocks();
        checker.open_comment();
        checker.errors.sort_by_key(|error| error.at.start);
        (checker.errors, checker.past, checker.calendars)
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, receivers: usize) {
        let name = call.name.as_str();
        let given = call.args.len() + receivers;
        if !call.namespace.is_empty() {
            self.imported(call, position);
            return;
        }
        if call.is_operator_call() {
            self.doubt(call, position);
        }
        if call.is_operator_call() || (name == "curry" && receivers == 0) || name == "call" && receivers == 1 {
            return;
        }
        if let Some(takes) = self.own.get(name) {
            // A method's `this` isn't among its parameters.
            if !takes.contains(&call.args.len()) && !takes.contains(&given) {
                let takes: Vec<String> = takes.iter().map(ToString::to_string).collect();
                let message = format!("`{name}` takes {} arguments, not {given}", takes.join(" or "));
                self.report(Kind::UnknownFunction, position, message, None);
            }
            return;
        }
        let fits: Vec<&Function> = rows(name).filter(|row| row.arity.allows(given)).collect();
        if !fits.is_empty() {
            if receivers == 0 {
                self.past.extend(PastMention::of(name, &call.args, 0..0));
                if let Some((name, at)) = CalendarMention::of(call) {
                    let at = self.place(if at.is_none() { position } else { at });
                    self.calendars.push(CalendarMention { name, at });
                }
                self.arguments(call, &fits);
            }
            return;
        }
        let (message, help) = match rows(name).last() {
            Some(row) => {
                let message = format!("`{name}` takes {}, not {given}", row.arity.in_words());
                (message, Some(format!("write `{}`", row.usage)))
            }
            None => (format!("there is no function `{name}`"), self.help(name)),
        };
        self.report(Kind::UnknownFunction, position, message, help);
    }

    /// Checks what is written out as an argument of a function, which is one of `rows`.
    fn arguments(&mut self, call: &FnCallExpr, rows: &[&Function]) {
        for Mistake { kind, position, message, help } in rows.iter().flat_map(|row| row.mistakes(&call.args)) {
            self.report(Kind::Argument(kind), position, message, help);
        }
        if rows.iter().any(|row| row.takes_texts()) {
            call.args.iter().for_each(|argument| self.texts(argument));
        }
    }

    /// Reports a text in which `${…}` stands as it is.
    fn texts(&mut self, argument: &Expr) {
        match argument {
            Expr::StringConstant(text, position) => {
                let code = text.split_once("${").and_then(|(_, rest)| rest.split_once('}'));
                if let Some((code, _)) = code {
                    let message = format!("`${{{code}}}` isn't filled in inside a text in `\"…\"`");
                    let help = "write the text in backticks: `` `home/${e.room}/set` ``".to_owned();
                    self.report(Kind::Syntax, *position, message, Some(help));
                }
            }
            Expr::Array(items, _) => items.iter().for_each(|item| self.texts(item)),
            Expr::Map(entries, _) => entries.0.iter().for_each(|(_, value)| self.texts(value)),
            Expr::FnCall(call, _) if call.is_operator_call() => call.args.iter().for_each(|part| self.texts(part)),
            _ => {}
        }
    }

    /// Reports a comparison that never gives anything else.
    fn doubt(&mut self, call: &FnCallExpr, position: Position) {
        let kinds = Kinds { texts: &BTreeSet::new(), event: Some(self.event_at(position)), hidden: &[] };
        if let Some(Doubt { position, message, help }) = kinds.doubt(call, position) {
            self.report(Kind::Argument(ExpressionErrorKind::NeverEqual), position, message, help);
        }
    }

    /// Reports what is read of the message's text as if it were its value.
    fn lost_property(&mut self, chain: &Expr) {
        let event = self.event_at(chain.start_position());
        let kinds = Kinds { texts: &BTreeSet::new(), event: Some(event), hidden: &[] };
        if let Some((name, position)) = kinds.lost_property(chain) {
            let message = format!("`{event}.payload` is the message's text, which has no `{name}`");
            let help = format!("its value is `msg`: write `{event}.msg.{name}`");
            self.report(Kind::Argument(ExpressionErrorKind::UnknownVariable), position, message, Some(help));
        }
    }

    /// Returns the parameter that is the event at `position`; nothing where there is none.
    fn event_at(&self, position: Position) -> &'a str {
        let offset = self.script.offset(position);
        offset.and_then(|offset| self.script.outline.event_at(&self.file.text, offset)).unwrap_or_default()
    }

    fn help(&self, name: &str) -> Option<String> {
        if let Some(help) = instead_of_in_script(name) {
            return Some(help.to_owned());
        }
        let known = functions().map(|function| function.name);
        nearest(name, known.chain(self.own.keys().map(String::as_str))).map(|near| format!("did you mean `{near}`?"))
    }

    /// Reports what gives a changed text or list that nobody takes: in Rhai itself, these change what they are called on.
    fn unused(&mut self) {
        let tokens = FileTokens::new(&self.file.text);
        for index in 1..tokens.len() {
            let name = tokens.text(index);
            let is_call = tokens.text(index - 1) == "." && tokens.text(index + 1) == "(";
            if !is_call
                || !rows(name).any(|row| row.gives_changed)
                || tokens.text(tokens.behind_bracket(index + 1)) != ";"
            {
                continue;
            }
            let is_chain = |index: &usize| {
                matches!(tokens.text(*index), "." | "?.") || tokens.kind(*index) == Some(TokenKind::Word)
            };
            let first = (0..index).rev().find(|index| !is_chain(index));
            let is_statement = first.is_none_or(|before| matches!(tokens.text(before), ";" | "{" | "}"));
            let words = first.map_or(0, |before| before + 1)..index;
            let is_kept = words.clone().any(|word| matches!(tokens.text(word), "return" | "throw"));
            if is_statement && !is_kept {
                let owner = words.start..index - 1;
                let owner: String = owner.map(|word| tokens.text(word)).collect();
                self.errors.push(ScriptError {
                    kind: Kind::UnknownFunction,
                    file: Arc::clone(&self.file.file),
                    at: tokens.range(index),
                    message: format!("`{name}` changes nothing: it gives what is changed"),
                    help: Some(format!("write `{owner} = {owner}.{name}(…)`")),
                });
            }
        }
    }

    /// Reports `{}` where a value is wanted: it is a block of code, which gives nothing.
    fn empty_blocks(&mut self) {
        let tokens = FileTokens::new(&self.file.text);
        for index in 1..tokens.len() {
            let is_value = matches!(tokens.text(index - 1), "(" | "," | ":" | "=" | "[");
            if is_value && tokens.text(index) == "{" && tokens.text(index + 1) == "}" {
                self.errors.push(ScriptError {
                    kind: Kind::Syntax,
                    file: Arc::clone(&self.file.file),
                    at: tokens.range(index).start..tokens.range(index + 1).end,
                    message: "`{}` is a block of code that gives nothing, not a map".to_owned(),
                    help: Some("an empty map is written `#{}`, and nothing `()`".to_owned()),
                });
            }
        }
    }

    /// Reports a comment that the file ends within: what stands in it is no code.
    fn open_comment(&mut self) {
        let tokens = FileTokens::new(&self.file.text);
        let end = tokens.range(tokens.len().saturating_sub(1)).end;
        let behind = if tokens.len() == 0 { 0 } else { end };
        let rest = self.file.text.get(behind..).unwrap_or_default();
        let Some(start) = rest.rfind("/*") else { return };
        let (before, comment) = rest.split_at(start);
        if comment.contains("*/") || before.rsplit('\n').next().is_some_and(|line| line.contains("//")) {
            return;
        }
        self.errors.push(ScriptError {
            kind: Kind::Syntax,
            file: Arc::clone(&self.file.file),
            at: behind + start..behind + start + 2,
            message: "the comment is never closed".to_owned(),
            help: Some("it ends with `*/`; a comment of one line begins with `//`".to_owned()),
        });
    }

    /// Checks a call of a function of an import.
    fn imported(&mut self, call: &FnCallExpr, position: Position) {
        let alias = call.namespace.root();
        let import = self.script.outline.imports().find(|(known, _)| *known == alias);
        let Some(script) = import.and_then(|(_, path)| self.script.imports.get(path)) else {
            let message = format!("nothing is imported as `{alias}`");
            self.report(Kind::UnknownFunction, position, message, None);
            return;
        };
        let name = call.name.as_str();
        let functions: Vec<(&str, usize)> = script.functions().collect();
        if functions.iter().any(|(known, parameters)| *known == name && *parameters == call.args.len()) {
            return;
        }
        let (message, help) = match functions.iter().find(|(known, _)| *known == name) {
            Some((_, takes)) => (format!("`{alias}::{name}` takes {takes} arguments, not {}", call.args.len()), None),
            None => {
                let near = nearest(name, functions.iter().map(|(known, _)| *known));
                let help = near.map(|near| format!("did you mean `{alias}::{near}`?"));
                (format!("there is no function `{name}` in rules/{}.rhai", script.stem), help)
            }
        };
        self.report(Kind::UnknownFunction, position, message, help);
    }

    fn place(&self, position: Position) -> Range<usize> {
        let at = self.script.offset(position).map_or(0..0, |offset| self.script.token_at(offset));
        within_quotes(&self.file.text, at)
    }

    fn report(&mut self, kind: Kind, position: Position, message: String, help: Option<String>) {
        let at = self.place(position);
        let error = ScriptError { kind, file: Arc::clone(&self.file.file), at, message, help };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

/// Returns what stands within the quotes of a text that is written at `at`; `at` itself where it is something else.
fn within_quotes(text: &str, at: Range<usize>) -> Range<usize> {
    let is_text = text
        .get(at.clone())
        .is_some_and(|written| written.len() > 2 && written.starts_with(['"', '`']) && written.ends_with(['"', '`']));
    if is_text { at.start + 1..at.end - 1 } else { at }
}
