//! Patterns with stars.

/// Returns whether `text` matches `pattern`, in which each `*` stands for any text.
#[must_use]
pub fn matches_star(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in
            [("", ""), ("*", ""), ("*", "abc"), ("a*", "abc"), ("*c", "abc"), ("a*b*c", "aXbYc"), ("a**c", "abc")]
        {
            assert!(matches_star(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", "ab"), ("a*b", "ab c"), ("a*a", "a"), ("*b*", "ac"), ("ab*bc", "abc")]
        {
            assert!(!matches_star(pattern, text), "{pattern} {text}");
        }
    }
}
