//! Templates give what Home Assistant makes of them: compared with its own engine's results.
//!
//! `tests/tools/template_results.py` writes the fixture.

use super::*;

const RESULTS: &str = include_str!("../../../tests/fixtures/devices/templates.jsonl");

/// Where the engine differs, and why it may: none is what a device's discovery needs.
const DIFFERENT: [(&str, &str); 14] = [
    ("{{ value_json.update['state']", "a key that Python's maps have as a method is found here"),
    ("{{ value_json.value[0:2] | int(0, 16) }}", "nothing can be cut here, and is nothing"),
    ("{% set modes = {0: 'off'", "true isn't the key 1 here"),
    ("value_json.value >= 99", "values of two kinds are compared here"),
    ("{{ value_json > 3 }}", "values of two kinds are compared here"),
    ("1e20", "a number beyond 64 bits is a float here"),
    ("{{ value_json % 3 }}", "what is left of a negative number has its sign here"),
    ("{{ -value_json }}", "true isn't a number here"),
    ("{{ [1, value_json] | sum }}", "true isn't a number here"),
    ("{{ '%05.1f' % value_json }}", "`%` is a remainder here; the filter `format` isn't"),
    ("{{ value_json ~ '' }}", "a tiny number is written without an exponent here"),
    ("{{ value | slugify }} of Ä", "letters with marks are left out here"),
    ("{{ value_json.b.items() | list }}", "a tuple is a list here"),
    ("{{ (1, 2) }}", "a tuple is a list here"),
];

/// Returns what a template makes of a payload, as text; `None` where it says nothing.
fn rendered(source: &str, text: &str) -> Option<String> {
    let template = Template::parse(source).ok()?;
    // Home Assistant compares texts: a number that was picked is written as Python does.
    template.read(&payload(text)).ok().map(|value| crate::devices::template::python_text(&value).into_owned())
}

#[test]
fn each_template_gives_what_home_assistant_makes_of_it() {
    let mut wrong = Vec::new();
    let mut different = Vec::new();
    let mut count = 0;
    for line in RESULTS.lines().skip(1) {
        let (source, text, expected): (String, String, Option<String>) = serde_json::from_str(line).unwrap();
        count += 1;
        let given = rendered(&source, &text);
        let case = format!("{source} of {text}");
        let difference = DIFFERENT.iter().position(|(known, _)| case.contains(known));
        match difference {
            Some(place) if given != expected => different.push(place),
            None if given != expected => wrong.push(format!("{case}: {given:?}, not {expected:?}")),
            _ => {}
        }
    }
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), DIFFERENT.len(), "a difference that is none any more");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
