//! What an expression reads of topics, and what it compares values with, as far as that is written out: for those who look at
//! a home without running it.

use rhai::{ASTNode, Expr, FnCallExpr};

use crate::model::Value;
use crate::script::functions::internal::{COPY, JOIN};
use crate::script::source::piece::Piece;
use crate::script::source::topic_call::{DEVICE_READERS, TOPIC_READERS, TopicCall};

use super::compiled::Expression;

/// What an expression reads of the home's topics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicMention {
    /// The function that reads it: `state`, `any`, `age`, …
    pub function: String,
    /// The text of the topic, or of a filter.
    pub topic: Vec<Piece>,
    /// Which part of the value, where that is written out.
    pub path: String,
    /// Whether it has a fallback for a missing value.
    pub is_optional: bool,
}

/// What a value is read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// A topic, or each of a filter.
    Topic(Vec<Piece>),
    /// The message that started the rule.
    Message,
    /// The value that the trigger is about.
    TriggerValue,
}

/// A value that is compared with a literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Where it comes from.
    pub read: Read,
    /// Which part of it: `a.b`.
    pub path: String,
    /// With what.
    pub with: Value,
    /// Whether it's asked if it's more or less, rather than equal.
    pub is_order: bool,
    /// Whether it's asked if it's something else.
    pub is_unequal: bool,
}

impl Expression {
    /// Returns what it reads of topics.
    #[must_use]
    pub fn topics(&self) -> Vec<TopicMention> {
        let mut found: Vec<TopicMention> = Vec::new();
        let mut optional: Vec<TopicMention> = Vec::new();
        self.each_expression(&mut |expression| match expression {
            Expr::FnCall(call, _) | Expr::MethodCall(call, _) => found.extend(mention(call)),
            Expr::Coalesce(parts, _) => parts.iter().take(parts.len().saturating_sub(1)).for_each(|part| {
                part.walk(&mut Vec::new(), &mut |path| {
                    if let Some(ASTNode::Expr(Expr::FnCall(call, _))) = path.last() {
                        optional.extend(mention(call));
                    }
                    true
                });
            }),
            _ => {}
        });
        for mention in &mut found {
            mention.is_optional |= optional.contains(mention);
        }
        found
    }

    /// Returns what the libraries that it calls say of topics.
    #[must_use]
    pub fn calls_of_libraries(&self) -> Vec<TopicCall> {
        self.code.libraries.iter().flat_map(|library| library.script.all_topic_calls()).collect()
    }

    /// Returns whether it reads devices, itself or by a library that it calls.
    #[must_use]
    pub fn reads_devices(&self) -> bool {
        let mut reads = self.code.libraries.iter().any(|library| library.script.speaks_of_devices());
        self.each_expression(&mut |expression| {
            if let Expr::FnCall(call, _) | Expr::MethodCall(call, _) = expression {
                reads |= DEVICE_READERS.contains(&call.name.as_str());
            }
        });
        reads
    }

    /// Returns the literals that values of topics are compared with.
    #[must_use]
    pub fn comparisons(&self) -> Vec<Compared> {
        let mut found = Vec::new();
        truth(&self.code.expression, &mut found);
        self.each_expression(&mut |expression| match expression {
            Expr::And(parts, _) | Expr::Or(parts, _) => parts.iter().for_each(|part| truth(part, &mut found)),
            Expr::FnCall(call, _) => compare(call, &mut found),
            _ => {}
        });
        found
    }

    /// Returns what it reads, where it's nothing else than a value of a topic, and which part of that.
    #[must_use]
    pub fn accesses(&self) -> Option<(Read, String)> {
        access(&self.code.expression)
    }

    /// Calls `see` with each expression within this one, those of its closures too.
    fn each_expression(&self, see: &mut dyn FnMut(&Expr)) {
        let mut note = |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(expression)) = path.last() {
                see(expression);
            }
            true
        };
        self.code.expression.walk(&mut Vec::new(), &mut note);
        for body in &self.code.bodies {
            body.walk(&mut Vec::new(), &mut note);
        }
    }
}

fn mention(call: &FnCallExpr) -> Option<TopicMention> {
    let function = call.name.as_str();
    if !TOPIC_READERS.contains(&function) || !call.namespace.is_empty() {
        return None;
    }
    let first = call.args.first()?;
    // Of a list, some of them are other functions.
    if matches!(first, Expr::Array(..)) {
        return None;
    }
    let path = if takes_path(call) { call.args.get(1).and_then(plain).unwrap_or_default() } else { String::new() };
    let is_optional =
        matches!((function, call.args.len()), ("state", 3) | ("exists" | "age" | "states" | "any" | "count", _));
    Some(TopicMention { function: function.to_owned(), topic: pieces(first), path, is_optional })
}

/// Returns whether the second argument of a call is a path.
fn takes_path(call: &FnCallExpr) -> bool {
    let arguments = call.args.len();
    match call.name.as_str() {
        "state" | "known" => arguments > 1,
        "times" | "duration" => arguments > 3,
        "average" | "median" | "lowest" | "highest" | "change" | "rise" | "fall" | "changes" | "integral" | "at" => {
            arguments > 2
        }
        _ => false,
    }
}

fn plain(expression: &Expr) -> Option<String> {
    match expression {
        Expr::StringConstant(text, _) => Some(text.to_string()),
        _ => None,
    }
}

/// Returns what a text is made of.
fn pieces(expression: &Expr) -> Vec<Piece> {
    match expression {
        Expr::StringConstant(text, _) => vec![Piece::Text(text.to_string())],
        Expr::Variable(variable, ..) => vec![Piece::Variable(variable.1.as_str().into())],
        Expr::InterpolatedString(parts, _) => parts.iter().flat_map(pieces).collect(),
        Expr::FnCall(call, _) => match (call.name.as_str(), call.args.as_slice()) {
            (JOIN, [Expr::Array(parts, _)]) => parts.iter().flat_map(pieces).collect(),
            (COPY, [only]) => pieces(only),
            ("+", parts) if call.is_operator_call() => parts.iter().flat_map(pieces).collect(),
            _ => vec![Piece::Unknown],
        },
        _ => vec![Piece::Unknown],
    }
}

/// Notes what is read where a boolean is wanted.
fn truth(expression: &Expr, found: &mut Vec<Compared>) {
    if let Some((read, path)) = access(expression) {
        found.push(Compared { read, path, with: Value::Bool(true), is_order: false, is_unequal: false });
    }
}

fn compare(call: &FnCallExpr, found: &mut Vec<Compared>) {
    if !call.namespace.is_empty() {
        return;
    }
    match (call.name.as_str(), call.args.as_slice()) {
        ("!", [only]) => truth(only, found),
        ("==" | "!=" | "<" | ">" | "<=" | ">=", [left, right]) if call.is_operator_call() => {
            let (is_order, is_unequal) = (!matches!(call.name.as_str(), "==" | "!="), call.name == "!=");
            for (one, other) in [(left, right), (right, left)] {
                if let Some((read, path)) = access(one) {
                    let with = literals(other).into_iter();
                    found.extend(with.map(|with| Compared {
                        read: read.clone(),
                        path: path.clone(),
                        with,
                        is_order,
                        is_unequal,
                    }));
                }
            }
        }
        ("any" | "all" | "count", [filter, wanted]) => {
            let read = Read::Topic(pieces(filter));
            for (path, with) in wanted_of(wanted) {
                found.push(Compared { read: read.clone(), path, with, is_order: false, is_unequal: false });
            }
        }
        ("times" | "duration", [topic, rest @ ..]) => {
            let read = Read::Topic(pieces(topic));
            let path = if rest.len() > 2 { rest.first().and_then(plain).unwrap_or_default() } else { String::new() };
            let value = rest.get(rest.len().saturating_sub(2)).and_then(literal);
            found.extend(value.map(|with| Compared { read, path, with, is_order: false, is_unequal: false }));
        }
        _ => {}
    }
}

/// Returns the values that a pattern names, each with its path.
fn wanted_of(expression: &Expr) -> Vec<(String, Value)> {
    match expression {
        Expr::Map(entries, _) => {
            let entry = |(key, value): &(rhai::Ident, Expr)| Some((key.as_str().to_owned(), literal(value)?));
            entries.0.iter().filter_map(entry).collect()
        }
        Expr::DynamicConstant(constant, _) => match constant.read_lock::<rhai::Map>() {
            Some(map) => {
                let entry = |(key, value): (&_, &rhai::Dynamic)| {
                    Some((String::from(AsRef::<str>::as_ref(key)), scalar(value)?))
                };
                map.iter().filter_map(entry).collect()
            }
            None => Vec::new(),
        },
        other => literal(other).map(|value| (String::new(), value)).into_iter().collect(),
    }
}

fn scalar(value: &rhai::Dynamic) -> Option<Value> {
    if let Ok(flag) = value.as_bool() {
        return Some(Value::Bool(flag));
    }
    if let Ok(number) = value.as_int() {
        return Some(Value::Int(number));
    }
    if let Ok(number) = value.as_float() {
        return Some(Value::Float(number));
    }
    value.clone().into_string().ok().map(Value::text)
}

/// Returns the value that is written out.
fn literal(expression: &Expr) -> Option<Value> {
    match expression {
        Expr::BoolConstant(flag, _) => Some(Value::Bool(*flag)),
        Expr::IntegerConstant(number, _) => Some(Value::Int(*number)),
        Expr::FloatConstant(number, _) => Some(Value::Float(**number)),
        Expr::StringConstant(text, _) => Some(Value::text(text.as_str())),
        _ => None,
    }
}

/// Returns the values that an operand may be: both of an `if`, too.
fn literals(expression: &Expr) -> Vec<Value> {
    if let Some(value) = literal(expression) {
        return vec![value];
    }
    let mut found = Vec::new();
    if let Expr::Stmt(_) = expression {
        expression.walk(&mut Vec::new(), &mut |path| {
            if let Some(ASTNode::Expr(inner)) = path.last() {
                found.extend(literal(inner).filter(|value| value.as_number().is_some()));
            }
            true
        });
    }
    found
}

/// Returns what an operand reads.
fn access(expression: &Expr) -> Option<(Read, String)> {
    match expression {
        Expr::Variable(variable, ..) => match variable.1.as_str() {
            "msg" | "payload" => Some((Read::Message, String::new())),
            "value" => Some((Read::TriggerValue, String::new())),
            _ => None,
        },
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => {
            let (read, path) = access(&chain.lhs)?;
            Some((read, join(&path, &steps(&chain.rhs)?)))
        }
        Expr::Coalesce(parts, _) => access(parts.first()?),
        Expr::FnCall(call, _) => match (call.name.as_str(), call.args.as_slice()) {
            (COPY | "number" | "round", [first, ..]) => access(first),
            ("state" | "known" | "average" | "median" | "lowest" | "highest" | "at", _) => {
                let mention = mention(call)?;
                Some((Read::Topic(mention.topic), mention.path))
            }
            _ => None,
        },
        _ => None,
    }
}

fn steps(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Property(name, _) => Some(name.2.to_string()),
        Expr::StringConstant(key, _) => Some(key.to_string()),
        Expr::IntegerConstant(index, _) => Some(format!("[{index}]")),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => Some(join(&steps(&chain.lhs)?, &steps(&chain.rhs)?)),
        _ => None,
    }
}

fn join(path: &str, rest: &str) -> String {
    if path.is_empty() || rest.starts_with('[') { format!("{path}{rest}") } else { format!("{path}.{rest}") }
}
