//! Functions of Rhai and of other languages that homerule doesn't have, each with what to write instead.

/// Returns what to write in place of a function of Rhai, or of another language, that expressions don't have.
pub(in crate::script) fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "push" | "append" | "insert" => "an expression changes nothing: write `list + [value]` for a longer list",
        "pop" | "shift" | "remove" | "clear" | "truncate" | "drain" | "retain" | "splice" | "set" | "chop"
        | "dedup" => "an expression changes nothing: write `list.filter(|x| …)` for a part of a list",
        "mixin" | "fill_with" => "an expression changes nothing: write `map + #{ … }` for a map with more keys",
        "make_upper" | "upper" | "uppercase" | "toUpperCase" => "write `to_upper(text)`",
        "make_lower" | "lower" | "lowercase" | "toLowerCase" => "write `to_lower(text)`",
        "parse_json" | "from_json" => "write `json(text)`",
        "length" | "size" => "write `len(…)`",
        "float" | "Number" | "parseFloat" => "write `parse_float(text)` or `to_float(x)`",
        "parseInt" => "write `parse_int(text)`",
        "str" | "string" | "String" => "write `to_string(value)`, or `'${value}'`",
        "substr" | "substring" | "slice" => "write `sub_string(text, start, length)`",
        "includes" | "has" => "write `contains(list, value)`",
        "printf" | "sprintf" | "format" | "concat" => "write a text with `${…}`: `'${msg.x} °C'`",
        "averageSince" | "average_since" | "mean" | "avg" | "statistics" | "smooth" => {
            "write `average('topic', '5m')`, or `median(…)`"
        }
        "medianSince" => "write `median('topic', '5m')`",
        "minimumSince" | "minSince" => "write `lowest('topic', '5m')`",
        "maximumSince" | "maxSince" => "write `highest('topic', '5m')`",
        "deltaSince" | "derivative" | "trend" => "write `change('topic', '5m')`, or `rise(…)`",
        "sumSince" | "riemannSum" | "utility_meter" => "write `integral('topic', 'today')`",
        "history_stats" | "history" => "write `duration('topic', 'ON', 'today')`, or `times(…)`",
        "changedSince" | "lastChange" | "previousState" | "historicState" | "persistedState" => {
            "write `changes('topic', '5m') > 0`, or `at('topic', '5m')`"
        }
        "Timer" | "createTimer" | "create_timer" | "timer" => {
            "an expression can't wait: that is the action `delay`; how long a rule still waits is `remaining('rule')`"
        }
        "rbe" | "deadband" => {
            "a trigger `state: TOPIC` fires when the value changes; `changes('topic', '5m')` counts that"
        }
        "updatedSince" | "lastUpdate" => "write `age('topic')`",
        "is_state" | "is_state_attr" => "write `state('topic') == 'ON'`",
        "state_attr" => "write `state('topic', 'path')`",
        "has_value" => "write `exists('topic')`",
        "iif" => "write `if … { … } else { … }`",
        "default" | "coalesce" | "is_def_var" => "write `x ?? default`",
        "as_timestamp" | "strftime" | "Date" | "time" | "utcnow" => "write `now.unix`, `now.hour`, `now.time`, …",
        "ceil" => "write `ceiling(x)`",
        "sleep" => "an expression can't wait: that is the action `delay`",
        "timestamp" => "write `now.unix`",
        "print" | "debug" => "writing to the log is the action `log`",
        "publish" => "an expression changes nothing: publishing is the action `publish`",
        "notify" => "an expression changes nothing: telling people is the action `notify`",
        _ => return None,
    })
}

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
        "push" | "append" | "insert" | "pop" | "shift" | "remove" | "clear" | "truncate" | "drain" | "retain"
        | "splice" | "set" | "chop" | "dedup" | "mixin" | "fill_with" | "make_upper" | "make_lower" | "print"
        | "debug" | "publish" | "notify" | "is_def_var" => return None,
        other => return instead_of(other),
    })
}
