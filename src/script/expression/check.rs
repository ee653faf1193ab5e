//! The walk over Rhai's syntax tree that lets only expressions through, and finds what they name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rhai::{BinaryExpr, Position};
use rhai::{Expr, FnCallExpr, Stmt};

use crate::model::{Name, nearest};

use super::closures::{Closure, closures};
use super::error::{ExpressionError, ExpressionErrorKind as Kind};
use super::kinds::{Doubt, Kinds};
use super::mention::{CalendarMention, DeviceMention, InputMention, PastMention, RuleMention};
use super::names::PROPERTIES;
use super::names::{BUILT_IN_VARIABLES, EVENT, Names, SET_BY_A_MESSAGE};
use super::rewrite::Rewritten;
use super::syntax_error::no_filter;
use crate::script::functions::arguments::Mistake;
use crate::script::functions::elsewhere::instead_of;
use crate::script::functions::function::{Effect, Function};
use crate::script::functions::internal::{COPY, JOIN};
use crate::script::functions::table::{in_expression, in_expressions};
use crate::script::scripts::libraries::{Libraries, Library};
use crate::script::source::chain::token_at;
use crate::script::source::slips::instead_of_nothing;

/// What an expression names.
#[derive(Debug, Default)]
pub(in crate::script) struct Found {
    /// The variables that it reads.
    pub(in crate::script) variables: BTreeSet<Name>,
    /// For each variable of which it reads only properties: which.
    pub(in crate::script) properties: BTreeMap<Name, BTreeSet<Name>>,
    /// The variables that it reads as a whole.
    pub(in crate::script) whole: BTreeSet<Name>,
    /// The rules that it names in `holds()` and `running()`.
    pub(in crate::script) rules: Vec<RuleMention>,
    /// The calendars that it names.
    pub(in crate::script) calendars: Vec<CalendarMention>,
    /// What it asks of the past of topics.
    pub(in crate::script) past: Vec<PastMention>,
    /// The devices that it names.
    pub(in crate::script) devices: Vec<DeviceMention>,
    /// The inputs that it names.
    pub(in crate::script) inputs: Vec<InputMention>,
    /// The libraries whose functions it calls, by their names.
    pub(in crate::script) libraries: BTreeMap<Name, Library>,
    /// Whether it calls a function that reads the world.
    pub(in crate::script) reads_world: bool,
    /// Comparisons that never give anything else.
    pub(in crate::script) doubts: Vec<ExpressionError>,
    /// Whether there are closures in it.
    pub(in crate::script) has_closures: bool,
    /// What these give.
    pub(in crate::script) bodies: Vec<Stmt>,
}

/// Walks one expression.
pub(in crate::script) struct Checker<'a> {
    source: &'a str,
    rewritten: &'a Rewritten,
    names: &'a Names,
    libraries: &'a Libraries,
    closures: BTreeMap<String, Closure>,
    locals: Vec<String>,
    found: Found,
}

impl<'a> Checker<'a> {
    /// Checks what Rhai made of `source`, and returns it as one expression with what it names.
    pub(in crate::script) fn check(
        source: &'a str,
        rewritten: &'a Rewritten,
        names: &'a Names,
        libraries: &'a Libraries,
        ast: &rhai::AST,
    ) -> Result<(Expr, Found), ExpressionError> {
        let mut checker = Checker {
            source,
            rewritten,
            names,
            libraries,
            closures: closures(ast),
            locals: Vec::new(),
            found: Found::default(),
        };
        let expression = match ast.statements() {
            [Stmt::Expr(expression)] => (**expression).clone(),
            [Stmt::FnCall(call, position)] => Expr::FnCall(call.clone(), *position),
            statements => {
                let at = statements.get(1).map_or(0..source.len(), |second| checker.at(second.position()));
                return Err(no_expression(at, "an expression is one value, not a list of statements"));
            }
        };
        checker.expression(&expression)?;
        Ok((expression, checker.found))
    }

    fn at(&self, position: Position) -> Range<usize> {
        match self.rewritten.offset(position) {
            Some(offset) => token_at(self.source, offset),
            None => 0..self.source.len(),
        }
    }

    fn expression(&mut self, expression: &Expr) -> Result<(), ExpressionError> {
        match expression {
            Expr::Variable(variable, _, position) => {
                let (_, name, namespace, _) = &**variable;
                if !namespace.is_empty() {
                    let at = self.at(namespace.position());
                    return Err(unknown_function(at, format!("there is no library `{namespace}`")));
                }
                self.variable(name, *position)?;
                self.found.whole.insert(name.as_str().into());
                Ok(())
            }
            Expr::Array(items, _) | Expr::InterpolatedString(items, _) => {
                items.iter().try_for_each(|item| self.expression(item))
            }
            Expr::Map(entries, _) => entries.0.iter().try_for_each(|(_, value)| self.expression(value)),
            Expr::And(items, _) | Expr::Or(items, _) | Expr::Coalesce(items, _) => {
                items.iter().try_for_each(|item| self.expression(item))
            }
            Expr::Dot(chain, ..) => self.dot(expression, chain),
            Expr::Index(chain, ..) => {
                let key = match &chain.rhs {
                    Expr::StringConstant(key, _) => Some(key.as_str()),
                    Expr::Dot(rest, ..) | Expr::Index(rest, ..) => match &rest.lhs {
                        Expr::StringConstant(key, _) => Some(key.as_str()),
                        _ => None,
                    },
                    _ => None,
                };
                self.owner(&chain.lhs, key)?;
                self.expression(&chain.rhs)
            }
            Expr::MethodCall(call, position) => self.call(call, *position, 1),
            Expr::FnCall(call, position) => self.call(call, *position, 0),
            Expr::Stmt(block) => self.block(block.statements(), block.position()),
            Expr::ThisPtr(position) => Err(unknown_variable(self.at(*position), "`this` means nothing here")),
            Expr::DynamicConstant(constant, _) => match constant.read_lock::<rhai::FnPtr>() {
                Some(closure) => self.closure(closure.fn_name(), 0),
                None => Ok(()),
            },
            Expr::Custom(_, position) => Err(no_expression(self.at(*position), "this isn't an expression")),
            _ => Ok(()),
        }
    }

    /// Checks `a.b…`: the whole `expression`, whose first `.` has `chain` on its sides.
    fn dot(&mut self, expression: &Expr, chain: &BinaryExpr) -> Result<(), ExpressionError> {
        let first = match &chain.rhs {
            Expr::Dot(rest, ..) | Expr::Index(rest, ..) => &rest.lhs,
            only => only,
        };
        let property = match first {
            Expr::Property(property, position) => Some((property.2.as_str(), *position)),
            _ => None,
        };
        self.owner(&chain.lhs, property.map(|(name, _)| name))?;
        if let (Expr::Variable(variable, ..), Some((name, position))) = (&chain.lhs, property) {
            self.property(&variable.1, name, position)?;
        }
        self.note_property(&chain.lhs, property);
        let kinds = Kinds { texts: &self.names.texts, event: None, hidden: &self.locals };
        if let Some((name, position)) = kinds.lost_property(expression) {
            let message = format!("`payload` is the message's text, which has no `{name}`");
            let help = format!("its value is `msg`: write `msg.{name}`");
            return Err(unknown_variable(self.at(position), message).help(help));
        }
        self.expression(&chain.rhs)
    }

    /// Checks what stands before a `.` or `[`, of which only `property` is read; `None`: all of it.
    fn owner(&mut self, owner: &Expr, property: Option<&str>) -> Result<(), ExpressionError> {
        let (Expr::Variable(variable, _, position), Some(property)) = (owner, property) else {
            return self.expression(owner);
        };
        let (_, name, namespace, _) = &**variable;
        if !namespace.is_empty() {
            return self.expression(owner);
        }
        self.variable(name, *position)?;
        self.found.properties.entry(name.as_str().into()).or_default().insert(property.into());
        Ok(())
    }

    /// Checks that the built-in variable `owner` has the property, where it is known which it has.
    fn property(&self, owner: &str, name: &str, position: Position) -> Result<(), ExpressionError> {
        let is_own = self.names.variables.contains(owner);
        let known = PROPERTIES.iter().find(|(built_in, _)| *built_in == owner && !is_own).map(|(_, known)| *known);
        let Some(known) = known.filter(|known| !known.contains(&name) && !self.is_local(owner)) else {
            return Ok(());
        };
        let error = unknown_variable(self.at(position), format!("`{owner}` has no `{name}`"));
        Err(error.meant(nearest(name, known.iter().copied()), || {
            format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }))
    }

    /// Notes which property is read of a device, or which input.
    fn note_property(&mut self, owner: &Expr, property: Option<(&str, Position)>) {
        let Some((name, position)) = property else { return };
        let at = self.at(position);
        match owner {
            Expr::FnCall(call, _) if call.name == "device" => {
                if let (Some(mention), [Expr::StringConstant(..)]) = (self.found.devices.last_mut(), &*call.args) {
                    mention.property = Some((name.into(), at));
                }
            }
            Expr::Variable(variable, ..) if variable.1 == "inputs" && !self.is_local("inputs") => {
                self.found.inputs.push(InputMention { input: name.into(), at });
            }
            _ => {}
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| local == name)
    }

    fn variable(&mut self, name: &str, position: Position) -> Result<(), ExpressionError> {
        if self.is_local(name) {
            return Ok(());
        }
        if self.names.contains(name) {
            self.found.variables.insert(name.into());
            return Ok(());
        }
        let at = self.at(position);
        if self.names.no_message && SET_BY_A_MESSAGE.contains(&name) {
            let message = format!("`{name}` has no value here, because no message starts a rule with `while`");
            return Err(unknown_variable(at, message).help("to read a topic, write `state('home/hall/motion')`"));
        }
        if self.names.unset.contains(name) {
            let message = format!("nothing sets `{name}` before this is asked");
            let help = if name == EVENT {
                "`event` is there where a trigger `calendar: …` has started the rule; a message is `msg`".to_owned()
            } else {
                format!("`{name}` is there after an action `{name}: …`")
            };
            return Err(unknown_variable(at, message).help(help));
        }
        if in_expression(name).is_some() {
            return Err(unknown_variable(at, format!("`{name}` is a function: write `{name}(…)`")));
        }
        if let Some(help) = instead_of_nothing(name) {
            return Err(error(Kind::Syntax, at, format!("`{name}` isn't a value here; {help}")));
        }
        let error = unknown_variable(at, format!("nothing is named `{name}`"));
        let known = BUILT_IN_VARIABLES
            .iter()
            .copied()
            .chain(self.names.variables.iter().map(AsRef::as_ref))
            .chain(self.locals.iter().map(String::as_str));
        Err(error.meant(nearest(name, known), || format!("put text in quotes: `'{name}'`")))
    }

    /// Checks a call, of which `receivers` arguments stand before the `.`.
    fn call(&mut self, call: &FnCallExpr, position: Position, receivers: usize) -> Result<(), ExpressionError> {
        if !call.namespace.is_empty() {
            self.library_call(call, position)?;
            return call.args.iter().try_for_each(|argument| self.expression(argument));
        }
        if call.name == "curry" && Self::is_capture(call) {
            return self.capture(call);
        }
        if call.name == "|" && call.is_operator_call() {
            self.filter(call, position)?;
        }
        self.doubt(call, position);
        let is_ours = call.is_operator_call() || call.name == JOIN || call.name == COPY;
        if !is_ours || receivers > 0 {
            self.function(call, position, receivers)?;
        }
        call.args.iter().try_for_each(|argument| self.expression(argument))
    }

    /// Reports `x | round(1)`, with which other systems call a function.
    fn filter(&self, call: &FnCallExpr, position: Position) -> Result<(), ExpressionError> {
        let name = match call.args.get(1) {
            Some(Expr::FnCall(filter, _)) if !filter.is_operator_call() => filter.name.as_str(),
            Some(Expr::Variable(variable, ..)) if !self.is_local(&variable.1) && !self.names.contains(&variable.1) => {
                variable.1.as_str()
            }
            _ => return Ok(()),
        };
        let help = match name {
            "default" => "for a default, write `x ?? 0`".to_owned(),
            "int" | "float" => "a payload with a number in it is read as a number already".to_owned(),
            _ => match in_expression(name) {
                Some(function) => format!("write `{}`", function.usage),
                None => format!("a function is called as `{name}(x)`"),
            },
        };
        Err(no_filter(self.at(position), name, help))
    }

    fn function(&mut self, call: &FnCallExpr, position: Position, receivers: usize) -> Result<(), ExpressionError> {
        let name = call.name.as_str();
        let at = self.at(position);
        let Some(function) = in_expression(name) else {
            return Err(self.no_function(name, at));
        };
        let given = call.args.len() + receivers;
        if !function.arity.allows(given) || call.capture_parent_scope {
            let message = format!("`{name}` takes {}, not {given}", function.arity.in_words());
            return Err(unknown_function(at, message).help(format!("write `{}`", function.usage)));
        }
        self.found.reads_world |= function.effect == Effect::Reads;
        if name == "holds" && given == 0 {
            self.found.rules.push(RuleMention { rule: None, at, is_holds: true });
        }
        if receivers == 0 {
            self.literal_arguments(function, call)?;
        }
        Ok(())
    }

    /// Checks a call of a function of rules/lib, which may change nothing.
    fn library_call(&mut self, call: &FnCallExpr, position: Position) -> Result<(), ExpressionError> {
        let namespace = call.namespace.to_string();
        let Some(library) = self.libraries.find(&namespace) else {
            let at = self.at(call.namespace.position());
            if self.libraries.is_broken(&namespace) {
                let help = format!("see what is wrong in `rules/lib/{namespace}.rhai`");
                return Err(unknown_function(at, format!("the library `{namespace}` doesn't load")).help(help));
            }
            let known = self.libraries.names();
            let near = nearest(&namespace, known.iter().map(AsRef::as_ref));
            let help = near.map_or_else(
                || format!("a function of `rules/lib/{namespace}.rhai` is called so, and there is no such file"),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(unknown_function(at, format!("there is no library `{namespace}`")).help(help));
        };
        let (name, given) = (call.name.as_str(), call.args.len());
        let at = self.at(position);
        let functions: Vec<(&str, usize)> = library.script.functions().collect();
        if !functions.contains(&(name, given)) {
            if let Some((_, takes)) = functions.iter().find(|(known, _)| *known == name) {
                let message = format!("`{namespace}::{name}` takes {takes} arguments, not {given}");
                return Err(unknown_function(at, message));
            }
            let mut error =
                unknown_function(at, format!("there is no function `{name}` in rules/lib/{namespace}.rhai"));
            error.help = nearest(name, functions.iter().map(|(known, _)| *known))
                .map(|near| format!("did you mean `{namespace}::{near}`?"));
            return Err(error);
        }
        if let Some(acts) = library.acts_by(name, given) {
            let message = format!("`{namespace}::{name}` calls `{acts}`: an expression changes nothing");
            return Err(no_expression(at, message).help("call it in a closure of a script"));
        }
        self.found.reads_world = true;
        self.found.libraries.insert(Name::clone(&library.name), library);
        Ok(())
    }

    fn no_function(&self, name: &str, at: Range<usize>) -> ExpressionError {
        if self.names.contains(name) || self.is_local(name) {
            return unknown_function(at, format!("`{name}` is a variable, not a function: write it without `(…)`"));
        }
        let mut error = unknown_function(at, format!("there is no function `{name}`"));
        error.help = instead_of(name).map(str::to_owned).or_else(|| {
            nearest(name, in_expressions().map(|function| function.name)).map(|near| format!("did you mean `{near}`?"))
        });
        error
    }

    /// Checks what is written out, and notes the rules that are named.
    fn literal_arguments(&mut self, function: &Function, call: &FnCallExpr) -> Result<(), ExpressionError> {
        if let (
            "holds" | "running" | "remaining" | "enabled" | "last_run",
            Some(Expr::StringConstant(text, position)),
        ) = (call.name.as_str(), call.args.first())
        {
            let is_holds = call.name == "holds";
            self.found.rules.push(RuleMention { rule: Some(text.as_str().into()), at: self.at(*position), is_holds });
        }
        let whole = 0..self.source.len();
        if let Some((name, position)) = CalendarMention::of(call) {
            let at = self.at(position);
            self.found.calendars.push(CalendarMention { name, at });
        }
        self.found.past.extend(PastMention::of(&call.name, &call.args, whole));
        if let ("device", Some(Expr::StringConstant(text, position))) = (call.name.as_str(), call.args.first()) {
            let at = self.at(*position);
            self.found.devices.push(DeviceMention { device: text.as_str().into(), at, property: None });
        }
        match function.mistakes(&call.args).into_iter().next() {
            Some(Mistake { kind, position, message, help }) => {
                Err(ExpressionError { kind, message, at: self.at(position), help, near: None })
            }
            None => Ok(()),
        }
    }

    /// Notes a comparison that never gives anything else.
    fn doubt(&mut self, call: &FnCallExpr, position: Position) {
        let kinds = Kinds { texts: &self.names.texts, event: None, hidden: &self.locals };
        if let Some(Doubt { position, message, help }) = kinds.doubt(call, position) {
            let at = self.at(position);
            self.found.doubts.push(ExpressionError { kind: Kind::NeverEqual, message, at, help, near: None });
        }
    }

    fn block(&mut self, statements: &[Stmt], position: Position) -> Result<(), ExpressionError> {
        let mut values = 0;
        for statement in statements {
            match statement {
                Stmt::Share(_) | Stmt::Noop(_) => continue,
                Stmt::Expr(expression) => self.expression(expression)?,
                Stmt::FnCall(call, position) => self.call(call, *position, 0)?,
                Stmt::If(flow, position) => {
                    self.expression(&flow.expr)?;
                    if flow.branch.is_empty() {
                        return Err(no_expression(self.at(*position), "an `if` that gives a value needs its `else`"));
                    }
                    self.block(flow.body.statements(), flow.body.position())?;
                    self.block(flow.branch.statements(), flow.branch.position())?;
                }
                other => {
                    return Err(no_expression(
                        self.at(other.position()),
                        "this is a statement; an expression is one value",
                    ));
                }
            }
            values += 1;
        }
        match values {
            1 => Ok(()),
            0 => Err(no_expression(self.at(position), "a value is missing between `{` and `}`")),
            _ => Err(no_expression(self.at(position), "`{ … }` holds one value here, not a list of statements")),
        }
    }

    /// Returns whether a call is what Rhai makes of a closure that reads variables around it.
    fn is_capture(call: &FnCallExpr) -> bool {
        matches!(call.args.first(), Some(Expr::DynamicConstant(constant, _)) if constant.is_fnptr())
    }

    fn capture(&mut self, call: &FnCallExpr) -> Result<(), ExpressionError> {
        let Some(Expr::DynamicConstant(constant, _)) = call.args.first() else { return Ok(()) };
        let name = constant.read_lock::<rhai::FnPtr>().map(|closure| closure.fn_name().to_owned());
        for captured in call.args.iter().skip(1) {
            if let Expr::Variable(variable, ..) = captured {
                self.found.whole.insert(variable.1.as_str().into());
            }
        }
        self.closure(&name.unwrap_or_default(), call.args.len().saturating_sub(1))
    }

    /// Checks the body of a closure, whose first `captured` parameters are variables around it.
    fn closure(&mut self, name: &str, captured: usize) -> Result<(), ExpressionError> {
        self.found.has_closures = true;
        let Some(closure) = self.closures.get(name).cloned() else {
            return Err(unknown_function(0..self.source.len(), format!("there is no function `{name}`")));
        };
        self.found.bodies.push(closure.body.clone());
        let before = self.locals.len();
        self.locals.extend(closure.parameters.into_iter().skip(captured));
        let result = self.block(std::slice::from_ref(&closure.body), Position::NONE);
        self.locals.truncate(before);
        result
    }
}

fn error(kind: Kind, at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { kind, message: message.into(), at, help: None, near: None }
}

fn no_expression(at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    error(Kind::NotAnExpression, at, message)
}

fn unknown_variable(at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    error(Kind::UnknownVariable, at, message)
}

fn unknown_function(at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    error(Kind::UnknownFunction, at, message)
}
