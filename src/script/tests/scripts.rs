//! Scripts, seen from outside: what loads and what doesn't, and that the sandbox holds whatever they do.

use std::sync::Arc;

use crate::model::{Map, RuleId, Value};

use super::super::{Closure, Command, Frame, GivenKind, Limits, LoadedScript, Reads, ScriptFile};
use super::{Home, part};

/// Loads files named by their stem, and returns what the first said.
fn load(home: &Home, files: &[(&str, &str)]) -> LoadedScript {
    let file = |(stem, text): &(&str, &str)| ScriptFile {
        file: format!("rules/{stem}.rhai").into(),
        stem: (*stem).into(),
        text: (*text).into(),
    };
    let files: Vec<ScriptFile> = files.iter().map(file).collect();
    home.sandbox.load_scripts(&files).remove(&files[0].stem).unwrap()
}

/// Returns why a script doesn't load, each mistake with the part that it marks.
fn mistakes(text: &str) -> String {
    let loaded = load(&Home::new(), &[("a", text)]);
    let told = loaded.errors.iter().map(|error| {
        let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{:?} «{}» {}{help}", error.kind, part(text, &error.at), error.message)
    });
    told.collect::<Vec<_>>().join("\n")
}

/// Returns the closure `then` of the first rule of a script.
fn then(home: &Home, files: &[(&str, &str)]) -> Closure {
    let loaded = load(home, files);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    let GivenKind::Map(entries) = &loaded.rules[0].map.kind else { panic!("no map") };
    let then = entries.iter().find(|entry| entry.key.as_str() == "then").unwrap();
    let GivenKind::Closure(closure) = &then.value.kind else { panic!("no closure") };
    closure.clone()
}

/// Calls a closure, and returns what it asked for, or how it failed.
fn call(home: &mut Home, closure: &Closure) -> Result<Vec<Command>, String> {
    let rule = RuleId::new("a", "rule");
    let memory = Value::Map(Arc::new(Map::default()));
    let variables = |name: &str| match name {
        "memory" => memory.clone(),
        name => home.variables.get(name).cloned().unwrap_or_default(),
    };
    let mut reads = Reads::default();
    let mut frame = Frame { rule: &rule, variables: &variables, entropy: 1, reads: &mut reads };
    let names: Vec<_> = home.variables.keys().map(|name| name.as_str().into()).collect();
    let called = home.sandbox.call(&mut home.world, closure, &names, &mut frame);
    match called.result {
        Ok(_) => Ok(called.commands.into_iter().map(|asked| asked.command).collect()),
        Err(failure) => {
            let place = failure.place.map(|place| place.to_string()).unwrap_or_default();
            Err(format!("{place}: {}", failure.message))
        }
    }
}

/// Runs `body` as the closure of a rule, with the payload `msg`.
fn run(body: &str) -> Result<Vec<Command>, String> {
    let mut home = Home::new().set("msg", "5");
    let text = format!("rule(\"r\", #{{ when: \"a\", then: |e| {{ {body} }} }});");
    let closure = then(&home, &[("a", &text)]);
    call(&mut home, &closure)
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_was_meant() {
    assert_eq!(
        mistakes("rule(\"r\", #{ when: \"a\", then: |e| publihs(\"b\", 1) });"),
        "UnknownFunction «publihs» there is no function `publihs`; did you mean `publish`?"
    );
    assert_eq!(
        mistakes("fn f() { g() }\nrule(\"r\", #{ then: |e| { f(); publish(\"a\"); } });"),
        "UnknownFunction «g» there is no function `g`\nUnknownFunction «publish» `publish` takes 2 or 3 arguments, not 1; write \
         `publish(topic, payload, #{ retain: true })`"
    );
    assert_eq!(
        mistakes("let room = 1; rule(\"r\", #{ then: |e| rom });"),
        "UnknownVariable «rom» nothing is named `rom`; did you mean `room`?"
    );
    assert_eq!(
        mistakes("rule(\"r\", #{ then: |e| msg.state });"),
        "UnknownVariable «msg» nothing is named `msg`; a closure takes the event, which has it: `|e| … e.msg`"
    );
    assert_eq!(
        mistakes("const A = 1; fn f() { A }"),
        "UnknownVariable «A» nothing is named `A`; a function (`fn`) sees only its own arguments and variables; of the file's \
         constants, `global::A`"
    );
    assert_eq!(
        mistakes("rule(\"r\", #{ then: e => { 1 } });"),
        "Syntax «e» a closure is written otherwise here; a closure is written `|e| { … }`, and `|| { … }` where it takes nothing"
    );
    assert_eq!(
        mistakes("rule(\"r\", #{ then: |e| state.home });"),
        "UnknownVariable «state» nothing is named `state`; it is a function: write `state(…)`"
    );
    assert_eq!(
        mistakes("sleep(1)"),
        "UnknownFunction «sleep» there is no function `sleep`; a script can't wait: write `after(\"5s\", || { … })`"
    );
    assert_eq!(
        mistakes("x::f()"),
        "UnknownFunction «x» nothing is imported as `x`; import it at the top of the file: `import \"lib/x\" as x;`"
    );
    assert_eq!(mistakes("let t = 'ON';"), "Syntax «'ON'» `'…'` holds one character; put text in `\"…\"`");
    assert!(mistakes("rule(\"r\", #{ if: 1 })").starts_with("Syntax «if»"), "{}", mistakes("rule(\"r\", #{ if: 1 })"));
}

#[test]
fn a_changed_list_that_nobody_takes_is_an_error() {
    assert_eq!(
        mistakes("let l = [2, 1]; l.sort(); l = l.sort(); let m = l.reverse(); fn f(t) { return t.trim(); }"),
        "UnknownFunction «sort» `sort` changes nothing: it gives what is changed; write `l = l.sort(…)`"
    );
}

#[test]
fn what_a_script_can_reach_is_what_is_listed() {
    for name in ["eval(\"1\")", "timestamp()", "\"a\".pad(9, \"b\")", "blob(9)", "parse_json(\"1\")", "open(\"x\")"] {
        assert!(mistakes(name).contains("there is no function"), "{name}: {}", mistakes(name));
    }
}

#[test]
fn an_import_leads_nowhere_but_into_the_library() {
    for path in ["../secret", "/etc/passwd", "lib/../../x", "tv", "lib//x", "lib/./x", "lib\\x"] {
        let text = format!("import \"{path}\" as x;");
        assert!(mistakes(&text).contains("can't be imported"), "{path}: {}", mistakes(&text));
    }
    assert!(mistakes("import \"lib/x\" as x;").contains("there is no `rules/lib/x.rhai`"));
    assert!(mistakes("let p = \"lib/x\"; import p as x;").contains("names its file in quotes"));
    assert!(mistakes("fn f() { import \"lib/x\" as x; }").starts_with("BadImport"));
}

#[test]
fn an_import_of_itself_is_an_error() {
    let home = Home::new();
    let text = "import \"lib/b\" as b; fn f() { b::f() }";
    let back = "import \"lib/a\" as a; fn f() { a::f() }";
    let loaded = load(&home, &[("c", "import \"lib/a\" as a; a::f();"), ("lib/a", text), ("lib/b", back)]);
    assert_eq!(loaded.errors[0].message, "`lib/a` doesn't load");
    let loaded = load(&home, &[("lib/a", "import \"lib/a\" as a;")]);
    assert_eq!(loaded.errors[0].message, "`lib/a` imports itself, directly or by what it imports");
}

#[test]
fn what_goes_wrong_in_a_library_is_told_where_it_is_called_and_where_it_stands() {
    let home = Home::new();
    let library = "fn f(x) {\n  x.a.b\n}";
    let loaded = load(&home, &[("a", "import \"lib/l\" as l;\nl::f(#{});"), ("lib/l", library)]);
    assert_eq!(loaded.errors[0].message, "can't read `b` of `()`: `x.a` gives nothing (at rules/lib/l.rhai:2:7)");
    let mut home = Home::new().set("msg", "{}");
    let text = "import \"lib/l\" as l;\nrule(\"r\", #{ when: \"a\", then: |e| l::f(e.msg) });";
    let closure = then(&home, &[("a", text), ("lib/l", library)]);
    assert_eq!(
        call(&mut home, &closure).unwrap_err(),
        "rules/lib/l.rhai:2:7: can't read `b` of `()`: `x.a` gives nothing"
    );
}

#[test]
fn memory_bombs_end_with_an_error() {
    for bomb in [
        "let s = \"x\"; loop { s += s; }",
        "let l = [1]; loop { l += l; }",
        "let l = []; loop { l.push(l); }",
        "let l = []; loop { l.push(\"x\"); }",
        "let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; }",
        "let s = \"x\"; loop { s = s.replace(\"x\", \"xx\"); }",
        "let s = \"x\"; loop { s = `${s}${s}`; }",
        "let l = [1]; loop { l = [l, l]; }",
        "let l = [1]; loop { l.append(l); }",
        "let l = [1]; loop { l.insert(0, l); }",
        "let s = \"x\"; for i in 0..40 { s = s + s; }",
        "let l = []; for i in 0..9000 { l.push(i); } loop { publish(\"a\", l); }",
        "let m = #{ a: 1 }; loop { m = #{ a: m, b: m }; }",
    ] {
        let told = run(bomb).unwrap_err();
        assert!(
            ["grows beyond its limit", "more than", "nested"].iter().any(|part| told.contains(part)),
            "{bomb}: {told}"
        );
    }
}

#[test]
fn values_nested_without_end_overflow_no_stack() {
    let limits = Limits { operations: 30_000, items: 3_000, ..Limits::default() };
    let mut home = Home::with_limits(limits);
    for bomb in [
        "let l = [1]; loop { l = [l]; }",
        "let m = #{ a: 1 }; loop { m = #{ a: m }; }",
        "let f = || 1; loop { let g = f; f = || g; }",
        "let l = [1]; for i in 0..2900 { l = [l]; } throw l",
        "let l = [1]; for i in 0..2900 { l = [l]; } publish(\"a\", l == l);",
    ] {
        let text = format!("rule(\"r\", #{{ when: \"a\", then: |e| {{ {bomb} }} }});");
        let closure = then(&home, &[("a", &text)]);
        assert_eq!(call(&mut home, &closure).is_ok(), bomb.contains("publish"), "{bomb}");
    }
    home.variables.insert("list".to_owned(), Value::List((0..2_900).map(Value::Int).collect::<Vec<_>>().into()));
    assert!(home.eval("list.reduce(|l, x| [l], 0)").contains("nested more than 100 deep"));
    let loaded = load(&home, &[("a", "let l = [1]; for i in 0..2900 { l = [l]; }")]);
    assert_eq!(loaded.errors[0].message, "a variable of the file is nested too deep");
    let text = "fn f(n) { [n].map(|x| f(x + 1)) }\nrule(\"r\", #{ when: \"a\", then: |e| f(0) });";
    let closure = then(&home, &[("a", text)]);
    assert!(call(&mut home, &closure).is_err());
}

#[test]
fn endless_loops_and_deep_recursions_end_with_an_error() {
    for body in ["loop {}", "while true {}", "do {} while true;", "for i in 0..9223372036854775807 {}"] {
        let told = run(body).unwrap_err();
        assert!(told.ends_with("the script needs more than 1000000 operations"), "{body}: {told}");
    }
    let mut home = Home::new();
    let text = "fn f(n) { f(n + 1) }\nrule(\"r\", #{ when: \"a\", then: |e| f(0) });";
    let closure = then(&home, &[("a", text)]);
    assert_eq!(
        call(&mut home, &closure).unwrap_err(),
        "rules/a.rhai:2:31: functions call each other more than 32 deep"
    );
    assert!(run("let f = |f, n| f.call(f, n + 1); f.call(f, 0);").unwrap_err().contains("more than 32 deep"));
}

#[test]
fn a_script_that_hangs_while_it_loads_is_ended() {
    assert_eq!(mistakes("loop {}"), "Failed «{» the script needs more than 1000000 operations");
    assert!(mistakes("loop { rule(\"a\", #{ when: \"a\" }); }").contains("more than 10000 rules"));
}

#[test]
fn what_a_closure_does_is_bounded() {
    let told = run("loop { publish(\"a\", 1); }").unwrap_err();
    assert!(told.ends_with("a closure can't do more than 10000 things at once"), "{told}");
    let told = run("let s = \"x\"; for i in 0..19 { s += s; } loop { publish(\"a\", s); }").unwrap_err();
    assert!(told.ends_with("what a closure does holds more than 16 MiB"), "{told}");
}

#[test]
fn a_closure_that_captures_itself_can_not_be_kept() {
    let told = run("let f = (); f = || f.call(); after(\"1s\", f);").unwrap_err();
    assert!(told.contains("the closure captures what can't be kept: a closure isn't a value"), "{told}");
    let told = run("let l = []; l.push(|| l); after(\"1s\", l[0]);").unwrap_err();
    assert!(told.contains("what a closure has captured can't be changed"), "{told}");
}

#[test]
fn what_a_closure_is_given_wrongly_is_told() {
    for (body, told) in [
        ("after(2 + 3, || 1)", "a duration needs a unit"),
        ("after(\"5m\", 1 + 0)", "`after` takes a closure (`|| { … }`), not a number"),
        ("after(\"5m\", |x| 1)", "the closure of a timer takes no arguments"),
        ("publish(2 + 3, 1)", "`publish` takes a topic, not a number"),
        ("publish(\"a/\" + \"+\", 1)", "`a/+` isn't a valid topic"),
        ("publish(\"a\", || 1)", "the payload for `a`: a closure isn't a value"),
        ("publish(\"a\", 1, #{ qos: 1 + 2 })", "`qos` is 0, 1 or 2"),
        ("let o = #{ retian: true }; publish(\"a\", 1, o)", "`retian` isn't an option of `publish`"),
        ("rule(\"a\", #{})", "`rule` makes a rule while its file loads"),
        ("let r = #{}; http(r)", "`http` needs `url`"),
        ("log(\"a\", \"lo\" + \"ud\")", "`loud` isn't a log level"),
        ("state(\"x\") > 5", "can't compare nothing with a number"),
        ("e.msg.a", "can't read `a`"),
    ] {
        let failed = run(body).unwrap_err();
        assert!(failed.contains(told), "{body}: {failed}");
        assert!(failed.starts_with("rules/a.rhai:1:"), "{body}: {failed}");
    }
}

#[test]
fn a_payload_with_a_million_keys_is_refused_where_it_is_read_only() {
    let mut home = Home::new();
    let map: Map = (0..1_000_000).map(|index| (format!("k{index}").into(), Value::Int(index))).collect();
    home.variables.insert("msg".to_owned(), Value::Map(Arc::new(map)));
    let text = |body: &str| format!("rule(\"r\", #{{ when: \"a\", then: |e| {{ {body} }} }});");
    let closure = then(&home, &[("a", &text("publish(\"b\", e.topic ?? 1)"))]);
    assert_eq!(call(&mut home, &closure).unwrap().len(), 1);
    let closure = then(&home, &[("a", &text("publish(\"b\", e.msg)"))]);
    assert!(call(&mut home, &closure).unwrap_err().contains("can't read `e.msg`: it has more items"));
}

#[test]
fn a_script_of_five_megabytes_is_refused_at_once() {
    let text = "// x\n".repeat(1 << 20);
    let loaded = load(&Home::new(), &[("a", &text)]);
    assert_eq!(loaded.errors[0].message, "the script has 5120 KiB, and 256 are the most");
}

#[test]
fn an_evaluation_of_a_script_can_be_interrupted_from_outside() {
    let mut home = Home::new();
    let closure = then(&home, &[("a", "rule(\"r\", #{ when: \"a\", then: |e| { loop {} } });")]);
    home.sandbox.interrupter().interrupt(2);
    assert!(call(&mut home, &closure).unwrap_err().ends_with("the script takes longer than 100 ms"));
}

#[test]
fn any_text_is_a_script_or_a_mistake_within_it() {
    let good = "import \"lib/x\" as x;\nconst A = 1;\nfn f(a) { a + 1 }\nrule(\"r\", #{ when: [\"a\", `b${A}`], then: |e| { after(\"1s\", || publish(\"b\", e.msg)); } });";
    let pieces = [
        "|", "||", "\"", "`", "${", "}", "{", "#{", "(", ")", "[", "'", "/*", "//", ";", ",", "é", "fn", "rule(",
        "\u{0}", "import",
    ];
    let home = Home::new();
    let mut seed = 7_usize;
    for _ in 0..3000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut text = good.to_owned();
        let at = (seed >> 33) % text.len();
        if text.is_char_boundary(at) {
            match seed % 3 {
                0 => text.insert_str(at, pieces[(seed >> 20) % pieces.len()]),
                1 => text.truncate(at),
                _ => {
                    text.remove(at);
                }
            }
        }
        let loaded = load(&home, &[("a", &text), ("lib/x", "fn g() { 1 }")]);
        for error in loaded.errors {
            assert!(text.get(error.at.clone()).is_some(), "{text}: {error:?}");
        }
    }
}

#[test]
fn a_function_of_a_library_acts_by_what_it_is_given_and_not_by_a_name() {
    let library = "fn lg(x) { log(x) }\nfn lg2(x) { log(x, 2) }\nfn tell(x) { log(`${x}`) }\nfn warn(x) { log(x, \"warn\") }\n\
                   fn mark(m) { m.set(\"a\", 1); m }\nfn command() { set(\"lamp\", #{}) }\nfn deep(x) { if x > 1 { tell(x) } }\n\
                   fn send() { publish(\"a/b\", 1) }\nfn quoted(x) { log(\"x\" + x) }\nfn shown(x) { `${publish(\"a/b\", x)}` }";
    let mut home = Home::new();
    load(&home, &[("a", "import \"lib/m\" as m;"), ("lib/m", library)]);
    assert_eq!(home.eval("m::lg(100)"), "2.0");
    assert_eq!(home.eval("m::lg2(8)"), "3.0");
    assert_eq!(home.eval("m::mark(#{})"), r#"{"a":1}"#);
    let acts = |function: &str| format!("`m::{function}` calls");
    for (call, function, word) in [
        ("m::tell(1)", "tell", "log"),
        ("m::warn(1)", "warn", "log"),
        ("m::quoted(1)", "quoted", "log"),
        ("m::deep(1)", "deep", "log"),
        ("m::command()", "command", "set"),
        ("m::send()", "send", "publish"),
        ("m::shown(1)", "shown", "publish"),
    ] {
        let told = home.eval(call);
        assert!(
            told.contains(&format!("{} `{word}`: an expression changes nothing", acts(function))),
            "{call}: {told}"
        );
    }
    let told = home.eval("m::lg(\"loud\")");
    assert!(told.contains("works only in a closure of a rule"), "{told}");
}
