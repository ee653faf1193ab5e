//! Templates (docs/language/actions.md).

use crate::model::{PlacedText, RuleId, Value};

use super::super::{Frame, Reads, Template, TextPart};
use super::{Home, told};

impl Home {
    fn template(&self, text: &str) -> Result<Template, String> {
        let source = PlacedText::whole_file(text, "rules/test.yaml");
        self.sandbox.compile_text(&source, &self.names()).map_err(|error| told(text, &error))
    }

    fn render(&mut self, text: &str) -> Result<Value, String> {
        let template = self.template(text)?;
        self.render_template(&template)
    }

    fn render_template(&mut self, template: &Template) -> Result<Value, String> {
        let rule = RuleId::new("test", "rule");
        let variables = |name: &str| self.variables.get(name).cloned().unwrap_or_default();
        let mut reads = Reads::default();
        let mut frame = Frame { rule: &rule, variables: &variables, entropy: self.entropy, reads: &mut reads };
        let result = self.sandbox.render(&mut self.world, template, &mut frame);
        self.reads = reads;
        result.map_err(|failure| {
            let place = failure.place.clone().map(|place| place.to_string()).unwrap_or_default();
            let unknown = failure.without_value.map(|topic| format!(" ({topic} has no value yet)")).unwrap_or_default();
            format!("{place}: {}{unknown}", failure.message)
        })
    }
}

fn home() -> Home {
    Home::new().set("msg", r#"{"b": 1, "a": [1, 2.0], "t": "x", "nix": null}"#).set("room", "hall").set("n", "21.0")
}

#[test]
fn a_text_without_expressions_is_a_constant() {
    let home = home();
    for plain in ["", "ON", "5$", "$room", "{x}", "a } b", "'${'".trim_end_matches("${'")] {
        assert_eq!(home.template(plain).unwrap().as_constant(), Some(&Value::text(plain)), "{plain}");
    }
    assert_eq!(home.template("a $${room} b").unwrap().as_constant(), Some(&Value::text("a ${room} b")));
}

#[test]
fn one_expression_alone_keeps_its_type() {
    let mut home = home();
    assert_eq!(home.render("${1 + 1}"), Ok(Value::Int(2)));
    assert_eq!(home.render("${n}").unwrap().to_string(), "21.0");
    assert_eq!(home.render("${true}"), Ok(Value::Bool(true)));
    assert_eq!(home.render("${msg.a}").unwrap().to_string(), "[1,2.0]");
    assert_eq!(home.render("${msg.nix}"), Ok(Value::Null));
    assert_eq!(home.render("${now}").unwrap().kind(), "a time");
}

#[test]
fn within_a_text_values_stand_as_their_text() {
    let mut home = home();
    assert_eq!(home.render("home/${room}/set"), Ok(Value::text("home/hall/set")));
    assert_eq!(home.render("${room}${n}${true}"), Ok(Value::text("hall21.0true")));
    assert_eq!(home.render(" ${1}"), Ok(Value::text(" 1")));
    assert_eq!(home.render("x ${msg.a} ${#{ b: 1, a: 'q' }}"), Ok(Value::text("x [1,2.0] {\"a\":\"q\",\"b\":1}")));
}

#[test]
fn braces_and_texts_within_an_expression_dont_end_it() {
    let mut home = home();
    assert_eq!(home.render("a ${#{ x: #{ y: 1 } }.x.y} b"), Ok(Value::text("a 1 b")));
    assert_eq!(home.render("a ${'}'} b"), Ok(Value::text("a } b")));
    assert_eq!(home.render("a ${'${room}}'} b"), Ok(Value::text("a hall} b")));
    assert_eq!(home.render("a ${if true { 'x' } else { 'y' }} b"), Ok(Value::text("a x b")));
    assert_eq!(home.render("${1}$${2}${3}"), Ok(Value::text("1${2}3")));
}

#[test]
fn nothing_within_a_text_fails_at_its_place() {
    let mut home = home();
    assert_eq!(
        home.render("a\nb ${msg.nix} c"),
        Err("rules/test.yaml:2:5: `msg.nix` gives `()`, which can't be put into a text".to_owned())
    );
    assert_eq!(
        home.render("a ${ state('x').y } c"),
        Err("rules/test.yaml:1:17: can't read `y` of `()`: `state('x')` gives nothing (x has no value yet)".to_owned())
    );
}

#[test]
fn mistakes_are_told_in_the_place_of_the_whole_text() {
    let home = home();
    for (template, wanted) in [
        ("ä ${room", "Syntax «${» `${` is never closed: a `}` is missing"),
        ("ä ${}", "Syntax «${}» an expression is missing between `${` and `}`"),
        ("ä ${ } b", "Syntax «${ }» an expression is missing between `${` and `}`"),
        ("ä ${room} ${rom}", "UnknownVariable «rom» nothing is named `rom`; did you mean `room`?"),
        ("ä ${1 +} b", "Syntax «» the expression ends too early: a value is missing"),
        ("ä ${'b} c", "Syntax «'» the text is never closed: a `'` is missing"),
        (
            "ä ${room = 1}",
            "NotAnExpression «=» `=` assigns, which an expression can't: two values are compared with `==`",
        ),
    ] {
        assert_eq!(home.template(template).unwrap_err(), wanted, "{template}");
    }
}

#[test]
fn lists_and_maps_keep_the_order_in_which_they_were_written() {
    let mut home = home();
    let template = Template::Map(vec![
        (
            home.template("z-${room}").unwrap(),
            Template::List(vec![home.template("${n}").unwrap(), home.template("x").unwrap()]),
        ),
        (home.template("a").unwrap(), Template::Constant(Value::Int(1))),
        (home.template("${n}").unwrap(), Template::Constant(Value::Null)),
    ]);
    let value = home.render_template(&template).unwrap();
    assert_eq!(value.to_string(), r#"{"z-hall":[21.0,"x"],"a":1,"21.0":null}"#);
    let read: Vec<_> =
        template.expressions().iter().map(|expression| expression.source().as_str().to_owned()).collect();
    assert_eq!(read, ["room", "n", "n"]);
}

#[test]
fn the_payload_of_a_template_that_hands_on_a_map_is_whole() {
    let mut home = home();
    assert_eq!(home.render("${msg}").unwrap().to_string(), r#"{"a":[1,2.0],"b":1,"nix":null,"t":"x"}"#);
}

#[test]
fn draws_differ_within_one_template() {
    let mut home = home();
    let drawn = home.render("${random()} ${random()}").unwrap().to_string();
    let (first, second) = drawn.split_once(' ').unwrap();
    assert_ne!(first, second);
    assert!(
        matches!(home.template("${1} ${2}").unwrap(), Template::Text(parts) if matches!(parts[1], TextPart::Literal(_)))
    );
}
