//! The language of expressions: texts, operators, choices, closures, Rhai's own functions.

use super::Home;

/// Checks that each expression gives this JSON, in a home with a few variables.
fn check(cases: &[(&str, &str)]) {
    let mut home = Home::new()
        .set("msg", r#"{"state": "ON", "n": 21.5, "list": [3, 1, 2], "deep": {"a": {"b": 1}}, "default": 7}"#)
        .set("captures", r#"["hall"]"#)
        .set("room", "hall")
        .set("old", "");
    for (expression, wanted) in cases {
        assert_eq!(home.eval(expression), *wanted, "{expression}");
    }
}

#[test]
fn texts_stand_in_any_quotes_all_alike() {
    check(&[
        ("'a'", "\"a\""),
        ("\"a\"", "\"a\""),
        ("`a`", "\"a\""),
        ("'it\\'s \"so\"'", r#""it's \"so\"""#),
        (r"'a\nb\tc\\d\u00e9\u{1F600}\x41'", r#""a\nb\tc\\dé😀A""#),
        (r#""a\"b""#, r#""a\"b""#),
        ("`a\nb`", r#""a\nb""#),
        ("''", "\"\""),
        ("'a' + \"b\" + `c`", "\"abc\""),
        ("'a'.len()", "1"),
        ("'a' + 1 + 21.0 + true + [1, 'b']", "\"a121.0true[1,\\\"b\\\"]\""),
    ]);
}

#[test]
fn expressions_stand_in_every_text() {
    check(&[
        ("'in ${room}'", "\"in hall\""),
        ("\"in ${room}\"", "\"in hall\""),
        ("`in ${room}`", "\"in hall\""),
        ("'${room}/${1 + 1}/${msg.n}'", "\"hall/2/21.5\""),
        ("'a ${'b ${\"c ${room}\"}'}'", "\"a b c hall\""),
        ("'${#{ a: [1, 2.0] }}'", r#""{\"a\":[1,2.0]}""#),
        ("'${true}'", "\"true\""),
        ("'$${room} \\${room}'", "\"${room} ${room}\""),
        ("'costs 5$'", "\"costs 5$\""),
        ("'${room}'.len()", "4"),
        ("'${if msg.n > 3 { 'high' } else { 'low' }}'", "\"high\""),
        ("'${room}' == 'hall'", "true"),
    ]);
}

#[test]
fn and_or_and_not_are_words_or_signs() {
    check(&[
        ("true and false", "false"),
        ("true && false", "false"),
        ("true or false", "true"),
        ("true || false", "true"),
        ("not true", "false"),
        ("!true", "false"),
        ("not msg.n > 30", "true"),
        ("not not true", "true"),
        ("not false and not false", "true"),
        ("not (true and false) or false", "true"),
        ("'x' not in ['y']", "true"),
        ("if not true { 1 } else { 2 }", "2"),
        ("[not true, not false]", "[false,true]"),
        ("#{ and: 1, not: 2 }.not", "2"),
        ("#{ 'a b': 1, \"and\": 2 }", "{\"a b\":1,\"and\":2}"),
        ("false and msg.nix.foo", "false"),
    ]);
}

#[test]
fn numbers_compare_as_numbers_and_a_quotient_is_exact() {
    check(&[
        ("21 == 21.0", "true"),
        ("21 != 21.0", "false"),
        ("22 > 21.5", "true"),
        ("21.5 <= 22", "true"),
        ("7 / 2", "3.5"),
        ("6 / 3", "2.0"),
        ("7.5 / 2", "3.75"),
        ("7 % 4", "3"),
        ("2 ** 3", "8"),
        ("-msg.n", "-21.5"),
        ("1_000 + 0x10", "1016"),
        ("1.5e3", "1500.0"),
        ("9007199254740993 > 9007199254740992", "true"),
    ]);
}

#[test]
fn values_of_different_types_are_never_equal_also_within_lists_and_maps() {
    check(&[
        ("'21' == 21", "false"),
        ("'21' != 21", "true"),
        ("() == 0", "false"),
        ("() == ()", "true"),
        ("true == 'true'", "false"),
        ("[21, #{ a: 1 }] == [21.0, #{ a: 1.0 }]", "true"),
        ("[21] == ['21']", "false"),
        ("#{ a: 1 } == #{ a: 1, b: 2 }", "false"),
        ("[[1]] != [[1.0]]", "false"),
        ("2.0 in msg.list", "true"),
        ("msg.list.contains('2')", "false"),
    ]);
}

#[test]
fn texts_are_ordered_by_their_letters() {
    check(&[("'a' < 'b'", "true"), ("'b' >= 'a'", "true"), ("'10' < '9'", "true"), ("'abc'[0] < 'b'", "true")]);
}

#[test]
fn what_is_missing_is_nothing() {
    check(&[
        ("msg.nix", "null"),
        ("msg[\"nix\"]", "null"),
        ("msg.nix == ()", "true"),
        ("msg.nix ?? 5", "5"),
        ("msg.nix?.foo", "null"),
        ("msg.nix?.foo.bar", "null"),
        ("msg?.nix?.foo?.bar ?? 'none'", "\"none\""),
        ("old?.state", "null"),
        ("old ?? 1", "1"),
        ("msg.deep.a.b", "1"),
        ("msg['de' + 'ep'].a", "{\"b\":1}"),
        ("msg[\"default\"]", "7"),
        ("msg?[\"default\"]", "7"),
        ("old?[\"x\"]", "null"),
    ]);
}

#[test]
fn an_if_chooses_between_values() {
    check(&[
        ("if msg.n > 20 { 'warm' } else { 'cold' }", "\"warm\""),
        ("if msg.n > 30 { 1 } else if msg.n > 20 { 2 } else { 3 }", "2"),
        ("1 + if true { 1 } else { 2 }", "2"),
        ("if true { #{ a: 1 } } else { () }", "{\"a\":1}"),
        ("(if true { if false { 1 } else { 2 } } else { 3 })", "2"),
    ]);
}

#[test]
fn closures_work_on_lists_and_read_what_is_around_them() {
    check(&[
        ("msg.list.filter(|x| x > 1)", "[3,2]"),
        ("msg.list.filter(|x, index| index > 0)", "[1,2]"),
        ("msg.list.map(|x| x * msg.n)", "[64.5,21.5,43.0]"),
        ("msg.list.map(|x| msg.list.map(|y| x * y).len())", "[3,3,3]"),
        ("msg.list.map(|x| captures)", "[[\"hall\"],[\"hall\"],[\"hall\"]]"),
        ("msg.list.reduce(|sum, x| sum + x, 0)", "6"),
        ("msg.list.some(|x| x > 2)", "true"),
        ("msg.list.any(|x| x > 3)", "false"),
        ("msg.list.all(|x| x > 0)", "true"),
        ("[].all(|x| false)", "true"),
        ("msg.list.count(|x| x > 1)", "2"),
        ("msg.list.count(2.0)", "1"),
        ("msg.list.find(|x| x < 3)", "1"),
        ("msg.list.index_of(|x| x < 3)", "1"),
        ("[#{ a: 1 }, #{ a: 2 }].map(|m| m.a)", "[1,2]"),
        ("[1, 2].map(|x| if x > 1 { 'b' } else { 'a' })", "[\"a\",\"b\"]"),
    ]);
}

#[test]
fn what_changes_a_text_or_list_in_rhai_gives_the_changed_one() {
    check(&[
        ("' a '.trim()", "\"a\""),
        ("'a-b-c'.replace('-', '+')", "\"a+b+c\""),
        ("msg.list.sort()", "[1,2,3]"),
        ("[2, 1.5, 1].sort()", "[1,1.5,2]"),
        ("msg.list.reverse()", "[2,1,3]"),
        ("'abc'.reverse()", "\"cba\""),
        ("msg.list", "[3,1,2]"),
    ]);
}

#[test]
fn rhais_texts_lists_maps_and_maths_are_there() {
    check(&[
        ("'aBc'.to_upper() + 'aBc'.to_lower()", "\"ABCabc\""),
        ("'a,b'.split(',')", "[\"a\",\"b\"]"),
        ("['a', 1, 2.5].join(', ')", "\"a, 1, 2.5\""),
        ("'hello'.sub_string(1, 3)", "\"ell\""),
        ("'hello'.index_of('l')", "2"),
        ("'hello'.starts_with('he') and 'hello'.ends_with('lo') and 'hello'.contains('ell')", "true"),
        ("parse_int('42') + parse_float('0.5')", "42.5"),
        ("msg.deep.keys()", "[\"a\"]"),
        ("#{ a: 1 } + #{ b: 2 }", "{\"a\":1,\"b\":2}"),
        ("[1] + [2]", "[1,2]"),
        ("[1, 2, 3][-1]", "3"),
        ("'abc'[1]", "\"b\""),
        ("abs(-3) + max(1, 2) + min(1, 2)", "6"),
        ("sqrt(16)", "4.0"),
        ("floor(2.7) + ceiling(2.2)", "5"),
        ("PI() > 3.14", "true"),
        ("sum(msg.list)", "6"),
        ("sum([1, 2.5])", "3.5"),
        ("type_of('a')", "\"string\""),
        ("len('äö')", "2"),
        ("3 in 1..5", "true"),
    ]);
}

#[test]
fn json_clamp_round_and_pick_are_there() {
    check(&[
        ("json('{\"a\": [1, 2.5, null]}').a", "[1,2.5,null]"),
        ("to_json(#{ b: 1, a: [1, 'x', ()] })", r#""{\"a\":[1,\"x\",null],\"b\":1}""#),
        ("to_json('a')", r#""\"a\"""#),
        ("clamp(5, 1, 3)", "3"),
        ("clamp(0.5, 1, 3)", "1"),
        ("clamp(2, 1, 3)", "2"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(3)", "3"),
        ("2.4.round()", "2"),
        ("round(2.567, 1)", "2.6"),
        ("pick(msg, 'state', 'n', 'nix')", "{\"n\":21.5,\"state\":\"ON\"}"),
    ]);
}

#[test]
fn comments_and_line_breaks_are_white_space() {
    check(&[("1 +\n  2 // two\n  + 3 /* three */", "6"), ("'// no comment'", "\"// no comment\"")]);
}

#[test]
fn a_number_is_read_out_of_a_text_and_is_never_nan_or_infinite() {
    check(&[
        ("number('22.5')", "22.5"),
        ("number(' 15 ') + 1", "16"),
        ("number('-1e3')", "-1000.0"),
        ("number(21.5)", "21.5"),
        ("number('')", "null"),
        ("number('nan')", "null"),
        ("number('unavailable', 7)", "7"),
        ("number(())", "null"),
        ("number((), 0)", "0"),
        ("number(true, 1)", "1"),
        ("number('inf')", "null"),
        ("number('1e999')", "null"),
        ("number('22.5 °C')", "null"),
        ("number(exp(1000), -1)", "-1"),
        ("number(sqrt(-1))", "null"),
        ("number([1])", "null"),
        ("'22.5'.number()", "22.5"),
        ("parse_float(' 22.5 ')", "22.5"),
        ("parse_float('15')", "15.0"),
    ]);
    for text in ["NaN", "nan", "inf", "-infinity", "1e999", "", "x"] {
        let told = Home::new().eval(&format!("parse_float('{text}')"));
        assert_eq!(told, format!("failed «parse_float» `parse_float`: \"{text}\" isn't a number"));
    }
}

#[test]
fn functions_of_numbers_take_whole_ones_too() {
    check(&[
        ("log(8, 2)", "3.0"),
        ("log(100)", "2.0"),
        ("log(8.0, 2)", "3.0"),
        ("hypot(3, 4)", "5.0"),
        ("atan(0, 1)", "0.0"),
        ("asin(0) + acos(1) + atan(0) + sinh(0) + tanh(0) + asinh(0) + acosh(1) + atanh(0) + cosh(0)", "1.0"),
    ]);
}
