//! The functions by which a closure commands devices.

use rhai::{Dynamic, Expr, Map, NativeCallContext};

use crate::model::Value;
use crate::script::evaluation::convert::{from_dynamic, kind};
use crate::script::evaluation::loan::Loan;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind as Kind;
use crate::script::functions::acting::command;
use crate::script::functions::arguments::{Call, Mistake};
use crate::script::functions::function::{Function, function};
use crate::script::scripts::command::Command;

type Done = Result<(), Refusal>;

/// The functions.
pub(in crate::script) static ROWS: [Function; 1] = [function(
    "set",
    2,
    3,
    "set(\"Hall lamp\", #{ on: true, brightness: 40 }, #{ if_changed: true })",
    "Commands a device, several (a list of names) or those that fit (`#{ area: \"hall\" }`).",
)
.acts()
.checked(options)
.by(|row| {
    let loan = row.loan();
    row.add(move |context: NativeCallContext, target: Dynamic, to: Map| {
        set(&context, &loan, &target, to, &Map::default())
    });
    let loan = row.loan();
    row.add(move |context: NativeCallContext, target: Dynamic, to: Map, options: Map| {
        set(&context, &loan, &target, to, &options)
    });
})];

fn set(context: &NativeCallContext<'_>, loan: &Loan, target: &Dynamic, to: Map, options: &Map) -> Done {
    let target = from_dynamic(target).map_err(|error| refuse(&error))?;
    if !matches!(target, Value::Text(_) | Value::List(_) | Value::Map(_)) {
        return Err(refuse(&format!("`set` takes the name of a device, not {}", target.kind())));
    }
    let to = from_dynamic(&Dynamic::from_map(to)).map_err(|error| refuse(&error))?;
    let mut if_changed = false;
    for (key, value) in options {
        match key.as_str() {
            "if_changed" => {
                if_changed =
                    value.as_bool().map_err(|_| refuse(&format!("`if_changed` is a boolean, not {}", kind(value))))?;
            }
            "confirm" | "retry" => return Err(refuse(NO_WAIT)),
            other => return Err(refuse(&format!("`{other}` is no option of `set`: it takes `if_changed`"))),
        }
    }
    command(Some(context), loan, |_| Ok(Command::Set { target, to, if_changed }))
}

/// What to say of a closure that would wait.
const NO_WAIT: &str = "a closure can't wait: to have a command confirmed, use the action in a list (`then: [#{ set: …, confirm: \"5s\" }]`)";

fn options(call: Call<'_>) -> Vec<Mistake> {
    let Some(Expr::Map(entries, _)) = call.arguments.get(2) else { return Vec::new() };
    let waits = entries.0.iter().find(|(key, _)| matches!(key.as_str(), "confirm" | "retry"));
    match waits {
        Some((key, _)) => vec![Mistake::new(Kind::BadWord, key.pos, NO_WAIT.to_owned())],
        None => call.map(2, "an option of `set`", &["if_changed"], |_, _| None),
    }
}
