//! Near misses: which known name was probably meant.

/// Returns the name of `known` that `written` was probably meant to be; of several, the nearest, and of those the first.
///
/// Capitals don't count, nor whether a name has `-` or `_`. `written` itself is never returned.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = written.chars().count();
    let bound = match length {
        0..=3 => 1,
        4..=5 => 2,
        _ => length / 3 + 1,
    };
    known
        .into_iter()
        .filter(|name| *name != written)
        .map(|name| (slips(written, name), name))
        .filter(|(distance, name)| *distance <= bound && *distance < name.chars().count().max(length))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Returns how many letters are wrong, missing, superfluous or swapped if `written` is meant to be `name`. Capitals don't
/// count, nor whether a name has `-` or `_`.
#[must_use]
pub fn slips(written: &str, name: &str) -> usize {
    let folded = |name: &str| name.to_lowercase().replace('-', "_");
    strsim::damerau_levenshtein(&folded(written), &folded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_one_letter_off_is_found() {
        let known = ["when", "while", "if", "then", "payload"];
        assert_eq!(nearest("whne", known), Some("when"));
        assert_eq!(nearest("payloda", known), Some("payload"));
        assert_eq!(nearest("Then", known), Some("then"));
        assert_eq!(nearest("temperature", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
