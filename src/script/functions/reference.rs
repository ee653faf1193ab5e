//! The reference of all functions in `docs/`, written from their rows.

use std::fmt::Write;

use super::table::CHAPTERS;

/// Returns the reference of all functions, in Markdown.
#[must_use]
pub fn function_reference() -> String {
    let mut page = String::from(HEAD);
    for (title, parts) in &CHAPTERS {
        // Writing to a text can't fail.
        let _ = writeln!(page, "\n## {title}\n\n| function | gives or does |\n|---|---|");
        for function in parts.iter().copied().flatten() {
            let usage = function.usage.replace('|', "\\|");
            let says_so = function.is_in_expressions || function.effect.acts();
            let scope = if says_so { "" } else { " Scripts only." };
            let _ = writeln!(page, "| `{usage}` | {}{scope} |", function.docs);
        }
    }
    page
}

/// What stands before the chapters.
const HEAD: &str = "# Functions

Written from the code: `src/script/functions/`. What expressions and scripts may call; a function may also be written \
behind its first argument: `list.len()`. What only scripts may call says so, or stands under \u{201c}Acting\u{201d}. Functions of \
`rules/lib` are called as `file::function(\u{2026})`.
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::script::functions::table::{functions, in_expressions};

    #[test]
    fn each_function_says_how_it_is_written_and_what_it_does() {
        for function in functions() {
            assert!(function.usage.contains(function.name), "{}", function.name);
            assert!(function.docs.ends_with('.'), "{}", function.name);
        }
    }

    #[test]
    fn no_two_functions_of_expressions_have_one_name() {
        let names: Vec<&str> = in_expressions().map(|function| function.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
