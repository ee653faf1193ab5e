//! The rule language's own suite: `tests/semantics` is a home whose tests are the reference.

use std::path::Path;

use crate::home::homerule;

#[test]
fn the_rule_language_means_what_the_reference_says() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semantics");
    for home in [
        home.clone(),
        home.join("limits"),
        home.join("ignored"),
        home.join("devices"),
        home.join("calendars"),
        home.join("notify"),
    ] {
        let said = homerule(&home, &["test", "."]);
        assert_eq!(said.status, 0, "{}{}", said.out, said.err);
        assert!(said.out.trim_end().ends_with(" passed, 0 failed"), "{}", said.out);
    }
}
