//! Whatever stands in an expression or a template: no panic, and each error marks a part of the text.

use proptest::prelude::*;

use crate::model::{PlacedText, RuleId, Value};

use super::super::{Frame, Reads};
use super::Home;

const FRAGMENTS: [&str; 84] = [
    "msg",
    "msg.state",
    "room",
    "captures",
    "now",
    "sun",
    "old",
    "x",
    "ä",
    "1",
    "2.5",
    "0",
    "-",
    "'a'",
    "\"b\"",
    "`c`",
    "'${",
    "}'",
    "${",
    "}",
    "{",
    "#{",
    "(",
    ")",
    "[",
    "]",
    "?[",
    ".",
    "?.",
    ",",
    ":",
    " and ",
    " or ",
    " not ",
    " in ",
    "if ",
    " else ",
    "true",
    "false",
    "()",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "*",
    "/",
    "%",
    "**",
    "??",
    "..",
    "..=",
    "|x| ",
    "|",
    "||",
    "&&",
    "!",
    "=",
    ";",
    "state('a')",
    "state('b', 'c', 1)",
    "states('#')",
    "any('#', ",
    "holds()",
    "random(1, 2)",
    "between('1', '2')",
    "len(",
    ".len()",
    ".map(",
    ".filter(",
    ".reduce(",
    ".keys()",
    ".split('')",
    "json('[1]')",
    "clamp(",
    "round(",
    "pick(",
    "default",
    "let ",
    "\\",
    "'",
    "\n",
    "//",
    "/*",
];

fn fragments(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&FRAGMENTS[..]), 0..most).prop_map(|parts| parts.concat())
}

fn is_part(text: &str, at: &std::ops::Range<usize>) -> bool {
    at.start <= at.end && text.get(at.clone()).is_some()
}

fn try_all(text: &str) -> Result<(), TestCaseError> {
    thread_local! {
        static HOME: std::cell::RefCell<Home> = std::cell::RefCell::new(
            Home::new().set("msg", r#"{"state": "ON", "list": [1, 2, 3]}"#).set("room", "hall").hear("a", "1", 5),
        );
    }
    HOME.with_borrow_mut(|home| {
        let source = PlacedText::whole_file(text, "rules/test.yaml");
        let rule = RuleId::new("test", "rule");
        let variables = home.variables.clone();
        let variables = |name: &str| variables.get(name).cloned().unwrap_or(Value::Null);
        let mut reads = Reads::default();
        let mut frame = Frame { rule: &rule, variables: &variables, entropy: 1, reads: &mut reads };
        match home.sandbox.compile(&source, &home.names()) {
            Err(error) => prop_assert!(is_part(text, &error.at), "{error:?}"),
            Ok(expression) => {
                if let Err(failure) = home.sandbox.evaluate(&mut home.world, &expression, &mut frame) {
                    prop_assert!(is_part(text, &failure.at), "{failure:?}");
                }
            }
        }
        match home.sandbox.compile_text(&source, &home.names()) {
            Err(error) => prop_assert!(is_part(text, &error.at), "{error:?}"),
            Ok(template) => drop(home.sandbox.render(&mut home.world, &template, &mut frame)),
        }
        prop_assert_eq!(home.world.states.len(), 1, "the world was given back");
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_sequence_of_tokens_panics(text in fragments(14)) {
        try_all(&text)?;
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        try_all(&text)?;
    }

    #[test]
    fn no_mutation_of_a_good_expression_panics(position in 0_usize..80, fragment in fragments(2)) {
        let good = "if msg.list.map(|x| x + 1).len() > 2 and not 'a${room}'.contains('b') { msg?.state } else { #{ a: [1, -2.5] } }";
        let position = good.char_indices().map(|(index, _)| index).nth(position).unwrap_or(0);
        let (before, after) = good.split_at(position);
        try_all(&format!("{before}{fragment}{after}"))?;
    }
}
