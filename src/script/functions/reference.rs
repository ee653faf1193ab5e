//! What each function does, in a sentence: the source of the reference in `docs/`.

use std::fmt::Write;

use super::function::Function;
use super::script_functions::SCRIPT_FUNCTIONS;
use super::table::FUNCTIONS;

/// A chapter of the reference: its title, and its functions with what they do.
type Chapter = (&'static str, &'static [(&'static str, &'static str)]);

/// All functions, by what they are for.
const CHAPTERS: [Chapter; 6] = [
    (
        "The home",
        &[
            (
                "state",
                "The latest value of a topic, `()` where there is none; with a path, what stands there, else the default.",
            ),
            (
                "last",
                "A topic's last message: `#{ msg, payload, at, changed_at, retained }`, `()` where there is none.",
            ),
            ("age", "Seconds since a topic's last message; `()` for one that was never seen."),
            ("exists", "Whether a topic has a value now."),
            ("states", "The topics of a filter that have a value: a list of `#{ topic, captures, msg }`."),
            (
                "any",
                "Whether a topic of a filter has this value, or one for which the closure is true; of a list: whether an item is so.",
            ),
            (
                "all",
                "Whether all topics of a filter have this value, or the closure is true for it, and there is one; of a list: for all items.",
            ),
            (
                "count",
                "How many topics of a filter have this value, or satisfy the closure; of a list: how many items.",
            ),
            ("holds", "Whether a `while` rule has begun and not ended; without an argument, this rule."),
            ("running", "Whether a rule has a run that hasn't ended."),
            ("between", "Whether it is between two times of day or sun events; the range may pass midnight."),
            ("weekend", "Whether it is Saturday or Sunday."),
            ("weekday", "Whether it is one of these days: `mon`, `mon-fri`."),
            (
                "random",
                "A number from 0 to below 1; with two numbers, one from the first to the second; with a list, one of its items.",
            ),
        ],
    ),
    (
        "Acting, in closures",
        &[
            ("rule", "Makes a rule, while its file loads: a key, and a map with the keys of YAML."),
            ("publish", "Publishes; the options are `qos`, `retain` and `if_changed` (`true`, or a topic)."),
            ("scene", "Publishes each topic of a scene, which a YAML file defines."),
            ("set", "Commands a device. Not there yet."),
            (
                "after",
                "Calls a closure later. A timer with a name replaces the earlier one of that name; all are kept across restarts.",
            ),
            ("cancel", "Ends the rule's timer of that name."),
            ("remember", "Keeps a value for this rule: `memory.name`, across restarts too."),
            ("enable", "Switches a rule on."),
            ("disable", "Switches a rule off."),
            ("log", "Writes to the log and the trace; the level is `debug`, `info` (the default), `warn` or `error`."),
            ("http", "Sends a request, and doesn't wait: `url`, `method`, `headers`, `body`, `timeout`."),
            ("print", "The same as `log(text)`."),
            ("debug", "The same as `log(value, \"debug\")`."),
        ],
    ),
    (
        "Values",
        &[
            ("json", "The value that a JSON text holds."),
            ("to_json", "The value as JSON."),
            ("clamp", "The number, but not below `low` and not above `high`."),
            ("round", "The nearest whole number; with digits, that many behind the point."),
            ("pick", "Of a map these keys only."),
            ("type_of", "What kind of value it is, as a text."),
            ("to_string", "The value as a text."),
            ("get", "The value of a map's key, `()` where there is none."),
            ("is_shared", "Whether a closure has captured it too."),
            ("Fn", "A function of the file as a closure."),
        ],
    ),
    (
        "Texts",
        &[
            ("len", "How many characters, items or keys there are."),
            ("bytes", "How many bytes a text has."),
            ("is_empty", "Whether there is nothing in it."),
            ("contains", "Whether a text, list or map has this part, item or key."),
            ("starts_with", "Whether a text begins so."),
            ("ends_with", "Whether a text ends so."),
            ("index_of", "Where a part of a text, or an item of a list, first stands, from 0; -1 where it doesn't."),
            ("sub_string", "A part of a text."),
            ("to_upper", "The text in capitals."),
            ("to_lower", "The text in small letters."),
            ("trim", "The text without white space around it."),
            ("replace", "The text with one part replaced by another, wherever it stands."),
            ("split", "The parts of a text between separators."),
            ("split_rev", "The same, from the end."),
            ("join", "The items as one text, with this between them."),
            ("to_chars", "The characters of a text."),
            ("parse_int", "The whole number that a text holds; an error where it holds none."),
            ("parse_float", "The number that a text holds; an error where it holds none."),
            ("make_upper", "Turns a text into capitals. Scripts only."),
            ("make_lower", "Turns a text into small letters. Scripts only."),
            ("crop", "Cuts a text down to a part. Scripts only."),
        ],
    ),
    (
        "Lists and maps",
        &[
            ("filter", "The items for which the closure is true."),
            ("map", "What the closure gives for each item."),
            ("reduce", "One value from all items: the closure takes the value so far and an item."),
            ("reduce_rev", "The same, from the end."),
            ("some", "Whether the closure is true for an item."),
            ("find", "The first item for which the closure is true, `()` where there is none."),
            ("find_map", "What the closure gives first that isn't `()`."),
            ("zip", "Two lists, item by item."),
            ("extract", "A part of a list."),
            ("sort", "The list in order; it changes nothing: `list = list.sort()`."),
            ("reverse", "The list or text backwards; it changes nothing."),
            ("sum", "The sum of a list of numbers."),
            ("keys", "The keys of a map."),
            ("values", "The values of a map."),
            ("push", "Adds an item at the end. Scripts only, like all that follow here."),
            ("append", "Adds the items of another list."),
            ("insert", "Puts an item in at an index."),
            ("pop", "Takes the last item out."),
            ("shift", "Takes the first item out."),
            ("remove", "Takes an item, or a key, out."),
            ("clear", "Takes everything out."),
            ("truncate", "Keeps the first items."),
            ("chop", "Keeps the last items."),
            ("retain", "Keeps the items for which the closure is true, and gives the others."),
            ("drain", "Takes the items out for which the closure is true, and gives them."),
            ("dedup", "Takes out what stands twice in a row."),
            ("splice", "Replaces a part of a list by another list."),
            ("mixin", "Puts the keys of another map in."),
            ("fill_with", "Puts those keys of another map in that aren't there."),
            ("range", "The whole numbers from one to below another, for `for`."),
            ("for_each", "Calls the closure for each item, as `this`."),
        ],
    ),
    (
        "Numbers",
        &[
            ("abs", "The number without its sign."),
            ("sign", "-1, 0 or 1."),
            ("min", "The smaller one."),
            ("max", "The greater one."),
            ("sqrt", "The square root."),
            ("exp", "e to the power of x."),
            ("ln", "The natural logarithm."),
            ("log", "The logarithm to base 10, or to another. Of a text: see above."),
            ("sin", "The sine of an angle in radians."),
            ("cos", "The cosine."),
            ("tan", "The tangent."),
            ("asin", "The angle of a sine."),
            ("acos", "The angle of a cosine."),
            ("atan", "The angle of a tangent; of two numbers, that of a point."),
            ("sinh", "The hyperbolic sine."),
            ("cosh", "The hyperbolic cosine."),
            ("tanh", "The hyperbolic tangent."),
            ("asinh", "Its inverse."),
            ("acosh", "Its inverse."),
            ("atanh", "Its inverse."),
            ("hypot", "The length of the hypotenuse."),
            ("floor", "The whole number below."),
            ("ceiling", "The whole number above."),
            ("int", "What stands before the point."),
            ("fraction", "What stands behind the point."),
            ("to_int", "The number as a whole one."),
            ("to_float", "The number as one with a fraction."),
            ("to_degrees", "Radians in degrees."),
            ("to_radians", "Degrees in radians."),
            ("is_nan", "Whether it is no number at all."),
            ("is_finite", "Whether it is finite."),
            ("is_infinite", "Whether it is infinite."),
            ("is_zero", "Whether it is 0."),
            ("is_odd", "Whether it is odd."),
            ("is_even", "Whether it is even."),
            ("to_hex", "Its hexadecimal digits."),
            ("to_octal", "Its octal digits."),
            ("to_binary", "Its binary digits."),
            ("PI", "π."),
            ("E", "e."),
        ],
    ),
];

/// Returns the reference of all functions, in Markdown.
#[must_use]
pub fn function_reference() -> String {
    let mut page = String::from(HEAD);
    for (title, entries) in CHAPTERS {
        // Writing to a text can't fail.
        let _ = writeln!(page, "\n## {title}\n\n| function | gives or does |\n|---|---|");
        for (name, sentence) in entries {
            let usage = find(title, name).map_or(*name, |function| function.usage);
            let usage = usage.replace('|', "\\|");
            let _ = writeln!(page, "| `{usage}` | {sentence} |");
        }
    }
    page
}

/// What stands before the chapters.
const HEAD: &str = "# Functions

Written from the code: `src/script/functions/`. What expressions and scripts may call; a function may also be written \
behind its first argument: `list.len()`. What only scripts may call says so, or stands under \u{201c}Acting\u{201d}. Functions of \
`rules/lib` are called as `file::function(\u{2026})`.
";

/// Returns the function `name`, which a chapter is about.
fn find(title: &str, name: &str) -> Option<&'static Function> {
    let is_it = |function: &&Function| function.name == name;
    if title.starts_with("Acting") {
        return SCRIPT_FUNCTIONS.iter().find(is_it);
    }
    FUNCTIONS.iter().find(is_it).or_else(|| SCRIPT_FUNCTIONS.iter().find(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_is_described_and_nothing_else_is() {
        let described =
            || CHAPTERS.iter().flat_map(|(title, entries)| entries.iter().map(move |(name, _)| (*title, *name)));
        for function in FUNCTIONS.iter().chain(&SCRIPT_FUNCTIONS) {
            assert!(described().any(|(_, name)| name == function.name), "{}", function.name);
        }
        for (title, name) in described() {
            assert!(find(title, name).is_some(), "{name}");
        }
    }
}
