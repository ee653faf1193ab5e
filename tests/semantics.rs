//! The rule language's own suite: `tests/semantics` is a home whose tests are the reference.

use std::path::Path;
use std::process::Command;

#[test]
fn the_rule_language_means_what_the_reference_says() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semantics");
    for home in [home.clone(), home.join("limits")] {
        let ran = Command::new(env!("CARGO_BIN_EXE_homerule")).arg("test").arg(&home).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(ran.status.success(), "{}{}", said(&ran.stdout), said(&ran.stderr));
        assert!(said(&ran.stdout).trim_end().ends_with(" passed, 0 failed"), "{}", said(&ran.stdout));
    }
}
