//! `homerule schema`: what an editor is given.

use serde_json::Value;

use crate::home::Home;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

#[test]
fn the_schema_of_each_kind_is_one_document_that_is_complete_in_itself() {
    let home = Home::new(&[]);
    for (arguments, root, other) in [
        (vec!["schema", "rules"], Some("#/$defs/rule-file"), "settings"),
        (vec!["schema", "tests"], Some("#/$defs/test-file"), "rule"),
        (vec!["schema", "settings"], Some("#/$defs/settings"), "rule"),
        (vec!["schema"], None, "nothing"),
    ] {
        let said = home.say(&arguments);
        assert_eq!((said.status, said.err.as_str()), (0, ""));
        let schema: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(schema["$schema"], DRAFT);
        assert_eq!(schema["$ref"].as_str(), root, "{arguments:?}");
        assert!(schema["$defs"].get(other).is_none(), "{arguments:?} has what it doesn't need: {other}");
    }
}

#[test]
fn all_schemas_are_written_into_a_folder() {
    let home = Home::new(&[]);
    let said = home.say(&["schema", "--into", "editor/schemas"]);
    let wrote = ["rules", "tests", "settings"].map(|kind| format!("wrote editor/schemas/{kind}.schema.json\n"));
    assert_eq!((said.status, said.out), (0, wrote.concat()));
    let rules: Value = serde_json::from_str(&home.read("editor/schemas/rules.schema.json")).unwrap();
    assert_eq!(rules["$schema"], DRAFT);
    home.write("taken", "");
    let refused = home.say(&["schema", "--into", "taken/schemas"]);
    assert_eq!((refused.status, refused.out.as_str()), (2, ""));
    assert!(refused.err.starts_with("error: `taken/schemas` can't be written: "), "{}", refused.err);
    assert_eq!(home.say(&["schema", "devices"]).status, 2);
}
