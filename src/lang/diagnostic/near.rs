//! Near misses in a sentence, and how words are listed in a message.

pub use crate::model::nearest;

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
