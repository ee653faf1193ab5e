//! Names that templates choose: `light.turn_{{ 'on' if … else 'off' }}` is one of two.

use super::render::{Piece, Rendered};
use super::written::{Kind, Written, level};

/// The most names that one template may choose among.
const MOST: usize = 24;

/// One of several texts: the condition under which it's meant; the last one has none.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Choice {
    pub(in crate::lang::import::home_assistant) condition: Option<String>,
    pub(in crate::lang::import::home_assistant) text: String,
}

/// Returns the texts that a template may give, with their conditions; `None` if they can't be counted. `words` are those that
/// a state may have.
pub(in crate::lang::import::home_assistant) fn finite(rendered: &Rendered, words: &[String]) -> Option<Vec<Choice>> {
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
        let all: Vec<String> = conditions.iter().map(|condition| condition.at(level::AND)).collect();
        let condition = (!all.is_empty()).then(|| all.join(" and "));
        Choice { condition, text: text.trim().to_owned() }
    });
    Some(choices.collect())
}

type Options = Vec<(Vec<Written>, String)>;

fn of_piece(piece: &Piece, words: &[String]) -> Option<Options> {
    match piece {
        Piece::Text(text) => Some(vec![(Vec::new(), text.clone())]),
        Piece::Value(written) => of_written(written, words),
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

fn of_pieces(pieces: &[Piece], words: &[String]) -> Option<Options> {
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

fn of_written(written: &Written, words: &[String]) -> Option<Options> {
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
    if words.is_empty() {
        return None;
    }
    let options = words.iter().map(|word| {
        let condition = super::translator::Translator::is_state(written, codec, word);
        (vec![condition], word.clone())
    });
    Some(options.collect())
}
