//! The cookbook: each recipe is at most ten lines, does what its test says, and shows no mistake of the engine when it's explored.

use std::fs;
use std::path::Path;

use crate::home::Home;

/// How many lines a recipe may have below `rules:`.
const LONGEST: usize = 10;

/// How many recipes there are.
const RECIPES: usize = 40;

/// Returns the texts in fences of a kind.
fn blocks(section: &str, kind: &str) -> Vec<String> {
    let each = section.split(&format!("\n```{kind}\n")).skip(1).map(str::to_owned).collect::<Vec<_>>();
    each.iter().map(|rest| format!("{}\n", rest.split("\n```").next().unwrap_or_default())).collect()
}

#[test]
fn each_recipe_is_short_and_does_what_its_test_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cookbook.md");
    let page = fs::read_to_string(path).unwrap();
    let mut sections = page.split("\n## ");
    let beginning = sections.next().unwrap();
    let settings = blocks(beginning, "yaml").remove(0);
    let [bins, holidays] = <[String; 2]>::try_from(blocks(beginning, "text")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for section in sections {
        count += 1;
        let title = section.lines().next().unwrap_or_default();
        let [rules, tests] = <[String; 2]>::try_from(blocks(section, "yaml")).unwrap_or_else(|_| panic!("{title}"));
        let lines = rules.lines().filter(|line| *line != "rules:").count();
        if lines > LONGEST {
            wrong.push(format!("{title}: {lines} lines"));
        }
        let files = [
            ("homerule.yaml", &*settings),
            ("bins.ics", &bins),
            ("holidays.ics", &holidays),
            ("rules/recipe.yaml", &rules),
            ("rules/recipe.test.yaml", &tests),
        ];
        let home = Home::new(&files);
        let said = home.say(&["test"]);
        if said.status != 0 || !said.out.contains(" passed, 0 failed") {
            wrong.push(format!("{title}:\n{}{}", said.out, said.err));
        }
        let explored = home.say(&["explore", "--steps", "500", "--seed", "3", "--json"]);
        let engine = ["homerule itself fails", "a restart makes a difference"];
        if explored.status > 1 || engine.iter().any(|word| explored.out.contains(word)) {
            wrong.push(format!("{title}, explored:\n{}{}", explored.out, explored.err));
        }
        let checked = home.say(&["check"]);
        if checked.status != 0 || checked.err.contains("warning") {
            wrong.push(format!("{title}:\n{}{}", checked.out, checked.err));
        }
    }
    assert_eq!(count, RECIPES, "recipes");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
