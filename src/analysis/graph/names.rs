//! What is known of a rule's variables without running it: what texts that are put together may name.

use crate::model::{Level as FilterLevel, Name, TopicFilter, Value};
use crate::rules::Rule;
use crate::script::{Piece, Template, TextPart};

use crate::analysis::{Level, Pattern};

/// The most patterns that one text gives.
const MOST: usize = 8;

/// A part of a text: written out, or any of what the filter hears, or whatever.
#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// One level.
    One,
    /// Any levels.
    Many,
    /// The levels of one of the topics that the rule hears.
    Topic,
}

/// The variables of a rule.
pub(in crate::analysis) struct Names<'a> {
    rule: &'a Rule,
    filters: Vec<&'a TopicFilter>,
}

impl<'a> Names<'a> {
    pub(in crate::analysis) fn of(rule: &'a Rule) -> Names<'a> {
        Names { rule, filters: rule.triggers().iter().filter_map(|trigger| trigger.filter()).collect() }
    }

    /// Returns the topics that a template may name.
    pub(in crate::analysis) fn topics(&self, template: &Template) -> Vec<Pattern> {
        match template {
            Template::Constant(Value::Text(text)) => self.patterns(&[Part::Text(text.to_string())]),
            Template::Expression(expression) => self.patterns(&[self.variable(expression.source().as_str().trim())]),
            Template::Text(parts) => {
                let part = |part: &TextPart| match part {
                    TextPart::Literal(text) => Part::Text(text.clone()),
                    TextPart::Expression(expression) => self.variable(expression.source().as_str().trim()),
                };
                self.patterns(&parts.iter().map(part).collect::<Vec<_>>())
            }
            Template::Constant(_) | Template::List(_) | Template::Map(_) => vec![Pattern::new(vec![Level::Many])],
        }
    }

    /// Returns the topics that a text of an expression or a script may name.
    pub(in crate::analysis) fn topics_of_pieces(&self, pieces: &[Piece]) -> Vec<Pattern> {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => Part::Text(text.clone()),
            Piece::Variable(name) => self.variable(name),
            Piece::Unknown if pieces.len() == 1 => Part::Many,
            Piece::Unknown => Part::One,
        };
        self.patterns(&pieces.iter().map(part).collect::<Vec<_>>())
    }

    /// Returns what is known of the text that an expression gives: a variable, perhaps.
    fn variable(&self, name: &str) -> Part {
        if let Some((_, value)) = self.rule.constants.iter().rev().find(|(known, _)| &**known == name) {
            return Part::Text(value.to_string());
        }
        if name == "topic" {
            return match &self.rule.each_topic {
                Some(topic) => Part::Text(topic.as_str().to_owned()),
                None => Part::Topic,
            };
        }
        let named = |filter: &&TopicFilter| filter.levels().iter().find_map(|level| named_as(level, name));
        match self.filters.iter().find_map(named) {
            Some(true) => Part::Many,
            Some(false) => Part::One,
            None => {
                let known = self.rule.variables.iter().find(|(known, _)| &**known == name);
                match known.map(|(_, template)| template) {
                    Some(Template::Constant(Value::Text(text))) => Part::Text(text.to_string()),
                    _ => Part::Many,
                }
            }
        }
    }

    /// Returns the patterns of a text: one for each topic that the rule hears, where the text names that.
    fn patterns(&self, parts: &[Part]) -> Vec<Pattern> {
        if !parts.iter().any(|part| matches!(part, Part::Topic)) {
            return vec![pattern(parts, None)];
        }
        if self.filters.is_empty() {
            return vec![pattern(parts, None)];
        }
        self.filters.iter().take(MOST).map(|filter| pattern(parts, Some(filter))).collect()
    }
}

/// Returns whether the wildcard `name` may match several levels; `None` where the level has another name.
fn named_as(level: &FilterLevel, name: &str) -> Option<bool> {
    let is_it = |known: &Option<Name>| known.as_deref() == Some(name);
    match level {
        FilterLevel::One(known) => is_it(known).then_some(false),
        FilterLevel::Rest(known) => is_it(known).then_some(true),
        FilterLevel::Literal(_) => None,
    }
}

fn pattern(parts: &[Part], heard: Option<&TopicFilter>) -> Pattern {
    let mut levels: Vec<Level> = Vec::new();
    // What the level that is being put together holds: nothing yet, a text, or something that isn't known.
    let mut open: Option<Level> = None;
    let mix = |open: Option<Level>, more: Level| match (open, more) {
        (None, more) => more,
        (Some(Level::Text(text)), Level::Text(more)) => Level::Text(format!("{text}{more}").into()),
        (Some(Level::Many), _) | (_, Level::Many) => Level::Many,
        (Some(_), _) => Level::One,
    };
    for part in parts {
        match part {
            Part::Text(text) => {
                for (index, piece) in text.split('/').enumerate() {
                    if index > 0 {
                        levels.push(open.take().unwrap_or(Level::Text("".into())));
                    }
                    if !piece.is_empty() {
                        open = Some(mix(open.take(), Level::Text(piece.into())));
                    }
                }
            }
            Part::One => open = Some(mix(open.take(), Level::One)),
            Part::Many => open = Some(mix(open.take(), Level::Many)),
            Part::Topic => match heard {
                None => open = Some(mix(open.take(), Level::Many)),
                Some(filter) => {
                    for (index, level) in Pattern::of_filter(filter).levels().iter().enumerate() {
                        if index > 0 {
                            levels.push(open.take().unwrap_or(Level::Text("".into())));
                        }
                        open = Some(mix(open.take(), level.clone()));
                    }
                }
            },
        }
    }
    levels.push(open.unwrap_or(Level::Text("".into())));
    Pattern::new(levels)
}
