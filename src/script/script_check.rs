//! The walk over a script's syntax tree that finds calls of functions that don't exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::check::near_miss;
use super::compiled_script::Script;
use super::functions::{Arity, FUNCTIONS, arities};
use super::loading::ScriptFile;
use super::script_functions::{SCRIPT_FUNCTIONS, instead_of_in_script};
use super::source_tokens::{SourceKind, SourceTokens};
use super::{ScriptError, ScriptErrorKind as Kind};

/// What gives a changed text or list, and leaves the old one as it is.
const GIVING: [&str; 4] = ["sort", "reverse", "trim", "replace"];

/// Checks one script.
pub(super) struct ScriptChecker<'a> {
    file: &'a ScriptFile,
    script: &'a Arc<Script>,
    /// Its own functions, with how many arguments they take.
    own: BTreeMap<String, Vec<usize>>,
    errors: Vec<ScriptError>,
}

impl<'a> ScriptChecker<'a> {
    /// Returns what is wrong in `script`.
    pub(super) fn check(file: &'a ScriptFile, script: &'a Arc<Script>, ast: &rhai::AST) -> Vec<ScriptError> {
        let mut own: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for function in ast.iter_functions() {
            own.entry(function.name.to_owned()).or_default().push(function.params.len());
        }
        let mut checker = ScriptChecker { file, script, own, errors: Vec::new() };
        ast.walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                    checker.call(call, *position, 0);
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, position))) => checker.call(call, *position, 1),
                Some(ASTNode::Stmt(Stmt::Import(import, position))) if path.len() > 1 => {
                    let _ = import;
                    checker.report(
                        Kind::BadImport,
                        *position,
                        "an `import` stands at the top of a file".to_owned(),
                        None,
                    );
                }
                _ => {}
            }
            true
        });
        checker.unused();
        checker.errors.sort_by_key(|error| error.at.start);
        checker.errors
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, receivers: usize) {
        let name = call.name.as_str();
        let given = call.args.len() + receivers;
        if !call.namespace.is_empty() {
            self.imported(call, position);
            return;
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
        let known = FUNCTIONS.iter().chain(&SCRIPT_FUNCTIONS).filter(|function| function.name == name);
        let mut arities_of: Vec<(Arity, &str)> = known.map(|function| (function.arity, function.usage)).collect();
        if arities_of.iter().any(|(arity, _)| arity.allows(given)) {
            return;
        }
        let (message, help) = match arities_of.pop() {
            Some((arity, usage)) => {
                (format!("`{name}` takes {}, not {given}", arities(arity)), Some(format!("write `{usage}`")))
            }
            None => (format!("there is no function `{name}`"), self.help(name)),
        };
        self.report(Kind::UnknownFunction, position, message, help);
    }

    fn help(&self, name: &str) -> Option<String> {
        if let Some(help) = instead_of_in_script(name) {
            return Some(help.to_owned());
        }
        let known = FUNCTIONS.iter().chain(&SCRIPT_FUNCTIONS).map(|function| function.name);
        near_miss(name, known.chain(self.own.keys().map(String::as_str))).map(|near| format!("did you mean `{near}`?"))
    }

    /// Reports what gives a changed text or list that nobody takes: in Rhai itself, these change what they are called on.
    fn unused(&mut self) {
        let tokens = SourceTokens::new(&self.file.text);
        for index in 1..tokens.len() {
            let name = tokens.text(index);
            let is_call = tokens.text(index - 1) == "." && tokens.text(index + 1) == "(";
            if !is_call || !GIVING.contains(&name) || tokens.text(tokens.behind_bracket(index + 1)) != ";" {
                continue;
            }
            let is_chain = |index: &usize| {
                matches!(tokens.text(*index), "." | "?.") || tokens.kind(*index) == Some(SourceKind::Word)
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
                let near = near_miss(name, functions.iter().map(|(known, _)| *known));
                let help = near.map(|near| format!("did you mean `{alias}::{near}`?"));
                (format!("there is no function `{name}` in rules/{}.rhai", script.stem), help)
            }
        };
        self.report(Kind::UnknownFunction, position, message, help);
    }

    fn report(&mut self, kind: Kind, position: Position, message: String, help: Option<String>) {
        let at = self.script.offset(position).map_or(0..0, |offset| self.script.token_at(offset));
        let error = ScriptError { kind, file: Arc::clone(&self.file.file), at, message, help };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}
