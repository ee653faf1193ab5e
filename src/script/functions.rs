//! The functions that an expression may call: those of homerule, and those of Rhai that change nothing.

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: &'static str,
    /// How many arguments it takes, the one before the `.` included.
    pub(super) arity: Arity,
    /// How it is written.
    pub(super) usage: &'static str,
    /// Whether it reads the world.
    pub(super) reads_world: bool,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arity {
    /// At least so many.
    pub(super) least: usize,
    /// At most so many.
    pub(super) most: usize,
}

/// Returns a function of homerule, which reads the world.
const fn home(name: &'static str, least: usize, most: usize, usage: &'static str) -> Function {
    Function { name, arity: Arity { least, most }, usage, reads_world: true }
}

/// Returns a function of its arguments alone.
const fn plain(name: &'static str, least: usize, most: usize, usage: &'static str) -> Function {
    Function { name, arity: Arity { least, most }, usage, reads_world: false }
}

/// All functions. Names that lists and topics share (`all`, `any`, `count`) tell by their arguments which is meant.
pub(super) const FUNCTIONS: [Function; 94] = [
    // The home.
    home("state", 1, 3, "state('topic', \"path\", default)"),
    home("last", 1, 1, "last('topic')"),
    home("age", 1, 1, "age('topic')"),
    home("exists", 1, 1, "exists('topic')"),
    home("states", 1, 1, "states('filter')"),
    home("any", 2, 2, "any('filter', value)"),
    home("all", 2, 2, "all('filter', value)"),
    home("count", 2, 2, "count('filter', value)"),
    home("holds", 0, 1, "holds('rule')"),
    home("running", 1, 1, "running('rule')"),
    home("between", 2, 2, "between('22:00', '06:00')"),
    home("weekend", 0, 0, "weekend()"),
    home("weekday", 1, 1, "weekday('mon')"),
    home("random", 0, 2, "random(1, 6)"),
    // Values.
    plain("json", 1, 1, "json(text)"),
    plain("to_json", 1, 1, "to_json(value)"),
    plain("clamp", 3, 3, "clamp(x, low, high)"),
    plain("round", 1, 2, "round(x, digits)"),
    plain("pick", 2, 9, "pick(map, 'key', 'key')"),
    plain("type_of", 1, 1, "type_of(value)"),
    plain("to_string", 1, 1, "to_string(value)"),
    // Texts, lists and maps.
    plain("len", 1, 1, "len(text)"),
    plain("bytes", 1, 1, "bytes(text)"),
    plain("is_empty", 1, 1, "is_empty(text)"),
    plain("contains", 2, 2, "contains(list, value)"),
    plain("get", 2, 2, "get(map, 'key')"),
    plain("starts_with", 2, 2, "starts_with(text, 'start')"),
    plain("ends_with", 2, 2, "ends_with(text, 'end')"),
    plain("index_of", 2, 3, "index_of(text, 'part')"),
    plain("sub_string", 2, 3, "sub_string(text, start, length)"),
    plain("to_upper", 1, 1, "to_upper(text)"),
    plain("to_lower", 1, 1, "to_lower(text)"),
    plain("trim", 1, 1, "trim(text)"),
    plain("replace", 3, 3, "replace(text, 'old', 'new')"),
    plain("split", 1, 3, "split(text, ',')"),
    plain("split_rev", 2, 3, "split_rev(text, ',')"),
    plain("join", 2, 2, "join(list, ', ')"),
    plain("to_chars", 1, 1, "to_chars(text)"),
    plain("parse_int", 1, 2, "parse_int(text)"),
    plain("parse_float", 1, 1, "parse_float(text)"),
    plain("filter", 2, 2, "list.filter(|x| x > 3)"),
    plain("map", 2, 2, "list.map(|x| x + 1)"),
    plain("reduce", 2, 3, "list.reduce(|sum, x| sum + x, 0)"),
    plain("reduce_rev", 2, 3, "list.reduce_rev(|sum, x| sum + x, 0)"),
    plain("some", 2, 2, "list.some(|x| x > 3)"),
    plain("find", 2, 3, "list.find(|x| x > 3)"),
    plain("find_map", 2, 3, "list.find_map(|x| x.name)"),
    plain("zip", 3, 3, "zip(list, list, |a, b| a + b)"),
    plain("extract", 2, 3, "extract(list, start, length)"),
    plain("sort", 1, 1, "sort(list)"),
    plain("reverse", 1, 1, "reverse(list)"),
    plain("sum", 1, 1, "sum(list)"),
    plain("keys", 1, 1, "keys(map)"),
    plain("values", 1, 1, "values(map)"),
    // Numbers.
    plain("abs", 1, 1, "abs(x)"),
    plain("sign", 1, 1, "sign(x)"),
    plain("min", 2, 2, "min(a, b)"),
    plain("max", 2, 2, "max(a, b)"),
    plain("sqrt", 1, 1, "sqrt(x)"),
    plain("exp", 1, 1, "exp(x)"),
    plain("ln", 1, 1, "ln(x)"),
    plain("log", 1, 2, "log(x)"),
    plain("sin", 1, 1, "sin(x)"),
    plain("cos", 1, 1, "cos(x)"),
    plain("tan", 1, 1, "tan(x)"),
    plain("asin", 1, 1, "asin(x)"),
    plain("acos", 1, 1, "acos(x)"),
    plain("atan", 1, 2, "atan(x)"),
    plain("sinh", 1, 1, "sinh(x)"),
    plain("cosh", 1, 1, "cosh(x)"),
    plain("tanh", 1, 1, "tanh(x)"),
    plain("asinh", 1, 1, "asinh(x)"),
    plain("acosh", 1, 1, "acosh(x)"),
    plain("atanh", 1, 1, "atanh(x)"),
    plain("hypot", 2, 2, "hypot(x, y)"),
    plain("floor", 1, 1, "floor(x)"),
    plain("ceiling", 1, 1, "ceiling(x)"),
    plain("int", 1, 1, "int(x)"),
    plain("fraction", 1, 1, "fraction(x)"),
    plain("to_int", 1, 1, "to_int(x)"),
    plain("to_float", 1, 1, "to_float(x)"),
    plain("to_degrees", 1, 1, "to_degrees(x)"),
    plain("to_radians", 1, 1, "to_radians(x)"),
    plain("is_nan", 1, 1, "is_nan(x)"),
    plain("is_finite", 1, 1, "is_finite(x)"),
    plain("is_infinite", 1, 1, "is_infinite(x)"),
    plain("is_zero", 1, 1, "is_zero(x)"),
    plain("is_odd", 1, 1, "is_odd(x)"),
    plain("is_even", 1, 1, "is_even(x)"),
    plain("to_hex", 1, 1, "to_hex(x)"),
    plain("to_octal", 1, 1, "to_octal(x)"),
    plain("to_binary", 1, 1, "to_binary(x)"),
    plain("PI", 0, 0, "PI()"),
    plain("E", 0, 0, "E()"),
];

/// Returns in words how many arguments a function takes.
pub(super) fn arities(arity: Arity) -> String {
    let plural = |number: usize| if number == 1 { "argument" } else { "arguments" };
    match (arity.least, arity.most) {
        (0, 0) => "no arguments".to_owned(),
        (least, most) if least == most => format!("{least} {}", plural(least)),
        (0, 1) => "at most 1 argument".to_owned(),
        (least, most) if most == least + 1 => format!("{least} or {most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

/// Returns what to write in place of a function of Rhai, or of another language, that expressions don't have.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
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
        "device" => "devices can't be read yet: write `state('topic')`",
        _ => return None,
    })
}
