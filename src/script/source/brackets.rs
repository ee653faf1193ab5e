//! Brackets of a script that nobody closes, or that close nothing: which one is to blame.

use std::ops::Range;

use super::file_tokens::FileTokens;

/// A bracket without its other half.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::script) struct Unbalanced {
    /// Where it stands, in bytes.
    pub(in crate::script) at: Range<usize>,
    /// What is wrong, in words.
    pub(in crate::script) message: String,
    /// Where its other half is missing, as far as that shows.
    pub(in crate::script) help: Option<String>,
}

/// Returns the bracket that is to blame where those of a script don't match.
pub(in crate::script) fn unbalanced(tokens: &FileTokens<'_>) -> Option<Unbalanced> {
    let mut matching = Matching { tokens, open: Vec::new(), pairs: Vec::new() };
    let fault = matching.fault(None, Sees::Statements)?;
    Some(matching.blame(&fault))
}

/// The brackets of a script, matched from its beginning.
struct Matching<'a> {
    tokens: &'a FileTokens<'a>,
    /// The tokens of those that are open.
    open: Vec<usize>,
    /// Those that were closed, each with what closed it.
    pairs: Vec<(usize, usize)>,
}

/// What the matching looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// Brackets alone.
    Brackets,
    /// The ends of statements too.
    Statements,
}

/// Where the matching stops.
enum Fault {
    /// A bracket closes another one than the innermost: that one, and it.
    Crossed { open: usize, close: usize },
    /// A `;` stands within `(`, `[` or `#{`: that one, and it.
    Ended { open: usize, end: usize },
    /// A bracket closes nothing.
    Surplus(usize),
    /// The file ends within this bracket.
    Unclosed(usize),
}

impl Matching<'_> {
    /// Matches all brackets but `left_out`; `None` where they do match.
    fn fault(&mut self, left_out: Option<usize>, sees: Sees) -> Option<Fault> {
        for index in (0..self.tokens.len()).filter(|index| Some(*index) != left_out) {
            match (self.tokens.text(index), self.open.last().copied()) {
                ("(" | "[" | "?[" | "{" | "#{", _) => self.open.push(index),
                (")" | "]" | "}", None) => return Some(Fault::Surplus(index)),
                (close @ (")" | "]" | "}"), Some(open)) => {
                    if closing(self.tokens.text(open)) != close {
                        return Some(Fault::Crossed { open, close: index });
                    }
                    self.open.pop();
                    self.pairs.push((open, index));
                }
                (";", Some(open)) if sees == Sees::Statements && self.tokens.text(open) != "{" => {
                    return Some(Fault::Ended { open, end: index });
                }
                _ => {}
            }
        }
        self.open.last().copied().map(Fault::Unclosed)
    }

    fn blame(&self, fault: &Fault) -> Unbalanced {
        match *fault {
            Fault::Ended { open, end } => {
                let mut otherwise = Matching { tokens: self.tokens, open: Vec::new(), pairs: Vec::new() };
                // All brackets match: a comma was meant.
                if otherwise.fault(None, Sees::Brackets).is_none() {
                    let message = format!("`;` can't be used within `{}`", self.tokens.text(open));
                    let help = Some("items have a `,` between them".to_owned());
                    return Unbalanced { at: self.tokens.range(end), message, help };
                }
                self.unclosed(open, Some(end))
            }
            Fault::Surplus(close) => self.surplus(self.too_deep().unwrap_or(close)),
            Fault::Unclosed(open) => match self.too_far_out() {
                Some((open, close)) => self.unclosed(open, Some(close)),
                None => self.unclosed(open, None),
            },
            Fault::Crossed { open, close } => {
                let mut without = Matching { tokens: self.tokens, open: Vec::new(), pairs: Vec::new() };
                if without.fault(Some(close), Sees::Statements).is_none() {
                    return self.surplus(self.too_deep().unwrap_or(close));
                }
                let (open, close) = self.too_far_out().unwrap_or((open, close));
                self.unclosed(open, Some(close))
            }
        }
    }

    /// Returns the first pair of which the second half stands further left than the line of the first: it was meant
    /// for an outer one.
    fn too_far_out(&self) -> Option<(usize, usize)> {
        self.pairs
            .iter()
            .copied()
            .find(|(open, close)| self.begins_line(*close) && self.indentation(*close) < self.indentation(*open))
    }

    /// Returns the first closing bracket that stands further right than the line of what it closes: it has too much
    /// to close.
    fn too_deep(&self) -> Option<usize> {
        let is_deeper = |(open, close): &&(usize, usize)| {
            self.begins_line(*close) && self.indentation(*close) > self.indentation(*open)
        };
        self.pairs.iter().find(is_deeper).map(|(_, close)| *close)
    }

    /// Returns how far the line of a token is indented.
    fn indentation(&self, index: usize) -> usize {
        let line = self.tokens.line_before(index);
        line.len() - line.trim_start().len()
    }

    fn begins_line(&self, index: usize) -> bool {
        self.tokens.line_before(index).trim_start().is_empty()
    }

    fn surplus(&self, close: usize) -> Unbalanced {
        let message = format!("`{}` closes nothing", self.tokens.text(close));
        Unbalanced { at: self.tokens.range(close), message, help: None }
    }

    fn unclosed(&self, open: usize, before: Option<usize>) -> Unbalanced {
        let symbol = self.tokens.text(open);
        let place = before.map_or("the end of the file".to_owned(), |before| {
            format!("the `{}` in line {}", self.tokens.text(before), self.tokens.line_number(before))
        });
        Unbalanced {
            at: self.tokens.range(open),
            message: format!("`{symbol}` is never closed"),
            help: Some(format!("a `{}` is missing before {place}", closing(symbol))),
        }
    }
}

/// Returns the bracket that closes `open`.
fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" | "?[" => "]",
        _ => "}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> String {
        match unbalanced(&FileTokens::new(source)) {
            Some(found) => {
                let line = source.get(..found.at.start).unwrap().matches('\n').count() + 1;
                format!("{line}: {}; {}", found.message, found.help.unwrap_or_default())
            }
            None => "matched".to_owned(),
        }
    }

    #[test]
    fn the_bracket_that_lacks_its_other_half_is_found_by_the_indentation() {
        let unclosed = "rule(\"a\", #{\n    then: |e| {\n        if e.x {\n            f();\n    },\n});\n";
        assert_eq!(told(unclosed), "3: `{` is never closed; a `}` is missing before the `}` in line 5");
        let surplus = "rule(\"a\", #{\n    then: |e| {\n        f();\n        }\n    },\n});\n";
        assert_eq!(told(surplus), "4: `}` closes nothing; ");
        let surplus = "fn f() {\n    if x {\n        g();\n    }\n    }\n}\n";
        assert_eq!(told(surplus), "5: `}` closes nothing; ");
    }

    #[test]
    fn the_end_of_a_statement_ends_no_list_of_arguments() {
        assert_eq!(told("f(1;\ng(2);"), "1: `(` is never closed; a `)` is missing before the `;` in line 1");
        assert_eq!(told("f(#{ a: 1 };"), "1: `(` is never closed; a `)` is missing before the `;` in line 1");
        assert_eq!(told("f([1, 2);"), "1: `[` is never closed; a `]` is missing before the `)` in line 1");
        assert_eq!(told("f(1));"), "1: `)` closes nothing; ");
        assert_eq!(told("f(|| {"), "1: `{` is never closed; a `}` is missing before the end of the file");
        assert_eq!(told("f(\")\", `(${g(\"}\")}`, ')');"), "matched");
    }
}
