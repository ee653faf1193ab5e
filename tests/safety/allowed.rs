//! What is meant is allowed, and an `allow` in vain is told.

use super::codes;
use crate::home::Home;

const FROST: &str = "rules:
  frost: { when: { state: cellar/temperature, below: 3 }, then: { cellar/heater/set: ON } }
  bell: { when: { at: '07:00' }, then: { hall/bell: ring } }
";

#[test]
fn a_comment_on_the_line_before_silences_one() {
    let text = FROST.replace("  frost", "  # homerule: allow HR175\n  frost");
    assert_eq!(codes(&Home::new(&[("rules/a.yaml", &text)]), &[]), Vec::<String>::new());
    let other = FROST.replace("  frost", "  # homerule: allow HR170\n  frost");
    let found = codes(&Home::new(&[("rules/a.yaml", &other)]), &[]);
    assert!(found.iter().any(|found| found.starts_with("HR175")), "{found:?}");
    assert!(found.iter().any(|found| found.starts_with("HR179 there is no HR170 here")), "{found:?}");
}

#[test]
fn a_rule_allows_what_it_names() {
    let text = FROST.replacen("{ when", "{ allow: [HR175], when", 1);
    assert_eq!(codes(&Home::new(&[("rules/a.yaml", &text)]), &[]), Vec::<String>::new());
    let wrong = FROST.replacen("{ when", "{ allow: [never-off], when", 1);
    let found = codes(&Home::new(&[("rules/a.yaml", &wrong)]), &[]);
    assert!(found.iter().any(|found| found.contains("isn't the code of a warning")), "{found:?}");
}

#[test]
fn an_old_warning_is_allowed_too() {
    let text = "rules:\n  a:\n    when: home/x\n    # homerule: allow HR076\n    then: { publish: lamp/set, payload: ON, if_changed: true }\n";
    assert_eq!(codes(&Home::new(&[("rules/a.yaml", text)]), &[]), Vec::<String>::new());
}
