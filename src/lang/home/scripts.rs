//! The scripts of a home: all are loaded together, since they import one another.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::script::{LoadedScript, Sandbox, ScriptFile};

use crate::lang::diagnostic::findings::Findings;
use crate::lang::home::{file_text, path_inside};
use crate::lang::rule_file::report;
use crate::lang::text::FileText;
use crate::lang::{Diagnostic, Sources};

/// The rule files that are scripts: each by its path, with its stem and what loading it gave.
type RuleScripts = BTreeMap<Arc<str>, (FileText, Arc<str>, LoadedScript)>;

/// Loads all scripts in `folder`. Mistakes in libraries are reported here; those in other scripts are part of the
/// result.
pub(in crate::lang) fn read(
    sources: &Sources,
    folder: &str,
    sandbox: &Sandbox,
    diagnostics: &mut Vec<Diagnostic>,
) -> RuleScripts {
    let mut texts = Vec::new();
    for (path, source) in sources {
        let stem = path_inside(path, folder).and_then(|inside| inside.strip_suffix(".rhai"));
        let Some(stem) = stem.filter(|stem| !stem.is_empty()) else { continue };
        let Some(text) = file_text(path, source, diagnostics) else { continue };
        texts.push((Arc::<str>::from(stem), text));
    }
    if texts.is_empty() {
        return RuleScripts::new();
    }
    let file = |(stem, text): &(Arc<str>, FileText)| ScriptFile {
        file: text.file(),
        stem: Arc::clone(stem),
        text: blank_mark(text.as_str()).into(),
    };
    let files: Vec<ScriptFile> = texts.iter().map(file).collect();
    let mut loaded = sandbox.load_scripts(&files);
    let mut rule_scripts = RuleScripts::new();
    for (stem, text) in texts {
        let Some(loaded) = loaded.remove(&stem) else { continue };
        if stem.starts_with("lib/") {
            let mut findings = Findings::new(text.file());
            report(&loaded.errors, &mut findings);
            diagnostics.extend(findings.into_vec());
        } else {
            rule_scripts.insert(text.file(), (text, stem, loaded));
        }
    }
    rule_scripts
}

/// Returns a script with spaces in place of the byte order mark that some editors write, so that no place moves.
fn blank_mark(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(format!("   {rest}")),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lang::{Home, Source};
    use crate::rules::RuleEntry;

    /// Loads a home, and returns the ids of its rules and what is wrong with it.
    fn load(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let source = |(path, text): &(&str, &str)| (Arc::from(*path), Source::Content(text.as_bytes().into()));
        let sources: Sources = files.iter().map(source).collect();
        let home = Home::load(&sources);
        let ids = home.ruleset.entries.iter().map(|entry| entry.id().to_string()).collect();
        let told = home.diagnostics.iter().map(|found| {
            let text = files.iter().find(|(path, _)| *path == &*found.label.file).map_or("", |(_, text)| *text);
            let part = text.get(found.label.span.clone()).unwrap_or("?");
            let help = found.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            format!("{} {} «{part}» {}{help}", found.code, found.label.file, found.message)
        });
        (ids, told.collect())
    }

    fn fingerprint(script: &str, library: &str) -> u64 {
        let source = |text: &str| Source::Content(text.as_bytes().into());
        let sources: Sources =
            [(Arc::from("rules/a.rhai"), source(script)), (Arc::from("rules/lib/l.rhai"), source(library))].into();
        let home = Home::load(&sources);
        assert!(!home.has_errors(), "{:?}", home.diagnostics);
        match &home.ruleset.entries[0] {
            RuleEntry::Rule(rule) => rule.fingerprint,
            RuleEntry::EachTopic(_) => panic!("a rule is expected"),
        }
    }

    #[test]
    fn a_script_and_its_yaml_give_rules_that_are_checked_alike() {
        let (ids, told) = load(&[
            ("rules/a.yaml", "rules:\n  a:\n    when: a/#/b\n    then: { b/c: 1 }\n"),
            ("rules/b.rhai", "rule(\"a\", #{ when: \"a/#/b\", then: || publish(\"b/c\", 1) });"),
            ("rules/c.rhai", "rule(\"a\", #{ whn: \"a/b\", then: #{ \"b/c\": 1 }, mode: \"sometimes\" });"),
            (
                "rules/d.rhai",
                "rule(\"a\", #{ when: \"a/+x\", \"if\": \"msg.state == 'ON' and tmie > 3\", then: |e| publish(e.y, e.x) });",
            ),
            ("rules/e.rhai", "rule(\"good\", #{ when: \"a/b\", \"for\": || 1, then: || 1 });"),
        ]);
        assert_eq!(ids, [""; 0]);
        assert_eq!(
            told,
            [
                "HR034 rules/a.yaml «#» `#` must be the last level of a topic filter; for one level in the middle use `+`: \
                 `a/+/b`",
                "HR034 rules/b.rhai «#» `#` must be the last level of a topic filter; for one level in the middle use `+`: \
                 `a/+/b`",
                "HR020 rules/c.rhai «whn» unknown key `whn` in the rule `a`; did you mean `when`?",
                "HR023 rules/c.rhai «\"sometimes\"» `sometimes` isn't allowed here; choose one of `single`, \
                 `restart`, `queued`, `parallel`",
                "HR051 rules/d.rhai «tmie» nothing is named `tmie`; put text in quotes: `'tmie'`",
                "HR051 rules/d.rhai «y» the event has no `y`; it has what expressions can read: `msg`, `topic`, …, and the rule's \
                 wildcards and `let`",
                "HR025 rules/e.rhai «\"for\"» `for` only works with `while`, but this rule has `when`; put it in the trigger: \
                 `when: { state: TOPIC, to: VALUE, for: 5m }`",
            ]
        );
    }

    #[test]
    fn a_key_twice_is_an_error_in_one_file_and_in_two() {
        let (ids, told) = load(&[(
            "rules/a.rhai",
            "for i in 0..2 { rule(\"x\", #{ when: \"a/b\", then: || publish(\"c/d\", 1) }); }",
        )]);
        assert_eq!(ids, [""; 0]);
        assert_eq!(told, ["HR079 rules/a.rhai «\"x\"» the rule `x` is defined twice; give each rule its own name"]);
        let script = "rule(\"x\", #{ when: \"a/b\", then: || publish(\"c/d\", 1) });";
        let yaml = "rules:\n  x: { when: a/b, then: { c/d: 1 } }\n";
        let (_, told) = load(&[("rules/a.rhai", script), ("rules/a.yaml", yaml)]);
        assert!(told.iter().any(|told| told.starts_with("HR079")), "{told:?}");
    }

    #[test]
    fn a_script_that_does_not_load_leaves_the_other_files_in_force() {
        let (ids, told) = load(&[
            ("rules/a.rhai", "rule(\"x\", #{"),
            ("rules/b.rhai", "rule(\"y\", #{ when: \"a/b\", then: || publish(\"c/d\", 1) });"),
            ("rules/lib/l.rhai", "fn f( {"),
        ]);
        assert_eq!(ids, ["b:y"]);
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[test]
    fn a_rule_that_a_library_makes_stands_where_the_library_is_called() {
        let library = "fn light(room) { rule(`l-${room}`, #{ when: room, thn: 1 }); }";
        let (_, told) =
            load(&[("rules/a.rhai", "import \"lib/l\" as l;\nl::light(\"hall\");"), ("rules/lib/l.rhai", library)]);
        assert_eq!(told, ["HR020 rules/a.rhai «light» unknown key `thn` in the rule `l-hall`; did you mean `then`?"]);
    }

    #[test]
    fn a_rule_changes_with_what_it_reaches_and_with_nothing_else() {
        let library = "fn f() { 1 }";
        let script = "import \"lib/l\" as l;\nconst A = 1; const B = 2;\n\
                      rule(\"x\", #{ when: \"a/b\", then: |e| publish(\"c/d\", l::f() + A) });";
        let before = fingerprint(script, library);
        assert_eq!(before, fingerprint(&format!("// new\n\n{}", script.replace("B = 2", "B = 3")), "fn f() {\n 1 }"));
        assert_ne!(before, fingerprint(&script.replace("A = 1", "A = 9"), library));
        assert_ne!(before, fingerprint(script, "fn f() { 2 }"));
        assert_ne!(before, fingerprint(&script.replace("c/d", "c/e"), library));
    }

    #[test]
    fn an_expression_calls_only_what_is_in_a_library_and_changes_nothing() {
        let library = "fn f(x) { x + 1 } fn g() { publish(\"a\", 1) } fn h() { g() } private fn p() { 1 }";
        let told = |expression: &str| {
            let yaml = format!("rules:\n  x: {{ when: a/b, if: \"{expression}\", then: {{ c/d: 1 }} }}\n");
            load(&[("rules/a.yaml", &yaml), ("rules/lib/l.rhai", library)]).1.join("\n")
        };
        assert_eq!(told("l::f(msg) > 3"), "");
        assert!(told("l::f() > 3").contains("`l::f` takes 1 arguments, not 0"), "{}", told("l::f() > 3"));
        assert!(
            told("l::ff(1) > 3").contains("did you mean `l::f`?") || told("l::ff(1) > 3").contains("no function `ff`")
        );
        assert!(told("l::h()").contains("`l::h` calls `publish`: an expression changes nothing"));
        assert!(told("l::p() == 1").contains("there is no function `p`"));
        assert!(told("k::f(1) > 3").contains("there is no library `k`"));
    }
}
