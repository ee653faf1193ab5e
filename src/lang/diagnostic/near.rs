//! Near misses: which known word was probably meant, and how words are listed in a message.

/// Returns the word of `known` that `written` was probably meant to be; of several, the nearest.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase().replace('-', "_");
    let length = lower.chars().count();
    let bound = match length {
        0..=3 => 1,
        4..=5 => 2,
        _ => length / 3 + 1,
    };
    known
        .into_iter()
        .filter(|word| *word != written)
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase().replace('-', "_")), word))
        .filter(|(distance, word)| *distance <= bound && *distance < word.chars().count().max(length))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Returns a sentence that names what was meant, where something is near; else one that lists what may stand there.
pub(in crate::lang) fn suggestion(written: &str, known: &[&str]) -> Option<String> {
    match nearest(written, known.iter().copied()) {
        Some(word) => Some(format!("did you mean `{word}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", list(known))),
    }
}

/// Lists words in backticks: `` `a`, `b` ``; of many, the first ones.
pub(in crate::lang) fn list(words: &[&str]) -> String {
    const MOST: usize = 24;
    let mut text = words.iter().take(MOST).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if words.len() > MOST {
        text.push_str(", …");
    }
    text
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
