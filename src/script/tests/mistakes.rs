//! Mistakes that are told when a file is loaded: each with its exact place and words.

use super::Home;

fn check(cases: &[(&str, &str)]) {
    let mut home = Home::new().set("room", "hall");
    for (expression, wanted) in cases {
        assert_eq!(home.eval(expression), *wanted, "{expression}");
    }
}

/// What is told of two texts without an operator: Rhai itself would read `"a""b"` as one.
const SIDE_BY_SIDE: &str = "Syntax «'b'» an operator or a comma is missing between two texts; a quote within a text is written `\\'` or `\\\"`";

#[test]
fn a_single_equals_sign_is_told() {
    check(&[
        (
            "msg.state = 'ON'",
            "NotAnExpression «=» `=` assigns, which an expression can't: two values are compared with `==`",
        ),
        ("room += 1", "NotAnExpression «+=» `+=` assigns, which an expression can't"),
        ("room++", "NotAnExpression «++» `++` assigns, which an expression can't"),
        ("1 === 1", "Syntax «===» two values are compared with `==`, not `===`"),
        ("1 <> 1", "Syntax «<>» that two values differ is written `!=`, not `<>`"),
    ]);
}

#[test]
fn an_unclosed_text_or_bracket_is_told_where_it_opens() {
    check(&[
        ("msg == 'ON", "Syntax «'» the text is never closed: a `'` is missing"),
        ("msg == \"ON", "Syntax «\"» the text is never closed: a `\"` is missing"),
        ("msg == `ON", "Syntax «`» the text is never closed: a backtick is missing"),
        ("'a ${room", "Syntax «${» `${` is never closed: a `}` is missing"),
        ("'a ${'b'", "Syntax «${» `${` is never closed: a `}` is missing"),
        ("(1 + 2", "Syntax «(» `(` is never closed"),
        ("[1, (2]", "Syntax «]» `(` is closed by `)`, not by `]`"),
        ("1 + 2)", "Syntax «)» `)` closes nothing"),
        ("#{ a: 1", "Syntax «#{» `#{` is never closed"),
        ("1 /* two", "Syntax «/*» the comment is never closed: `*/` is missing"),
    ]);
}

#[test]
fn an_unknown_escape_is_told() {
    check(&[
        (
            r"'a\qb'",
            r#"Syntax «\q» `\q` isn't an escape; write `\\` for a backslash; known are `\n`, `\t`, `\r`, `\\`, `\'`, `\"`, `` \` ``, `\$`, `\x41` and `\u00e9`"#,
        ),
        (r"'\u12'", r"Syntax «\u» `\u` takes the 4 hexadecimal digits of a character"),
        (r"'\u{zz}'", r"Syntax «\u» `\u{…}` takes the hexadecimal number of a character"),
    ]);
}

#[test]
fn a_property_named_like_a_word_of_rhai_is_told_how_to_write() {
    check(&[
        ("msg.default", "Syntax «default» `default` is a word of Rhai: write `msg[\"default\"]`"),
        ("1 + msg.a[0].new > 3", "Syntax «new» `new` is a word of Rhai: write `msg.a[0][\"new\"]`"),
        ("state('x')?.default", "Syntax «default» `default` is a word of Rhai: write `state('x')?[\"default\"]`"),
        ("msg.if", "Syntax «if» `if` is a word of Rhai: write `msg[\"if\"]`"),
        ("default + 1", "Syntax «default» `default` is a word of Rhai and can't be a name"),
    ]);
}

#[test]
fn statements_are_no_expressions() {
    let advice = "; choose between values with `if … { … } else { … }`";
    for word in ["let", "const", "for", "while", "loop", "do", "return", "throw", "switch", "fn", "import", "try"] {
        let wanted =
            format!("NotAnExpression «{word}» `{word}` starts a statement; an expression is one value{advice}");
        check(&[(&format!("{word} x"), &wanted)]);
    }
    check(&[
        ("1; 2", "NotAnExpression «;» `;` ends a statement; an expression is one value"),
        (
            "{ state: 1 }",
            "NotAnExpression «{» `{` opens a block, which an expression hasn't; a map is written `#{ … }`",
        ),
        ("if true { 1 }", "NotAnExpression «if» an `if` that gives a value needs its `else`"),
        ("if true { } else { 1 }", "NotAnExpression «{» a value is missing between `{` and `}`"),
        ("[1].map(|x| { x })", "NotAnExpression «{» a closure here gives one value, without `{`: `|x| x + 1`"),
        ("room ? 1 : 2", "Syntax «?» `? :` isn't known: write `if … { … } else { … }`"),
    ]);
}

#[test]
fn a_name_that_cannot_exist_is_told_with_the_near_one() {
    check(&[
        ("mgs.state == 'ON'", "UnknownVariable «mgs» nothing is named `mgs`; did you mean `msg`?"),
        ("'é ${romo}'", "UnknownVariable «romo» nothing is named `romo`; did you mean `room`?"),
        ("payload == ON", "UnknownVariable «ON» nothing is named `ON`; put text in quotes: `'ON'`"),
        ("[1].filter(|item| itme > 1)", "UnknownVariable «itme» nothing is named `itme`; did you mean `item`?"),
        ("[1].filter(|x| x > y)", "UnknownVariable «y» nothing is named `y`; put text in quotes: `'y'`"),
        ("[1].map(|x| [2].map(|y| rooom))", "UnknownVariable «rooom» nothing is named `rooom`; did you mean `room`?"),
        ("now.huor > 3", "UnknownVariable «huor» `now` has no `huor`; did you mean `hour`?"),
        (
            "sun?.height",
            "UnknownVariable «height» `sun` has no `height`; it has `up`, `elevation`, `azimuth`, `sunrise`, `sunset`",
        ),
        ("trigger.ids == 'a'", "UnknownVariable «ids» `trigger` has no `ids`; did you mean `id`?"),
        ("age > 3", "UnknownVariable «age» `age` is a function: write `age(…)`"),
        ("null", "Syntax «null» `null` isn't a value here; nothing is written `()`"),
        ("this", "Syntax «this» `this` is a word of Rhai and can't be a name"),
        ("__join([1])", "Syntax «__join» a name can't start with `__`: `__join`"),
    ]);
}

#[test]
fn a_function_that_cannot_exist_is_told_with_the_near_one() {
    check(&[
        ("sate('a')", "UnknownFunction «sate» there is no function `sate`; did you mean `state`?"),
        ("'a'.lenn()", "UnknownFunction «lenn» there is no function `lenn`; did you mean `len`?"),
        ("[1].map(|x| quux(x))", "UnknownFunction «quux» there is no function `quux`"),
        ("if true { quux() } else { 1 }", "UnknownFunction «quux» there is no function `quux`"),
        ("true or quux()", "UnknownFunction «quux» there is no function `quux`"),
        ("room('x')", "UnknownFunction «room» `room` is a variable, not a function: write it without `(…)`"),
        (
            "state()",
            "UnknownFunction «state» `state` takes 1 to 3 arguments, not 0; write `state('topic', \"path\", default)`",
        ),
        ("'a'.len(1)", "UnknownFunction «len» `len` takes 1 argument, not 2; write `len(text)`"),
        ("round(1, 2, 3)", "UnknownFunction «round» `round` takes 1 or 2 arguments, not 3; write `round(x, digits)`"),
        ("holds('a', 'b')", "UnknownFunction «holds» `holds` takes at most 1 argument, not 2; write `holds('rule')`"),
        ("weekend(1)", "UnknownFunction «weekend» `weekend` takes no arguments, not 1; write `weekend()`"),
        (
            "[1].push(2)",
            "UnknownFunction «push» there is no function `push`; an expression changes nothing: write `list + [value]` for a longer list",
        ),
        (
            "lib::foo(1)",
            "UnknownFunction «lib» there is no library `lib`; a function of `rules/lib/lib.rhai` is called so, and there is no such \
             file",
        ),
    ]);
}

#[test]
fn what_could_reach_out_of_the_sandbox_is_no_function() {
    for name in
        ["eval", "Fn", "call", "curry", "is_def_var", "is_shared", "sleep", "timestamp", "print", "debug", "exit"]
    {
        let mut home = Home::new();
        let told = home.eval(&format!("{name}('x')"));
        assert!(told.starts_with(&format!("UnknownFunction «{name}» there is no function `{name}`")), "{told}");
    }
}

#[test]
fn words_and_signs_of_other_languages_are_told_with_ours() {
    check(&[
        ("msg == None", "Syntax «None» `None` isn't a value here; nothing is written `()`"),
        ("msg == undefined", "Syntax «undefined» `undefined` isn't a value here; nothing is written `()`"),
        ("if true { 1 } elif false { 2 } else { 3 }", "Syntax «elif» `elif` isn't known; write `else if`"),
        ("msg is 5", "Syntax «is» `is` isn't known; compare two values with `==`"),
        ("msg is not 5", "Syntax «is» `is not` isn't known; write `!=`"),
        ("f'{msg}'", "Syntax «f'{msg}'» `f'…'` isn't known; `${…}` works in every text: `'${msg.x} °C'`"),
        ("{{ msg }}", "NotAnExpression «{» `{{ … }}` isn't needed: write the expression as it is"),
        (
            "msg contains 5",
            "Syntax «contains» an operator or a comma is missing before `contains`; it is a function: write `contains(list, value)`",
        ),
        (
            "is_state('a', 'on')",
            "UnknownFunction «is_state» there is no function `is_state`; write `state('topic') == 'ON'`",
        ),
        (
            "payload.state",
            "UnknownVariable «state» `payload` is the message's text, which has no `state`; its value is `msg`: write `msg.state`",
        ),
    ]);
}

#[test]
fn what_is_written_out_as_an_argument_is_checked() {
    check(&[
        ("state(5)", "WrongType «5» `state` takes a topic, not a number"),
        ("any(true, 1)", "WrongType «true» `any` takes a topic filter, not a boolean"),
        ("random(6, 1)", "BadWord «6» `random` takes the lower number first: 6 is above 1"),
        ("holds(5)", "WrongType «5» `holds` takes the name of a rule, not a number"),
        ("any([1, 2], |x| x > 1)", "true"),
        ("log(100.0, 10.0)", "2.0"),
    ]);
}

#[test]
fn a_topic_filter_or_path_that_cannot_be_is_told() {
    check(&[
        ("state('a/+')", "BadTopic «'a/+'» `a/+` isn't a valid topic: a topic can't contain a wildcard (`+` or `#`)"),
        ("exists('')", "BadTopic «''» `` isn't a valid topic: a topic can't be empty"),
        (
            "any('a/#/b', 1)",
            "BadFilter «'a/#/b'» `a/#/b` isn't a valid topic filter: `#` must be the last level of a topic filter",
        ),
        (
            "state('a', 'b[x]')",
            "BadPath «'b[x]'» `b[x]` isn't a valid path: expected a number in `[…]` here; a path is written like `a.b[0]`",
        ),
    ]);
}

#[test]
fn a_syntax_error_of_rhais_is_told_in_our_words_and_places() {
    check(&[
        ("", "Syntax «» an expression is missing"),
        ("  ", "Syntax «  » an expression is missing"),
        ("'${}'", "Syntax «${}» an expression is missing between `${` and `}`"),
        ("1 +", "Syntax «» the expression ends too early: a value is missing"),
        ("(1 + )", "Syntax «)» a value is missing before `)`"),
        ("'ä ${1 +} b'", "Syntax «}» a value is missing before `}`"),
        ("'a' 1", "Syntax «1» an operator or a comma is missing before `1`"),
        ("'a' 'b'", SIDE_BY_SIDE),
        ("'a''b'", SIDE_BY_SIDE),
        ("msg.", "Syntax «» the name of a property is missing"),
        (
            "30s",
            "Syntax «30s» `30s` is neither a number nor a name; put text in quotes; a duration in an expression is a number of seconds",
        ),
        ("#{ a: 1, a: 2 }", "Syntax «a» the key `a` is in the map twice"),
        ("#{ '${room}': 1 }", "Syntax «'${room}'» the key of a map can't hold `${…}`"),
        ("msg == “ON”", "Syntax «“» put text in `'` or `\"`, not in `“`"),
        ("home/${room}", "Syntax «$» `$` means nothing in an expression"),
    ]);
}

#[test]
fn places_are_exact_behind_texts_words_and_other_alphabets() {
    check(&[
        (
            "'ä\\n${'ö'}' == 'ü' and not msg.n > 3 or mgs",
            "UnknownVariable «mgs» nothing is named `mgs`; did you mean `msg`?",
        ),
        ("#{ default: 'x', y: [ `a\nb`, mgs ] }", "UnknownVariable «mgs» nothing is named `mgs`; did you mean `msg`?"),
        ("1 +\n\n   mgs", "UnknownVariable «mgs» nothing is named `mgs`; did you mean `msg`?"),
        ("[1].map(|x| msg.a.map(|y| mgs))", "UnknownVariable «mgs» nothing is named `mgs`; did you mean `msg`?"),
    ]);
}
