//! The functions by which a closure acts: each adds a command, and nothing happens before the closure has ended.

use std::sync::Arc;
use std::time::Duration;

use rhai::{Dynamic, Expr, FnPtr, Map, NativeCallContext, Stmt};

use crate::model::{LogLevel, Place, Qos, Topic, Value, parse_duration};
use crate::script::evaluation::convert::{from_dynamic, kind};
use crate::script::evaluation::loan::{Call as Called, Loan};
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind as Kind;
use crate::script::scripts::closure::Closure;
use crate::script::scripts::command::{Asked, Command, UnlessSame};

use super::arguments::Argument::{Named, Topic as TopicName};
use super::arguments::{Call, Mistake, bad_duration, bad_topic, kind_of_literal, kind_of_literal_or_text};
use super::function::{Effect, Function, function};

type Done = Result<(), Refusal>;

/// How many commands one call of a closure may give.
const MOST_COMMANDS: usize = 10_000;

/// How many bytes the commands of one call may hold in all.
const MOST_BYTES: usize = 16 << 20;

/// The functions.
pub(in crate::script) static ROWS: [Function; 13] = [
    // Registered by what collects a file's rules.
    function(
        "rule",
        2,
        2,
        "rule(\"key\", #{ when: …, then: |e| { … } })",
        "Makes a rule, while its file loads: a key, and a map with the keys of YAML.",
    )
    .makes_rules(),
    function(
        "invariant",
        2,
        2,
        "invariant(\"key\", #{ never: … })",
        "Makes an invariant, while its file loads: a key, and a map with the keys of YAML.",
    )
    .makes_rules(),
    function(
        "publish",
        2,
        3,
        "publish(topic, payload, #{ retain: true })",
        "Publishes; the options are `qos`, `retain` and `if_changed` (`true`, or a topic).",
    )
    .acts()
    .takes(&[TopicName])
    .checked(publish_options)
    .by(|row| {
        let loan = row.loan();
        row.add(move |context: NativeCallContext, topic: Dynamic, payload: Dynamic| {
            publish(&context, &loan, (&topic, &payload), Map::default())
        });
        let loan = row.loan();
        row.add(move |context: NativeCallContext, topic: Dynamic, payload: Dynamic, options: Map| {
            publish(&context, &loan, (&topic, &payload), options)
        });
    }),
    function("scene", 1, 1, "scene(\"name\")", "Publishes each topic of a scene, which a YAML file defines.")
        .acts()
        .takes(&[Named("the name of a scene")])
        .by(|row| {
            let loan = row.loan();
            row.add(move |context: NativeCallContext, name: Dynamic| -> Done {
                let name = text(&name, "scene", "the name of a scene")?;
                command(Some(&context), &loan, |_| Ok(Command::Scene(name)))
            });
        }),
    function(
        "after",
        2,
        3,
        "after(\"name\", \"5m\", || { … })",
        "Calls a closure later. A timer with a name replaces the earlier one of that name; all are kept across restarts.",
    )
    .acts()
    .checked(timer)
    .by(|row| {
        let loan = row.loan();
        row.add(move |context: NativeCallContext, delay: Dynamic, closure: Dynamic| {
            after(&context, &loan, None, (&delay, &closure))
        });
        let loan = row.loan();
        row.add(move |context: NativeCallContext, name: Dynamic, delay: Dynamic, closure: Dynamic| {
            after(&context, &loan, Some(&name), (&delay, &closure))
        });
    }),
    function("cancel", 1, 1, "cancel(\"name\")", "Ends the rule's timer of that name.")
        .acts()
        .takes(&[Named("the name of a timer")])
        .by(|row| {
            let loan = row.loan();
            row.add(move |context: NativeCallContext, name: Dynamic| -> Done {
                let name = text(&name, "cancel", "the name of a timer")?;
                command(Some(&context), &loan, |_| Ok(Command::Cancel(name)))
            });
        }),
    function(
        "remember",
        2,
        2,
        "remember(\"name\", value)",
        "Keeps a value for this rule: `memory.name`, across restarts too.",
    )
    .acts()
    .takes(&[Named("a name")])
    .by(|row| {
        let loan = row.loan();
        row.add(move |context: NativeCallContext, name: Dynamic, value: Dynamic| {
            remember(&context, &loan, &name, &value)
        });
    }),
    function("enable", 1, 1, "enable(\"rule\")", "Switches a rule on.")
        .acts()
        .takes(&[Named("the name of a rule")])
        .by(|row| {
            let loan = row.loan();
            row.add(move |context: NativeCallContext, rule: Dynamic| -> Done {
                let rule = text(&rule, "enable", "the name of a rule")?;
                command(Some(&context), &loan, |_| Ok(Command::Switch { rule, is_enabled: true }))
            });
        }),
    function("disable", 1, 1, "disable(\"rule\")", "Switches a rule off.")
        .acts()
        .takes(&[Named("the name of a rule")])
        .by(|row| {
            let loan = row.loan();
            row.add(move |context: NativeCallContext, rule: Dynamic| -> Done {
                let rule = text(&rule, "disable", "the name of a rule")?;
                command(Some(&context), &loan, |_| Ok(Command::Switch { rule, is_enabled: false }))
            });
        }),
    function(
        "log",
        1,
        2,
        "log(text, \"warn\")",
        "Writes to the log and the trace; the level is `debug`, `info` (the default), `warn` or `error`.",
    )
    .acts()
    .checked(level)
    .by(|row| {
        let loan = row.loan();
        row.add(move |context: NativeCallContext, value: Dynamic| -> Done {
            log(&context, &loan, &value, LogLevel::Info)
        });
        let loan = row.loan();
        row.add(move |context: NativeCallContext, value: Dynamic, level: &str| -> Done {
            let Some((_, level)) = LogLevel::ALL.iter().find(|(word, _)| *word == level) else {
                return Err(refuse(&format!("`{level}` isn't a log level; use `debug`, `info`, `warn` or `error`")));
            };
            log(&context, &loan, &value, *level)
        });
    }),
    function(
        "http",
        1,
        1,
        "http(#{ url: …, method: \"POST\", body: … })",
        "Sends a request, and doesn't wait: `url`, `method`, `headers`, `body`, `timeout`.",
    )
    .acts()
    .checked(request)
    .by(|row| {
        let loan = row.loan();
        row.add(move |context: NativeCallContext, request: Map| -> Done {
            let request = http(request)?;
            command(Some(&context), &loan, |_| Ok(request))
        });
    }),
    function("print", 1, 1, "print(text)", "The same as `log(text)`.").acts().leaves_no_step().by(|row| {
        let loan = row.loan();
        row.engine().on_print(move |text| {
            // Outside of a rule nobody is there to say it.
            let _ = command(None, &loan, |_| Ok(Command::Log { text: text.into(), level: LogLevel::Info }));
        });
    }),
    function("debug", 1, 1, "debug(value)", "The same as `log(value, \"debug\")`.").acts().leaves_no_step().by(|row| {
        let loan = row.loan();
        row.engine().on_debug(move |text, _, _| {
            let _ = command(None, &loan, |_| Ok(Command::Log { text: text.into(), level: LogLevel::Debug }));
        });
    }),
];

/// Adds a command to what is called. `context` tells where it was asked for.
pub(in crate::script) fn command(
    context: Option<&NativeCallContext<'_>>,
    loan: &Loan,
    make: impl FnOnce(&mut Called) -> Result<Command, Refusal>,
) -> Done {
    loan.with_call(|call| {
        if call.commands.len() >= MOST_COMMANDS {
            return Err(refuse(&format!("a closure can't do more than {MOST_COMMANDS} things at once")));
        }
        if std::mem::take(&mut call.has_gap) {
            return Err(refuse(
                "`()` can't be put into a text, and one here, or before this, has it: write `${… ?? \"none\"}`",
            ));
        }
        let command = make(call)?;
        call.bytes = call.bytes.saturating_add(size(&command));
        if call.bytes > MOST_BYTES {
            return Err(refuse(&format!("what a closure does holds more than {} MiB", MOST_BYTES >> 20)));
        }
        let place = context.and_then(|context| place(context, call));
        call.commands.push(Asked { command, place });
        Ok(())
    })
}

/// Returns where in the scripts a function is called.
fn place(context: &NativeCallContext<'_>, call: &Called) -> Option<Place> {
    let script = match context.call_source() {
        Some(file) => call.script.by_file(file)?,
        None => Arc::clone(&call.script),
    };
    let position = context.call_position();
    let (line, column) = (position.line()?, position.position()?);
    Some(Place { file: script.file(), line: u32::try_from(line).ok()?, column: u32::try_from(column).ok()? })
}

fn publish(context: &NativeCallContext<'_>, loan: &Loan, (topic, payload): (&Dynamic, &Dynamic), options: Map) -> Done {
    let topic = text(topic, "publish", "a topic")?;
    let topic = Topic::parse(&topic).map_err(|error| refuse(&format!("`{topic}` isn't a valid topic: {error}")))?;
    let payload = from_dynamic(payload).map_err(|error| refuse(&format!("the payload for `{topic}`: {error}")))?;
    if payload.is_null() {
        let message = format!("the payload for `{topic}` is `()`: to clear a retained topic, publish `\"\"`");
        return Err(refuse(&message));
    }
    let (mut qos, mut retain, mut if_changed) = (Qos::default(), false, UnlessSame::Always);
    for (key, value) in options {
        match key.as_str() {
            "qos" => {
                let level = value.as_int().ok().and_then(|level| u8::try_from(level).ok());
                qos = level.and_then(|level| Qos::try_from(level).ok()).ok_or_else(|| refuse("`qos` is 0, 1 or 2"))?;
            }
            "retain" => retain = value.as_bool().map_err(|_| refuse("`retain` is `true` or `false`"))?,
            "if_changed" => {
                if_changed = match value.as_bool() {
                    Ok(true) => UnlessSame::OwnTopic,
                    Ok(false) => UnlessSame::Always,
                    Err(_) => {
                        let other = text(&value, "if_changed", "`true`, or a topic")?;
                        let parsed = Topic::parse(&other);
                        UnlessSame::Topic(
                            parsed.map_err(|error| refuse(&format!("`{other}` isn't a valid topic: {error}")))?,
                        )
                    }
                }
            }
            other => {
                let known = "it takes `qos`, `retain` and `if_changed`";
                return Err(refuse(&format!("`{other}` isn't an option of `publish`: {known}")));
            }
        }
    }
    command(Some(context), loan, |_| Ok(Command::Publish { topic, payload, qos, retain, if_changed }))
}

fn after(
    context: &NativeCallContext<'_>,
    loan: &Loan,
    name: Option<&Dynamic>,
    (delay, closure): (&Dynamic, &Dynamic),
) -> Done {
    let name = name.map(|name| text(name, "after", "the name of a timer")).transpose()?;
    let delay = duration(delay)?;
    let Some(pointer) = closure.read_lock::<FnPtr>().map(|pointer| pointer.clone()) else {
        return Err(refuse(&format!("`after` takes a closure (`|| {{ … }}`), not {}", kind(closure))));
    };
    command(Some(context), loan, |call| {
        let closure = Closure::new(&call.script, &pointer).map_err(|error| refuse(&error))?;
        if closure.parameters() > 0 {
            return Err(refuse(
                "the closure of a timer takes no arguments: write `|| { … }`; it may read the variables around it",
            ));
        }
        Ok(Command::After { name, delay, closure })
    })
}

fn log(context: &NativeCallContext<'_>, loan: &Loan, value: &Dynamic, level: LogLevel) -> Done {
    let text = from_dynamic(value).map_err(|error| refuse(&error))?.to_string();
    command(Some(context), loan, |_| Ok(Command::Log { text: text.into(), level }))
}

fn http(request: Map) -> Result<Command, Refusal> {
    let (mut method, mut url, mut headers, mut body, mut timeout) = (Arc::from("GET"), None, Vec::new(), None, None);
    for (key, value) in request {
        match key.as_str() {
            "method" => method = text(&value, "method", "a method (`\"POST\"`)")?,
            "url" => url = Some(text(&value, "url", "an address")?),
            "timeout" => timeout = Some(duration(&value)?),
            "body" => body = Some(from_dynamic(&value).map_err(|error| refuse(&error))?),
            "headers" => {
                let Ok(map) = value.as_map_ref() else { return Err(refuse("`headers` is a map of names and texts")) };
                for (name, value) in map.iter() {
                    headers.push((name.as_str().into(), text(value, "headers", "texts")?));
                }
            }
            other => {
                let known = "it takes `method`, `url`, `headers`, `body` and `timeout`";
                return Err(refuse(&format!("`{other}` isn't a key of `http`: {known}")));
            }
        }
    }
    let Some(url) = url else { return Err(refuse("`http` needs `url`")) };
    Ok(Command::Http { method, url, headers, body, timeout })
}

fn duration(value: &Dynamic) -> Result<Duration, Refusal> {
    let text = from_dynamic(value).map_err(|error| refuse(&error))?.to_string();
    parse_duration(&text).map_err(|error| refuse(&error.to_string()))
}

/// Returns the text that `value` is.
fn text(value: &Dynamic, what: &str, expected: &str) -> Result<Arc<str>, Refusal> {
    match from_dynamic(value) {
        Ok(Value::Text(text)) => Ok(text),
        _ => Err(refuse(&format!("`{what}` takes {expected}, not {}", kind(value)))),
    }
}

/// Returns about how many bytes a command holds.
fn size(command: &Command) -> usize {
    let held = match command {
        Command::Publish { topic, payload, .. } => topic.as_str().len() + weight(payload),
        Command::Remember(name, value) => name.len() + weight(value),
        Command::After { name, closure, .. } => {
            name.as_ref().map_or(0, |name| name.len()) + closure.captured().iter().map(weight).sum::<usize>()
        }
        Command::Log { text, .. } => text.len(),
        Command::Http { method, url, headers, body, .. } => {
            let headers: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            method.len() + url.len() + headers + body.as_ref().map_or(0, weight)
        }
        Command::Scene(name) | Command::Cancel(name) => name.len(),
        Command::Set { target, to, .. } => weight(target) + weight(to),
        Command::Switch { rule, .. } => rule.len(),
        Command::Notify(told) => {
            let options = [&told.title, &told.priority, &told.tags].into_iter().flatten();
            let buttons: usize = told.buttons.iter().map(|(text, webhook)| text.len() + webhook.len()).sum();
            weight(&told.targets) + weight(&told.message) + options.map(weight).sum::<usize>() + buttons
        }
    };
    size_of::<Command>() + held
}

fn weight(value: &Value) -> usize {
    16 + match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => 0,
    }
}

fn remember(context: &NativeCallContext<'_>, loan: &Loan, name: &Dynamic, value: &Dynamic) -> Done {
    let name = text(name, "remember", "a name")?;
    let value = from_dynamic(value).map_err(|error| refuse(&error))?;
    command(Some(context), loan, |call| {
        Arc::make_mut(&mut call.memory).insert(Arc::clone(&name), value.clone());
        Ok(Command::Remember(name, value))
    })
}

/// Checks the level of `log(text, level)`.
fn level(call: Call<'_>) -> Vec<Mistake> {
    // With a number, it is the logarithm.
    if !matches!(call.arguments.get(1), Some(Expr::StringConstant(..))) {
        return Vec::new();
    }
    let found = call.checked(1, "a level", |text| {
        let is_known = LogLevel::ALL.iter().any(|(word, _)| *word == text);
        (!is_known).then(|| (Kind::BadWord, format!("`{text}` isn't a log level")))
    });
    let help = "it is `debug`, `info`, `warn` or `error`";
    found.map(|found| Mistake { help: Some(help.to_owned()), ..found }).into_iter().collect()
}

/// Checks `after(delay, closure)` and `after(name, delay, closure)`.
fn timer(call: Call<'_>) -> Vec<Mistake> {
    let delay = call.arguments.len().saturating_sub(2);
    let name = if delay > 0 { Named("the name of a timer").mistake(call, 0) } else { None };
    let closure = call.arguments.get(delay + 1).and_then(no_closure);
    [name, call.arguments.get(delay).and_then(bad_duration), closure].into_iter().flatten().collect()
}

/// Returns what is wrong with what stands where a timer takes its closure.
fn no_closure(argument: &Expr) -> Option<Mistake> {
    let acts = |name: &str| ROWS.iter().any(|row| row.name == name && row.effect == Effect::Acts);
    let given = match argument {
        Expr::DynamicConstant(value, _) if value.is_fnptr() => return None,
        // Of a closure that reads variables around it, Rhai makes a block that begins with sharing these.
        Expr::Stmt(block) if !block.statements().iter().any(|one| matches!(one, Stmt::Share(_))) => {
            "a block, which is run at once"
        }
        Expr::FnCall(call, _) if acts(&call.name) => "what is done at once",
        other => kind_of_literal_or_text(other)?,
    };
    let message = format!("`after` takes a closure at the end, not {given}");
    let found = Mistake::new(Kind::WrongType, argument.start_position(), message);
    Some(Mistake { help: Some("write `|| { … }`, or `|| publish(…)`".to_owned()), ..found })
}

/// Checks the options of `publish`.
fn publish_options(call: Call<'_>) -> Vec<Mistake> {
    const KNOWN: [&str; 3] = ["qos", "retain", "if_changed"];
    let check = |key: &str, value: &Expr| {
        let position = value.start_position();
        match (key, value) {
            ("qos", Expr::IntegerConstant(0..=2, _)) | ("retain" | "if_changed", Expr::BoolConstant(..)) => None,
            ("qos", value) => kind_of_literal_or_text(value)
                .map(|_| Mistake::new(Kind::BadWord, position, "`qos` is 0, 1 or 2".to_owned())),
            ("retain", value) => kind_of_literal_or_text(value)
                .map(|_| Mistake::new(Kind::BadWord, position, "`retain` is `true` or `false`".to_owned())),
            ("if_changed", Expr::StringConstant(text, _)) => {
                bad_topic(text).map(|(kind, message)| Mistake::new(kind, position, message))
            }
            ("if_changed", value) => kind_of_literal(value)
                .map(|_| Mistake::new(Kind::BadWord, position, "`if_changed` is `true`, or a topic".to_owned())),
            _ => None,
        }
    };
    call.map(2, "an option of `publish`", &KNOWN, check)
}

/// Checks the map that `http` takes.
fn request(call: Call<'_>) -> Vec<Mistake> {
    const KNOWN: [&str; 5] = ["url", "method", "headers", "body", "timeout"];
    let check = |key: &str, value: &Expr| if key == "timeout" { bad_duration(value) } else { None };
    let mut found = call.map(0, "a key of `http`", &KNOWN, check);
    if let Some(Expr::Map(entries, position)) = call.arguments.first()
        && !entries.0.iter().any(|(key, _)| key.as_str() == "url")
    {
        found.push(Mistake::new(Kind::BadWord, *position, "`http` needs `url`".to_owned()));
    }
    found
}
