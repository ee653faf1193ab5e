//! Expressions that fail when they are evaluated: each with its exact place and words.

use super::Home;

fn check(cases: &[(&str, &str)]) {
    let mut home = Home::new()
        .set("msg", r#"{"state": "ON", "n": 21.5, "list": [3, 1, 2]}"#)
        .set("old", "")
        .set("payload", "\"22.5\"");
    for (expression, wanted) in cases {
        assert_eq!(home.eval(expression), *wanted, "{expression}");
    }
}

#[test]
fn ordering_values_of_different_types_fails() {
    check(&[
        ("payload > 22", "failed «>» can't compare a text with a number: \"22.5\" > 22"),
        ("() > 3", "failed «>» can't compare nothing with a number: () > 3"),
        ("msg.nix <= 3", "failed «<=» can't compare nothing with a number: () <= 3"),
        ("3 < true", "failed «<» can't compare a number with a boolean: 3 < true"),
        ("msg >= 3", "failed «>=» can't compare a map with a number: #{…} >= 3"),
        ("[1] < [2]", "failed «<» can't order a list and a list: […] < […]"),
        ("true > false", "failed «>» can't order a boolean and a boolean: true > false"),
        ("now > 3", "failed «>» can't compare a time with a number: 2024-06-01T20:00:00+02:00 > 3"),
        ("[2, 'a'].sort()", "failed «sort» can't compare a text with a number: \"a\" < 2"),
        ("clamp('a', 1, 2)", "failed «clamp» can't compare a text with a number: \"a\" < 1"),
    ]);
}

#[test]
fn reading_a_property_of_nothing_fails_and_says_what_was_nothing() {
    check(&[
        ("old.state", "failed «state» can't read `state` of `()`: `old` gives nothing"),
        ("msg.nix.foo > 3", "failed «foo» can't read `foo` of `()`: `msg.nix` gives nothing"),
        ("1 + msg[\"nix\"].foo", "failed «foo» can't read `foo` of `()`: `msg[\"nix\"]` gives nothing"),
        ("msg.list.map(|x| x.foo)", "failed «foo» can't read `foo`: `x` is a number, which has no such property"),
        ("msg.state.x", "failed «x» can't read `x`: `msg.state` is a text, which has no such property"),
    ]);
}

#[test]
fn what_is_no_boolean_decides_nothing() {
    check(&[
        ("msg.nix and true", "failed «msg.nix» a boolean is needed here, not nothing"),
        ("true and msg.state", "failed «msg.state» a boolean is needed here, not a text"),
        ("not msg.n", "failed «not» `not` takes a boolean, not a number"),
        ("if msg.n { 1 } else { 2 }", "failed «msg.n» a boolean is needed here, not a number"),
        ("msg.list.filter(|x| x)", "failed «filter» the closure must give a boolean; for 3 it gives a number"),
    ]);
}

#[test]
fn a_function_refuses_what_it_cannot_take() {
    check(&[
        ("1 / 0", "failed «/» can't divide by zero"),
        ("1 / 0.0", "failed «/» can't divide by zero"),
        ("1 % 0", "failed «%» modulo division by zero or overflow: 1 % 0"),
        ("9223372036854775807 + 1", "failed «+» addition overflow: 9223372036854775807 + 1"),
        ("'a' - 1", "failed «-» can't subtract a number from a text"),
        ("'a' + msg.nix", "failed «+» can't add nothing to a text"),
        ("msg + 1", "failed «+» can't add a map and a number"),
        ("'a' * 2", "failed «*» can't multiply a text by a number"),
        ("len(5)", "failed «len» `len` can't take a number"),
        ("msg.list[5]", "failed «5» there is no item 5 in a list of 3"),
        ("'abc'[7]", "failed «7» there is no character 7 in a text of 3"),
        ("json('{')", "failed «json» `json`: this isn't JSON: EOF while parsing an object at line 1 column 1"),
        ("clamp(1, 3, 2)", "failed «clamp» `clamp` takes the lower end first: 3 is above 2"),
        ("sum(['a'])", "failed «sum» can't add up a text: \"a\""),
        ("random([])", "failed «random» `random` can't choose from an empty list"),
        ("random(3 + 0, 1)", "failed «random» `random` takes the lower number first: 3 is above 1"),
        (
            "state('a/' + '+')",
            "failed «state» `a/+` isn't a valid topic: a topic can't contain a wildcard (`+` or `#`)",
        ),
        ("holds('nix')", "failed «holds» there is no rule `nix`"),
        ("sun.up", "failed «up» the sun needs the home's place: set `location:` in homerule.yaml"),
    ]);
}

#[test]
fn nothing_within_a_text_fails_with_its_own_place() {
    check(&[
        ("'a/${msg.nix}/b'", "failed «msg.nix» `msg.nix` gives `()`, which can't be put into a text"),
        ("'${1}${old}'", "failed «old» `old` gives `()`, which can't be put into a text"),
    ]);
}

#[test]
fn what_is_no_value_cannot_be_a_result() {
    check(&[
        ("|x| x", "failed «|x| x» the expression gives no value: a closure isn't a value"),
        ("[1, |x| x]", "failed «[1, |x| x]» the expression gives no value: a closure isn't a value"),
        ("1..3", "failed «1..3» the expression gives no value: a range isn't a value"),
    ]);
}
