//! The functions by which a closure acts: each adds a command, and nothing happens before the closure has ended.

use std::sync::Arc;
use std::time::Duration;

use rhai::{Dynamic, Engine, FnPtr, ImmutableString, Map, NativeCallContext};

use crate::model::{LogLevel, Place, Qos, Topic, Value, parse_duration};

use crate::script::evaluation::convert::{from_dynamic, kind};
use crate::script::evaluation::loan::{Call, Loan};
use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::scripts::closure::Closure;
use crate::script::scripts::command::{Asked, Command, UnlessSame};

type Done = Result<(), Refusal>;

/// How many commands one call of a closure may give.
const MOST_COMMANDS: usize = 10_000;

/// How many bytes the commands of one call may hold in all.
const MOST_BYTES: usize = 16 << 20;

/// Registers the functions, which find what is called in `loan`.
pub(in crate::script) fn register(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("publish", move |context: NativeCallContext, topic: Dynamic, payload: Dynamic| {
        publish(&context, &lent, (&topic, &payload), Map::new())
    });
    let lent = loan.clone();
    engine.register_fn("publish", move |context: NativeCallContext, topic: Dynamic, payload: Dynamic, options: Map| {
        publish(&context, &lent, (&topic, &payload), options)
    });
    let lent = loan.clone();
    engine.register_fn("scene", move |context: NativeCallContext, name: Dynamic| -> Done {
        let name = text(&name, "scene", "the name of a scene")?;
        command(Some(&context), &lent, |_| Ok(Command::Scene(name)))
    });
    engine.register_fn("set", |_: Dynamic, _: Map| -> Done {
        Err(refuse("`set` needs device discovery, which isn't there yet: publish to the device's command topic"))
    });
    register_timers(engine, loan);
    let lent = loan.clone();
    engine.register_fn("to_string", move |(): ()| -> Result<ImmutableString, Refusal> {
        // An expression has no call: its texts are put together elsewhere.
        let _ = lent.with_call(|call| {
            call.has_gap = true;
            Ok(())
        });
        Ok(ImmutableString::new())
    });
    let lent = loan.clone();
    engine.register_fn("remember", move |context: NativeCallContext, name: Dynamic, value: Dynamic| -> Done {
        let name = text(&name, "remember", "a name")?;
        let value = from_dynamic(&value).map_err(|error| refuse(&error))?;
        command(Some(&context), &lent, |call| {
            Arc::make_mut(&mut call.memory).insert(Arc::clone(&name), value.clone());
            Ok(Command::Remember(name, value))
        })
    });
    for (name, is_enabled) in [("enable", true), ("disable", false)] {
        let lent = loan.clone();
        engine.register_fn(name, move |context: NativeCallContext, rule: Dynamic| -> Done {
            let rule = text(&rule, name, "the name of a rule")?;
            command(Some(&context), &lent, |_| Ok(Command::Switch { rule, is_enabled }))
        });
    }
    register_log(engine, loan);
    let lent = loan.clone();
    engine.register_fn("http", move |context: NativeCallContext, request: Map| -> Done {
        let request = http(request)?;
        command(Some(&context), &lent, |_| Ok(request))
    });
}

fn register_timers(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("after", move |context: NativeCallContext, delay: Dynamic, closure: Dynamic| {
        after(&context, &lent, None, (&delay, &closure))
    });
    let lent = loan.clone();
    engine.register_fn("after", move |context: NativeCallContext, name: Dynamic, delay: Dynamic, closure: Dynamic| {
        after(&context, &lent, Some(&name), (&delay, &closure))
    });
    let lent = loan.clone();
    engine.register_fn("cancel", move |context: NativeCallContext, name: Dynamic| -> Done {
        let name = text(&name, "cancel", "the name of a timer")?;
        command(Some(&context), &lent, |_| Ok(Command::Cancel(name)))
    });
}

fn register_log(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("log", move |context: NativeCallContext, value: Dynamic| -> Done {
        log(&context, &lent, &value, LogLevel::Info)
    });
    let lent = loan.clone();
    engine.register_fn("log", move |context: NativeCallContext, value: Dynamic, level: &str| -> Done {
        let Some((_, level)) = LogLevel::ALL.iter().find(|(word, _)| *word == level) else {
            return Err(refuse(&format!("`{level}` is no level: it is `debug`, `info`, `warn` or `error`")));
        };
        log(&context, &lent, &value, *level)
    });
    let lent = loan.clone();
    engine.on_print(move |text| {
        // Outside of a rule nobody is there to say it.
        let _ = command(None, &lent, |_| Ok(Command::Log { text: text.into(), level: LogLevel::Info }));
    });
    let lent = loan.clone();
    engine.on_debug(move |text, _, _| {
        let _ = command(None, &lent, |_| Ok(Command::Log { text: text.into(), level: LogLevel::Debug }));
    });
}

/// Adds a command to what is called. `context` tells where it was asked for.
fn command(
    context: Option<&NativeCallContext<'_>>,
    loan: &Loan,
    make: impl FnOnce(&mut Call) -> Result<Command, Refusal>,
) -> Done {
    loan.with_call(|call| {
        if call.commands.len() >= MOST_COMMANDS {
            return Err(refuse(&format!("a closure can't do more than {MOST_COMMANDS} things at once")));
        }
        if std::mem::take(&mut call.has_gap) {
            return Err(refuse(
                "`()` can't stand within a text, and one here, or before this, has it: write `${… ?? \"none\"}`",
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
fn place(context: &NativeCallContext<'_>, call: &Call) -> Option<Place> {
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
    let topic = Topic::parse(&topic).map_err(|error| refuse(&format!("`{topic}` is no topic: {error}")))?;
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
                        UnlessSame::Topic(parsed.map_err(|error| refuse(&format!("`{other}` is no topic: {error}")))?)
                    }
                }
            }
            other => {
                let known = "it takes `qos`, `retain` and `if_changed`";
                return Err(refuse(&format!("`{other}` is no option of `publish`: {known}")));
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
                return Err(refuse(&format!("`{other}` is no key of `http`: {known}")));
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
    match command {
        Command::Publish { payload, .. } => weight(payload),
        Command::Remember(_, value) => weight(value),
        Command::After { closure, .. } => closure.captured().iter().map(weight).sum(),
        Command::Log { text, .. } => text.len(),
        Command::Http { body, .. } => body.as_ref().map_or(0, weight),
        Command::Scene(_) | Command::Cancel(_) | Command::Switch { .. } => 0,
    }
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

/// Registers `memory`, `now` and `sun`, which a script reads anew wherever they stand: no closure captures them.
pub(in crate::script) fn register_globals(engine: &mut Engine, loan: &Loan, items: usize) {
    use crate::script::evaluation::convert::to_dynamic;
    use crate::script::evaluation::moment::{Moment, SunNow};

    let lent = loan.clone();
    global(engine, "memory", move || {
        lent.with(|lent| {
            lent.reads.memory = true;
            Ok(())
        })?;
        let memory = lent.with_call(|call| Ok(Value::Map(Arc::clone(&call.memory))))?;
        to_dynamic(&memory, None, items).map_err(|error| refuse(&format!("can't read `memory`: {error}")))
    });
    let lent = loan.clone();
    global(engine, "now", move || {
        lent.with(|lent| {
            lent.reads.clock = true;
            Ok(Dynamic::from(Moment(lent.world.local())))
        })
    });
    let lent = loan.clone();
    global(engine, "sun", move || {
        lent.with(|lent| {
            (lent.reads.clock, lent.reads.sun) = (true, true);
            let sun = SunNow { now: lent.world.now, calendar: Arc::new(lent.world.calendar.clone()) };
            Ok(Dynamic::from(sun))
        })
    });
}

/// Makes `name` a word of the language that gives what `read` gives.
fn global(
    engine: &mut Engine,
    name: &'static str,
    read: impl Fn() -> Result<Dynamic, Refusal> + Send + Sync + 'static,
) {
    let registered = engine.register_custom_syntax([name], false, move |_, _| read());
    debug_assert!(registered.is_ok(), "`{name}` can be a word");
}
