//! The sandbox holds: whatever an expression does, it ends with a clear error, and soon.

use crate::model::Value;

use super::super::Limits;
use super::Home;

fn small() -> Home {
    let limits = Limits { operations: 10_000, text: 10_000, items: 1_000, ..Limits::default() };
    let mut home = Home::with_limits(limits);
    home.variables.insert("list".to_owned(), Value::List((0..500).map(Value::Int).collect::<Vec<_>>().into()));
    home.variables.insert("long".to_owned(), Value::text("x".repeat(6_000)));
    home
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Int(1), |value, _| Value::List(vec![value].into()))
}

#[test]
fn operations_are_counted_within_closures_too() {
    let told = small().eval("list.map(|a| list.map(|b| list.map(|c| a + b + c)))");
    assert!(told.ends_with("the expression needs more than 10000 operations"), "{told}");
    let told = small().eval("states('#').len() + list.filter(|a| list.all(|b| b >= 0)).len()");
    assert!(told.ends_with("the expression needs more than 10000 operations"), "{told}");
}

#[test]
fn each_evaluation_has_its_own_operations() {
    let mut home = small();
    for _ in 0..100 {
        assert_eq!(home.eval("list.filter(|a| a > 3).len()"), "496");
    }
}

#[test]
fn texts_cant_grow_beyond_their_limit() {
    for bomb in [
        "long + long",
        "'${long}${long}'",
        "list.reduce(|s, x| s + s, 'aa')",
        "long.replace('x', 'xx')",
        "long.replace('', 'xx')",
        "[long, long].join('')",
        "[long].map(|s| s + long)",
    ] {
        let told = small().eval(bomb);
        assert!(told.ends_with("a text grows beyond its limit of 9.8 KiB"), "{bomb}: {told}");
    }
}

#[test]
fn lists_and_maps_cant_grow_beyond_their_limit() {
    for bomb in [
        "list + list + list",
        "list.map(|x| list)",
        "list.reduce(|l, x| l + l, [1])",
        "[list, list, list]",
        "#{ a: list, b: list, c: list }",
        "long.to_chars()",
        "long.split('')",
    ] {
        let told = small().eval(bomb);
        assert!(told.contains("a list or map grows beyond its limit of "), "{bomb}: {told}");
    }
}

#[test]
fn a_payload_with_too_many_items_is_refused_where_it_is_read_as_a_whole() {
    let mut home = small();
    let items = (0..2_000).map(Value::Int).collect::<Vec<_>>();
    let map = [("big".into(), Value::List(items.into())), ("state".into(), Value::text("ON"))];
    home.variables.insert("msg".to_owned(), Value::Map(std::sync::Arc::new(map.into_iter().collect())));
    assert_eq!(home.eval("msg.state"), "\"ON\"");
    assert_eq!(
        home.eval("msg.len()"),
        "failed «msg.len()» can't read `msg`: it has more items than an expression may read"
    );
}

#[test]
fn deep_expressions_are_refused_with_a_clear_error() {
    let mut home = small();
    let cases = [
        format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
        "!".repeat(10_000) + "true",
        "not ".repeat(10_000) + "true",
        "-".repeat(9_999) + "1",
        vec!["1"; 10_000].join(" + "),
        vec!["list"; 5_000].join("."),
        format!("list{}", "[0]".repeat(5_000)),
        "if true { 1 } else ".repeat(2_000) + "{ 1 }",
        "|x| ".repeat(5_000) + "1",
        format!("{}1{}", "list.map(".repeat(2_000), ")".repeat(2_000)),
        format!("{}1{}", "#{ a: ".repeat(2_000), " }".repeat(2_000)),
    ];
    for case in &cases {
        let told = home.eval(case);
        let start: String = case.chars().take(20).collect();
        let is_clear = told.ends_with("the expression is nested more than 64 deep") || told.contains("`--` assigns");
        assert!(
            is_clear && !told.starts_with("failed"),
            "{start}…: {}",
            told.chars().rev().take(100).collect::<String>()
        );
    }
    let deep = ["'${".repeat(3_000), "}'".repeat(3_000)].join("1");
    assert_eq!(home.eval(&deep), "Syntax «${» texts within texts go more than 8 deep");
    let long = format!("'{}'", "x".repeat(70_000));
    assert!(home.eval(&long).ends_with("an expression can't be longer than 60000 characters"));
}

#[test]
fn what_is_just_allowed_works() {
    let mut home = small();
    assert_eq!(home.eval(&format!("{}1{}", "(".repeat(25), ")".repeat(25))), "1");
    assert_eq!(home.eval(&vec!["1"; 40].join(" + ")), "40");
    assert_eq!(home.eval(&vec!["true"; 50].join(" and ")), "true");
}

#[test]
fn deep_values_are_refused_both_ways() {
    let mut home = small();
    home.variables.insert("deep".to_owned(), nested(100));
    home.variables.insert("deeper".to_owned(), nested(101));
    assert!(home.value("deep").is_ok());
    assert_eq!(
        home.eval("deeper"),
        "failed «deeper» can't read `deeper`: lists and maps are nested more than 100 deep"
    );
    assert_eq!(
        home.eval("[deep]"),
        "failed «[deep]» the expression gives no value: lists and maps are nested more than 100 deep"
    );
}

#[test]
fn an_evaluation_can_be_interrupted_from_outside() {
    let mut home = small();
    home.sandbox.interrupter().interrupt(1);
    assert_eq!(home.eval("list.len() > 3 and true"), "failed «and» the expression takes longer than 100 ms");
    assert_eq!(home.eval("list.len() > 3 and true"), "true");
}

#[test]
fn the_states_of_many_topics_are_bounded_together() {
    let list = format!("[{}]", vec!["1"; 400].join(","));
    let mut home = small().hear("a/1", &list, 1).hear("a/2", &list, 1);
    assert_eq!(home.eval("states('a/+').len()"), "2");
    let mut home = home.hear("a/3", &list, 1);
    assert_eq!(
        home.eval("states('a/+').len()"),
        "failed «states» can't read `a/3`: it has more items than an expression may read"
    );
    assert_eq!(home.eval("count('a/+', |list| list.len() == 400)"), "3");
}
