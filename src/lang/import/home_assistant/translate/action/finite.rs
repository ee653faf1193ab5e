//! Names that templates choose: `light.turn_{{ 'on' if … else 'off' }}` is one of two.

use crate::lang::import::home_assistant::expression::{AND, Kind, Piece, Rendered, Translator, Written};

/// The most names that one template may choose among.
const MOST: usize = 24;

/// One of several texts: the condition under which it's meant; the last one has none.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant::translate) struct Choice {
    pub(in crate::lang::import::home_assistant::translate) condition: Option<String>,
    pub(in crate::lang::import::home_assistant::translate) text: String,
}

/// Returns the states that a reading may have, none if these aren't all known.
type States<'s> = &'s dyn Fn(&Written) -> Vec<String>;

/// Returns the texts that a template may give, with their conditions; `None` if they can't be counted.
pub(in crate::lang::import::home_assistant::translate) fn finite(
    rendered: &Rendered,
    words: States<'_>,
) -> Option<Vec<Choice>> {
    let mut found = vec![(Vec::<Written>::new(), String::new())];
    for piece in &rendered.pieces {
        let options = of_piece(piece, words)?;
        let mut combined = Vec::new();
        for (conditions, text) in &found {
            for (more, rest) in &options {
                let mut conditions = conditions.clone();
                conditions.extend(more.iter().cloned());
                combined.push((conditions, format!("{text}{rest}")));
            }
        }
        if combined.len() > MOST {
            return None;
        }
        found = combined;
    }
    let choices = found.into_iter().map(|(conditions, text)| {
        let all: Vec<String> = conditions.iter().map(|condition| condition.at(AND)).collect();
        let condition = (!all.is_empty()).then(|| all.join(" and "));
        Choice { condition, text: text.trim().to_owned() }
    });
    Some(choices.collect())
}

type Options = Vec<(Vec<Written>, String)>;

fn of_piece(piece: &Piece, words: States<'_>) -> Option<Options> {
    match piece {
        Piece::Text(text) => Some(vec![(Vec::new(), text.clone())]),
        Piece::Value(written) | Piece::Space(written) => of_written(written, words),
        Piece::If(branches, otherwise) => {
            let mut options = Vec::new();
            for (condition, pieces) in branches {
                for (mut more, text) in of_pieces(pieces, words)? {
                    more.insert(0, condition.clone());
                    options.push((more, text));
                }
            }
            options.extend(of_pieces(otherwise, words)?);
            Some(options)
        }
    }
}

fn of_pieces(pieces: &[Piece], words: States<'_>) -> Option<Options> {
    let mut found: Options = vec![(Vec::new(), String::new())];
    for piece in pieces {
        let options = of_piece(piece, words)?;
        found = found
            .iter()
            .flat_map(|(conditions, text)| {
                options.iter().map(move |(more, rest)| {
                    let mut conditions = conditions.clone();
                    conditions.extend(more.iter().cloned());
                    (conditions, format!("{text}{rest}"))
                })
            })
            .collect();
        if found.len() > MOST {
            return None;
        }
    }
    Some(found)
}

fn of_written(written: &Written, words: States<'_>) -> Option<Options> {
    if let Some(text) = &written.constant {
        return Some(vec![(Vec::new(), text.clone())]);
    }
    if let Some(branches) = &written.branches {
        let mut options = Vec::new();
        for (condition, value) in &branches.of {
            for (mut more, text) in of_written(value, words)? {
                more.insert(0, condition.clone());
                options.push((more, text));
            }
        }
        options.extend(of_written(&branches.otherwise, words)?);
        return Some(options);
    }
    let Kind::Reading(codec) = &written.kind else { return None };
    let words = words(written);
    if words.is_empty() {
        return None;
    }
    let options = words.iter().map(|word| {
        let condition = Translator::is_state(written, codec, word);
        (vec![condition], word.clone())
    });
    Some(options.collect())
}
