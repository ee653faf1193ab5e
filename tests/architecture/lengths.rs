//! No function is longer than a screen without a reason beside it.

use super::sources;

/// The longest function that needs no reason.
const MOST_LINES: usize = 60;

/// What other systems say, one row for each of their words: as long as their lists are.
const TABLES: &str = "src/lang/import/";

/// How a reason begins, on the first line of the function.
const REASON: &str = "// Longer than most: ";

/// Whether `line` has the word in a comment or names a type.
fn is_no_function(line: &str) -> bool {
    ["//", "type "].iter().any(|begin| line.trim_start().starts_with(begin))
}

#[test]
fn no_function_is_longer_than_a_screen_without_a_reason() {
    let is_test = |path: &str| path.contains("/tests") || path.ends_with("tests.rs");
    let mut wrong = Vec::new();
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !is_test(path) && !path.starts_with(TABLES)) {
        let code: Vec<&str> = text.split("#[cfg(test)]").next().unwrap().lines().collect();
        for (start, line) in code.iter().enumerate() {
            let indent = line.strip_suffix(line.trim_start()).unwrap();
            let words = line.split(['(', '<']).next().unwrap();
            if !words.split(' ').any(|word| word == "fn") || line.ends_with('}') || is_no_function(line) {
                continue;
            }
            let end = format!("{indent}}}");
            let length = code[start..].iter().position(|line| *line == end).map_or(0, |length| length + 1);
            let has_reason = code[start..].iter().take(8).any(|line| line.trim_start().starts_with(REASON));
            if length > MOST_LINES && !has_reason {
                wrong.push(format!("{path}:{}: {length} lines", start + 1));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
