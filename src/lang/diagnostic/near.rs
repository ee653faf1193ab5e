//! Near misses: which known word was probably meant, and how to list words in a message.

pub use crate::model::nearest;

use crate::lang::Applies;
use crate::model::slips;

/// What to say about an unknown word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang) struct Suggestion {
    /// The sentence that says what to write.
    pub(in crate::lang) help: String,
    /// The word that was meant, and whether it can't be any other.
    pub(in crate::lang) word: Option<(String, Applies)>,
}

impl Suggestion {
    /// Returns the suggestion of `word`, which is a guess.
    pub(in crate::lang) fn guess(word: &str) -> Suggestion {
        Suggestion { help: did_you_mean(word), word: Some((word.to_owned(), Applies::Unsure)) }
    }

    /// Returns the suggestion as a guess: names that people choose are alike more often than keywords.
    pub(in crate::lang) fn doubted(self) -> Suggestion {
        Suggestion { word: self.word.map(|(word, _)| (word, Applies::Unsure)), ..self }
    }

    /// Returns the suggestion to do what `help` says.
    pub(in crate::lang) fn advice(help: impl Into<String>) -> Suggestion {
        Suggestion { help: help.into(), word: None }
    }
}

/// Returns whether `written` is `word` with one slip, and no other word of `known` is as near.
fn is_slip_of(written: &str, word: &str, known: &[&str]) -> bool {
    let is_long = written.chars().count().max(word.chars().count()) >= 4;
    let is_alone = known.iter().filter(|other| slips(written, other) <= 1).count() == 1;
    is_long && is_alone && slips(written, word) <= 1
}

/// Returns the sentence that asks whether `word` was meant.
pub(in crate::lang) fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// Returns what was meant by an unknown word, where a known one is near; otherwise which ones there are.
pub(in crate::lang) fn suggestion(written: &str, known: &[&str]) -> Option<Suggestion> {
    match nearest(written, known.iter().copied()) {
        Some(word) => {
            let applies = if is_slip_of(written, word, known) { Applies::Safe } else { Applies::Unsure };
            Some(Suggestion { help: did_you_mean(word), word: Some((word.to_owned(), applies)) })
        }
        None => match known {
            [] => None,
            [only] => Some(Suggestion::advice(format!("the only choice is `{only}`"))),
            _ => Some(Suggestion::advice(format!("choose one of {}", list(known)))),
        },
    }
}

/// Lists words in backticks: `` `a`, `b` ``; only the first ones of a long list.
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
    fn one_slip_in_a_long_word_is_sure_and_more_is_a_guess() {
        let known = ["when", "while", "if", "then", "retain", "retained"];
        let applies = |written: &str| suggestion(written, &known).and_then(|it| it.word);
        assert_eq!(applies("whne"), Some(("when".to_owned(), Applies::Safe)));
        assert_eq!(applies("retian"), Some(("retain".to_owned(), Applies::Safe)));
        assert_eq!(applies("retaine"), Some(("retain".to_owned(), Applies::Unsure)), "it may be `retained`");
        assert_eq!(applies("of"), Some(("if".to_owned(), Applies::Unsure)), "it's short");
        assert_eq!(applies("wheel"), Some(("when".to_owned(), Applies::Unsure)), "two letters differ");
        assert_eq!(applies("temperature"), None);
    }
}
