//! Expressions so simple that they need no interpreter: what most rules ask with each message (`msg.state == "ON"`, `room`,
//! `msg.n ?? 0`).
//!
//! Only scalars are answered here, and only where nothing can go wrong. Lists, maps, texts that are compared by size, and
//! all that Rhai refuses are left to Rhai: it alone says what is an error.

use rhai::{ASTFlags, Expr, FnCallExpr};

use crate::model::{Name, Value};

/// An expression that can be answered by looking.
#[derive(Debug)]
pub(in crate::script) enum Simple {
    /// A scalar that is written out.
    Literal(Value),
    /// A variable, or one of its keys.
    Read { variable: Name, key: Option<Name> },
    /// `a ?? b`
    Else(Box<[Simple; 2]>),
    /// `a == b` and the like.
    Compare(Comparison, Box<[Simple; 2]>),
    /// `a and b`
    All(Vec<Simple>),
    /// `a or b`
    Any(Vec<Simple>),
    /// `not a`
    Not(Box<Simple>),
}

/// What is asked of two values.
#[derive(Debug, Clone, Copy)]
pub(in crate::script) enum Comparison {
    Equal,
    Unequal,
    Less,
    Greater,
    NotGreater,
    NotLess,
}

impl Simple {
    /// Returns `expression` if it is simple.
    pub(in crate::script) fn of(expression: &Expr) -> Option<Simple> {
        Some(match expression {
            Expr::Unit(_) => Simple::Literal(Value::Null),
            Expr::BoolConstant(flag, _) => Simple::Literal(Value::Bool(*flag)),
            Expr::IntegerConstant(number, _) => Simple::Literal(Value::Int(*number)),
            Expr::FloatConstant(number, _) => Simple::Literal(Value::Float(**number)),
            Expr::StringConstant(text, _) => Simple::Literal(Value::text(text.as_str())),
            Expr::Variable(..) => Simple::Read { variable: variable(expression)?, key: None },
            Expr::Dot(chain, flags, _) if *flags == ASTFlags::empty() => {
                let Expr::Property(key, _) = &chain.rhs else { return None };
                Simple::Read { variable: variable(&chain.lhs)?, key: Some(key.2.as_str().into()) }
            }
            Expr::Coalesce(parts, _) => Simple::Else(Simple::pair(parts)?),
            Expr::And(parts, _) => Simple::All(parts.iter().map(Simple::of).collect::<Option<_>>()?),
            Expr::Or(parts, _) => Simple::Any(parts.iter().map(Simple::of).collect::<Option<_>>()?),
            Expr::FnCall(call, _) if call.is_operator_call() => Simple::of_operator(call)?,
            _ => return None,
        })
    }

    fn of_operator(call: &FnCallExpr) -> Option<Simple> {
        let comparison = match call.name.as_str() {
            "==" => Comparison::Equal,
            "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            ">" => Comparison::Greater,
            "<=" => Comparison::NotGreater,
            ">=" => Comparison::NotLess,
            "!" => {
                let [only] = call.args.as_slice() else { return None };
                return Some(Simple::Not(Box::new(Simple::of(only)?)));
            }
            _ => return None,
        };
        Some(Simple::Compare(comparison, Simple::pair(&call.args)?))
    }

    fn pair(parts: &[Expr]) -> Option<Box<[Simple; 2]>> {
        let [left, right] = parts else { return None };
        Some(Box::new([Simple::of(left)?, Simple::of(right)?]))
    }

    /// Returns its value, where the variables have those that they have; `None` where Rhai is to be asked.
    ///
    /// All is read, whether or not it decides: Rhai may refuse what it is given before it looks at it.
    pub(in crate::script) fn value(&self, variables: &dyn Fn(&str) -> Value) -> Option<Value> {
        match self {
            Simple::Literal(value) => Some(value.clone()),
            Simple::Read { variable, key: None } => Some(variables(variable)).filter(is_scalar),
            Simple::Read { variable, key: Some(key) } => {
                let Value::Map(entries) = variables(variable) else { return None };
                Some(entries.get(key).cloned().unwrap_or_default()).filter(is_scalar)
            }
            Simple::Else(parts) => {
                let [value, otherwise] = parts.each_ref().map(|part| part.value(variables));
                let (value, otherwise) = (value?, otherwise?);
                Some(if value.is_null() { otherwise } else { value })
            }
            Simple::Compare(comparison, parts) => {
                let [left, right] = parts.each_ref().map(|part| part.value(variables));
                comparison.holds(&left?, &right?).map(Value::Bool)
            }
            Simple::All(parts) => Simple::decide(parts, variables, false),
            Simple::Any(parts) => Simple::decide(parts, variables, true),
            Simple::Not(part) => match part.value(variables)? {
                Value::Bool(flag) => Some(Value::Bool(!flag)),
                _ => None,
            },
        }
    }

    /// Returns `decides` if one of the parts is that, else the opposite.
    fn decide(parts: &[Simple], variables: &dyn Fn(&str) -> Value, decides: bool) -> Option<Value> {
        let mut is_decided = false;
        for part in parts {
            let Value::Bool(flag) = part.value(variables)? else { return None };
            is_decided |= flag == decides;
        }
        Some(Value::Bool(is_decided == decides))
    }
}

impl Comparison {
    /// Returns whether it holds; `None` where values are ordered that aren't both numbers.
    fn holds(self, left: &Value, right: &Value) -> Option<bool> {
        let order = || match (left, right) {
            (Value::Int(left), Value::Int(right)) => Some(left.partial_cmp(right)),
            _ => Some(left.as_number()?.partial_cmp(&right.as_number()?)),
        };
        Some(match self {
            Comparison::Equal => left == right,
            Comparison::Unequal => left != right,
            Comparison::Less => order()?.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::Greater => order()?.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::NotGreater => order()?.is_some_and(std::cmp::Ordering::is_le),
            Comparison::NotLess => order()?.is_some_and(std::cmp::Ordering::is_ge),
        })
    }
}

fn variable(expression: &Expr) -> Option<Name> {
    match expression {
        // The time and the sun are made for each evaluation.
        Expr::Variable(variable, ..) if !matches!(variable.1.as_str(), "now" | "sun" | "inputs") => {
            variable.2.is_empty().then(|| variable.1.as_str().into())
        }
        _ => None,
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => true,
        Value::List(_) | Value::Map(_) | Value::Blob(_) | Value::Time(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};

    use proptest::prelude::*;

    use super::*;
    use crate::model::{PlacedText, RuleId};
    use crate::script::{Expression, Frame, Limits, Names, Reads, Sandbox, World};

    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(Limits::default()));

    const VARIABLES: [&str; 4] = ["msg", "room", "value", "memory"];

    fn any_read() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("msg.state".to_owned()),
            Just("msg.n".to_owned()),
            Just("memory.n".to_owned()),
            Just("room".to_owned()),
            Just("value".to_owned()),
            Just("msg".to_owned()),
            Just("msg.state ?? 'none'".to_owned()),
            Just("value ?? msg.n".to_owned()),
            prop_oneof![Just("1"), Just("1.0"), Just("-2"), Just("'ON'"), Just("true"), Just("()"), Just("'1'")]
                .prop_map(str::to_owned),
        ]
    }

    fn any_expression() -> impl Strategy<Value = String> {
        let operator = prop_oneof![Just("=="), Just("!="), Just("<"), Just(">"), Just("<="), Just(">=")];
        let comparison =
            (any_read(), operator, any_read()).prop_map(|(a, operator, b)| format!("(({a}) {operator} ({b}))"));
        let leaf = prop_oneof![4 => comparison, 2 => any_read()];
        leaf.prop_recursive(2, 8, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
                inner.prop_map(|a| format!("(not {a})")),
            ]
        })
    }

    fn any_payload() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just(""),
            Just("ON"),
            Just("1"),
            Just("1.0"),
            Just("1.5"),
            Just("true"),
            Just("\"1\""),
            Just("[1]"),
            Just("{}"),
            Just(r#"{"state":"ON","n":1}"#),
            Just(r#"{"state":true,"n":-2}"#),
            Just(r#"{"state":null,"n":1.0}"#),
            Just(r#"{"state":["ON"],"n":{"n":1}}"#),
        ]
    }

    fn evaluate(expression: &Expression, values: &[Value]) -> (Result<Value, String>, Reads) {
        let variables = |name: &str| {
            let place = VARIABLES.iter().position(|known| *known == name);
            place.map(|place| values[place].clone()).unwrap_or_default()
        };
        let mut reads = Reads::default();
        let rule = RuleId::new("test", "rule");
        let mut frame = Frame { rule: &rule, variables: &variables, entropy: 1, reads: &mut reads };
        let result = SANDBOX.evaluate(&mut World::default(), expression, &mut frame);
        (result.map_err(|failure| failure.message), reads)
    }

    #[test]
    fn what_rules_ask_with_each_message_is_simple() {
        let names = Names { variables: VARIABLES.map(Into::into).into(), ..Names::default() };
        for (text, is_simple) in [
            ("msg.state == 'ON'", true),
            ("room", true),
            ("msg.n ?? 0", true),
            ("msg.n > 21.5 and not (msg.state == 'OFF')", true),
            ("msg.a.b", false),
            ("msg?.state", false),
            ("msg.n + 1", false),
            ("now", false),
            ("now.hour > 7", false),
            ("exists('a')", false),
        ] {
            let expression = SANDBOX.compile(&PlacedText::whole_file(text, "rules/test.yaml"), &names).unwrap();
            assert_eq!(expression.code.simple.is_some(), is_simple, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_answer_is_that_of_rhai(expression in any_expression(), payloads in proptest::collection::vec(any_payload(), 4)) {
            let names = Names { variables: VARIABLES.map(Into::into).into(), ..Names::default() };
            let source = PlacedText::whole_file(expression.as_str(), "rules/test.yaml");
            let compiled = SANDBOX.compile(&source, &names);
            // `1 or …` is refused at load.
            prop_assume!(compiled.is_ok());
            let mut compiled = compiled.unwrap();
            let values: Vec<Value> = payloads.iter().map(|payload| Value::from_payload(payload.as_bytes())).collect();
            let (simple, simple_reads) = evaluate(&compiled, &values);
            Arc::get_mut(&mut compiled.code).unwrap().simple = None;
            let (rhai, rhai_reads) = evaluate(&compiled, &values);
            // As texts, so that `1` and `1.0` are two values.
            prop_assert_eq!(format!("{simple:?}"), format!("{rhai:?}"), "{} of {:?}", expression, payloads);
            prop_assert_eq!(simple_reads, rhai_reads);
        }
    }
}
