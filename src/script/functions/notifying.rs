//! The function by which a closure tells people something.

use std::sync::Arc;

use rhai::{Dynamic, Expr, Map, NativeCallContext};

use crate::model::Value;
use crate::script::evaluation::convert::from_dynamic;
use crate::script::evaluation::loan::Loan;
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind as Kind;
use crate::script::scripts::command::{Command, Told};

use super::acting::command;
use super::arguments::{Call, Mistake};
use super::function::{Function, function};

type Done = Result<(), Refusal>;

/// The options of `notify`.
const OPTIONS: [&str; 4] = ["title", "priority", "tags", "buttons"];

/// The functions.
pub(super) static ROWS: [Function; 1] = [function(
    "notify",
    2,
    3,
    "notify(\"phone\", \"The washing is done.\", #{ title: \"Washer\" })",
    "Tells people something: a target, or a list of them, and the text; the options are `title`, `priority`, `tags` and `buttons`.",
)
.acts()
.checked(options)
.by(|row| {
    let loan = row.loan();
    row.add(move |context: NativeCallContext, targets: Dynamic, message: Dynamic| {
        notify(&context, &loan, (&targets, &message), Map::default())
    });
    let loan = row.loan();
    row.add(move |context: NativeCallContext, targets: Dynamic, message: Dynamic, options: Map| {
        notify(&context, &loan, (&targets, &message), options)
    });
})];

fn notify(
    context: &NativeCallContext<'_>,
    loan: &Loan,
    (targets, message): (&Dynamic, &Dynamic),
    options: Map,
) -> Done {
    let targets = value(targets)?;
    if !matches!(targets, Value::Text(_) | Value::List(_)) {
        return Err(refuse(&format!("`notify` takes the name of a target, not {}", targets.kind())));
    }
    let message = value(message)?;
    if message.is_null() {
        return Err(refuse("`notify` takes a text, not `()`"));
    }
    let mut told = Told { targets, message, ..Told::default() };
    for (key, option) in options {
        let given = value(&option)?;
        match key.as_str() {
            "title" => told.title = Some(given),
            "priority" => told.priority = Some(given),
            "tags" => told.tags = Some(given),
            "buttons" => told.buttons = buttons(&given)?,
            other => {
                let known = "it takes `title`, `priority`, `tags` and `buttons`";
                return Err(refuse(&format!("`{other}` isn't an option of `notify`: {known}")));
            }
        }
    }
    command(Some(context), loan, |_| Ok(Command::Notify(Box::new(told))))
}

fn value(value: &Dynamic) -> Result<Value, Refusal> {
    from_dynamic(value).map_err(|error| refuse(&error))
}

/// The text of a button, and its webhook.
type Button = (Arc<str>, Arc<str>);

/// Returns the buttons of a list.
fn buttons(given: &Value) -> Result<Vec<Button>, Refusal> {
    let wrong = || refuse("`buttons` is a list of `#{ text: \"Open\", webhook: \"open\" }`");
    let Value::List(items) = given else { return Err(wrong()) };
    let button = |item: &Value| {
        let Value::Map(entries) = item else { return Err(wrong()) };
        let text = |key: &str| entries.get(key).and_then(Value::as_text).map(Arc::from).ok_or_else(wrong);
        Ok((text("text")?, text("webhook")?))
    };
    items.iter().map(button).collect()
}

/// Checks the options of `notify`.
fn options(call: Call<'_>) -> Vec<Mistake> {
    let check = |key: &str, value: &Expr| match (key, value) {
        ("priority", Expr::IntegerConstant(1..=5, _)) => None,
        ("priority", Expr::IntegerConstant(_, position)) => {
            Some(Mistake::new(Kind::BadWord, *position, "`priority` is a number from 1 to 5".to_owned()))
        }
        _ => None,
    };
    call.map(2, "an option of `notify`", &OPTIONS, check)
}
