//! The functions that a script may call beside those of expressions: those that act, and those of Rhai that change a
//! list, a map or a text in place.

use super::function::{Arity, Function};

/// Returns a function of scripts.
const fn script(name: &'static str, least: usize, most: usize, usage: &'static str) -> Function {
    Function { name, arity: Arity { least, most }, usage, reads_world: false }
}

/// All functions that only scripts may call.
pub(in crate::script) const SCRIPT_FUNCTIONS: [Function; 36] = [
    // Rules and what they do.
    script("rule", 2, 2, "rule(\"key\", #{ when: …, then: |e| { … } })"),
    script("publish", 2, 3, "publish(topic, payload, #{ retain: true })"),
    script("scene", 1, 1, "scene(\"name\")"),
    script("set", 2, 2, "set(\"device\", #{ … })"),
    script("after", 2, 3, "after(\"name\", \"5m\", || { … })"),
    script("cancel", 1, 1, "cancel(\"name\")"),
    script("remember", 2, 2, "remember(\"name\", value)"),
    script("enable", 1, 1, "enable(\"rule\")"),
    script("disable", 1, 1, "disable(\"rule\")"),
    script("log", 1, 2, "log(text, \"warn\")"),
    script("http", 1, 1, "http(#{ url: …, method: \"POST\", body: … })"),
    script("print", 1, 1, "print(text)"),
    script("debug", 1, 1, "debug(value)"),
    // Lists, maps and texts that are changed in place.
    script("push", 2, 2, "list.push(value)"),
    script("append", 2, 2, "list.append(list)"),
    script("insert", 3, 3, "list.insert(index, value)"),
    script("pop", 1, 1, "list.pop()"),
    script("shift", 1, 1, "list.shift()"),
    script("remove", 2, 2, "list.remove(index)"),
    script("clear", 1, 1, "list.clear()"),
    script("truncate", 2, 2, "list.truncate(length)"),
    script("chop", 2, 2, "list.chop(length)"),
    script("retain", 2, 2, "list.retain(|x| x > 3)"),
    script("drain", 2, 3, "list.drain(|x| x > 3)"),
    script("dedup", 1, 2, "list.dedup()"),
    script("splice", 3, 4, "list.splice(start, length, list)"),
    script("set", 3, 3, "map.set(\"key\", value)"),
    script("mixin", 2, 2, "map.mixin(map)"),
    script("fill_with", 2, 2, "map.fill_with(map)"),
    script("make_upper", 1, 1, "text.make_upper()"),
    script("make_lower", 1, 1, "text.make_lower()"),
    script("crop", 2, 3, "text.crop(start, length)"),
    // Closures and loops.
    script("range", 2, 3, "range(from, to, step)"),
    script("for_each", 2, 2, "list.for_each(|x| { … })"),
    script("is_shared", 1, 1, "is_shared(value)"),
    script("Fn", 1, 1, "Fn(\"name\")"),
];

/// Returns what to write in place of a function of Rhai that scripts don't have.
pub(in crate::script) fn instead_of_in_script(name: &str) -> Option<&'static str> {
    Some(match name {
        "sleep" => "a script can't wait: write `after(\"5s\", || { … })`",
        "timestamp" => "write `now`, or `now.unix`",
        "eval" => "a script runs only what is written in its file",
        "pad" => "write `text + \" \"`",
        "parse_json" | "from_json" => "write `json(text)`",
        "delay" | "wait" => {
            "write `after(\"5m\", || { … })`, or use the action in a list: `then: [#{ delay: \"5m\" }, |e| …]`"
        }
        "mqtt" | "send" | "emit" => "write `publish(topic, payload)`",
        "setTimeout" => "write `after(\"5s\", || { … })`",
        "setInterval" => "write a rule with `when: #{ every: \"5m\" }`",
        "fetch" => "write `http(#{ url: … })`",
        "on" | "when" => "write `rule(\"key\", #{ when: …, then: |e| { … } })`",
        "str" | "string" | "String" => "write `to_string(value)`, or a text in backticks: `` `${value}` ``",
        "printf" | "sprintf" | "format" | "concat" => "write a text in backticks: `` `${e.msg.x} °C` ``",
        "device" => "devices can't be read yet: write `state(\"topic\")`",
        "push" | "append" | "insert" | "pop" | "shift" | "remove" | "clear" | "truncate" | "drain" | "retain"
        | "splice" | "set" | "chop" | "dedup" | "mixin" | "fill_with" | "make_upper" | "make_lower" | "print"
        | "debug" | "publish" | "is_def_var" => return None,
        other => return super::table::instead_of(other),
    })
}
