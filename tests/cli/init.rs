//! `homerule init`: a first home that works, and that overwrites nothing.

use super::tv::TV;
use crate::home::Home;

#[test]
fn a_first_home_loads_and_its_tests_pass() {
    let home = Home::new(&[]);
    let said = home.say(&["init", "mine"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert!(said.out.contains("homerule run mine"), "{}", said.out);
    let checked = home.say(&["check", "mine"]);
    assert_eq!(checked.status, 0, "{}", checked.err);
    let tested = home.say(&["test", "mine"]);
    assert_eq!(tested.status, 0, "{}", tested.out);
    assert!(tested.out.ends_with(" passed, 0 failed\n"), "{}", tested.out);
}

#[test]
fn a_home_that_is_there_stays_as_it_is() {
    let home = Home::new(&[("rules/tv.yaml", TV)]);
    let said = home.say(&["init"]);
    assert_eq!((said.status, said.out.as_str()), (2, ""));
    assert_eq!(said.err, "error: `.` is already a home; nothing in it was changed\n");
    assert_eq!(home.read("rules/tv.yaml"), TV);
    assert!(!home.path().join("homerule.yaml").exists());
}
