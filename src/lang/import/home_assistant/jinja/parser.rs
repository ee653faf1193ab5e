//! Statements and text to the syntax tree.

use super::ast::{Expression, Part};
use super::expressions::whole;
use super::lexer::{Piece, Token, pieces};
use super::parse_error::TemplateError;

/// How deeply statements may be nested.
const DEEPEST: usize = 60;

type Parsed<T> = Result<T, TemplateError>;

/// The parameters of a macro, with their defaults.
type Parameters = Vec<(String, Option<Expression>)>;

/// Returns the parts of a template.
pub(in crate::lang::import::home_assistant) fn parse(text: &str) -> Parsed<Vec<Part>> {
    let mut reader = Statements { pieces: pieces(text)?, next: 0 };
    let (parts, end) = reader.parts(0)?;
    match end {
        Some((word, at)) => Err(TemplateError { at, message: format!("`{{% {word} %}}` closes nothing") }),
        None => Ok(parts),
    }
}

struct Statements {
    pieces: Vec<Piece>,
    next: usize,
}

impl Statements {
    /// Reads up to a statement that closes or divides a block, and returns its word.
    #[expect(clippy::type_complexity, reason = "the parts, and the word that ended them")]
    fn parts(&mut self, depth: usize) -> Parsed<(Vec<Part>, Option<(String, usize)>)> {
        let mut parts = Vec::new();
        while let Some(piece) = self.pieces.get(self.next).cloned() {
            match piece {
                Piece::Text(text) => {
                    self.next += 1;
                    parts.push(Part::Text(text));
                }
                Piece::Output(tokens, at) => {
                    self.next += 1;
                    parts.push(Part::Output(whole(&tokens, at)?));
                }
                Piece::Statement(tokens, at) => {
                    let Some((_, Token::Name(word))) = tokens.first() else {
                        return Err(TemplateError { at, message: "a statement begins with a word".to_owned() });
                    };
                    if matches!(&**word, "elif" | "else" | "endif" | "endfor" | "endset") || word.starts_with("end") {
                        return Ok((parts, Some((word.clone(), at))));
                    }
                    if depth >= DEEPEST {
                        return Err(TemplateError {
                            at,
                            message: format!("statements are nested more than {DEEPEST} deep"),
                        });
                    }
                    parts.push(self.statement(&word.clone(), &tokens, at, depth)?);
                }
            }
        }
        Ok((parts, None))
    }

    fn statement(&mut self, word: &str, tokens: &[(usize, Token)], at: usize, depth: usize) -> Parsed<Part> {
        let rest = tokens.get(1..).unwrap_or_default();
        match word {
            "if" => self.condition(rest, at, depth),
            "set" => {
                self.next += 1;
                match rest {
                    [(_, Token::Name(name)), (_, Token::Sign("=")), value @ ..] => {
                        Ok(Part::Set(name.clone(), whole(value, at)?))
                    }
                    // An attribute of a namespace.
                    [
                        (_, Token::Name(of)),
                        (_, Token::Sign(".")),
                        (_, Token::Name(name)),
                        (_, Token::Sign("=")),
                        value @ ..,
                    ] => Ok(Part::Set(format!("{of}.{name}"), whole(value, at)?)),
                    [(_, Token::Name(name))] => {
                        let (parts, end) = self.parts(depth + 1)?;
                        self.close(end, "endset", at)?;
                        Ok(Part::SetBlock(name.clone(), parts))
                    }
                    _ => Ok(Part::Other("set".to_owned(), at)),
                }
            }
            "for" => {
                self.next += 1;
                let (parts, end) = self.parts(depth + 1)?;
                if end.as_ref().is_some_and(|(word, _)| word == "else") {
                    return Ok(Part::Other("for … else".to_owned(), at));
                }
                self.close(end, "endfor", at)?;
                let Some((names, list)) = targets(rest) else {
                    return Ok(Part::Other("for".to_owned(), at));
                };
                let condition = list.iter().position(|(_, token)| *token == Token::Name("if".to_owned()));
                let (list, condition) = match condition {
                    Some(index) => (list.get(..index).unwrap_or_default(), list.get(index + 1..)),
                    None => (list, None),
                };
                let condition = condition.map(|tokens| whole(tokens, at)).transpose()?;
                Ok(Part::For(names, whole(list, at)?, condition, parts))
            }
            "macro" => {
                self.next += 1;
                let (parts, end) = self.parts(depth + 1)?;
                self.close(end, "endmacro", at)?;
                let [(_, Token::Name(name)), (_, Token::Sign("(")), inner @ .., (_, Token::Sign(")"))] = rest else {
                    return Ok(Part::Other("macro".to_owned(), at));
                };
                match parameters(inner, at)? {
                    Some(parameters) => Ok(Part::Macro(name.clone(), parameters, parts)),
                    None => Ok(Part::Other("macro".to_owned(), at)),
                }
            }
            other => {
                self.next += 1;
                Ok(Part::Other(other.to_owned(), at))
            }
        }
    }

    fn condition(&mut self, tokens: &[(usize, Token)], at: usize, depth: usize) -> Parsed<Part> {
        let mut branches = Vec::new();
        let mut condition = whole(tokens, at)?;
        loop {
            self.next += 1;
            let (parts, end) = self.parts(depth + 1)?;
            branches.push((condition, parts));
            match end.as_ref().map(|(word, _)| &**word) {
                Some("elif") => {
                    let Some(Piece::Statement(tokens, at)) = self.pieces.get(self.next).cloned() else {
                        return Err(TemplateError { at, message: "`{% endif %}` is missing".to_owned() });
                    };
                    condition = whole(tokens.get(1..).unwrap_or_default(), at)?;
                }
                Some("else") => {
                    self.next += 1;
                    let (parts, end) = self.parts(depth + 1)?;
                    self.close(end, "endif", at)?;
                    return Ok(Part::If(branches, parts));
                }
                _ => {
                    self.close(end, "endif", at)?;
                    return Ok(Part::If(branches, Vec::new()));
                }
            }
        }
    }

    fn close(&mut self, end: Option<(String, usize)>, wanted: &str, at: usize) -> Parsed<()> {
        self.next += 1;
        if end.is_some_and(|(word, _)| word == wanted) {
            return Ok(());
        }
        Err(TemplateError { at, message: format!("`{{% {wanted} %}}` is missing") })
    }
}

/// Returns the names in front of `in`, with or without brackets, and what follows it.
#[expect(clippy::type_complexity, reason = "the names, and what they go through")]
fn targets(tokens: &[(usize, Token)]) -> Option<(Vec<String>, &[(usize, Token)])> {
    let end = tokens.iter().position(|(_, token)| *token == Token::Name("in".to_owned()))?;
    let names = tokens.get(..end)?;
    let names = match names {
        [(_, Token::Sign("(")), inner @ .., (_, Token::Sign(")"))] => inner,
        bare => bare,
    };
    let mut found = Vec::new();
    for (index, (_, token)) in names.iter().enumerate() {
        match token {
            Token::Name(name) if index % 2 == 0 => found.push(name.clone()),
            Token::Sign(",") if index % 2 == 1 => {}
            _ => return None,
        }
    }
    (!found.is_empty()).then(|| (found, tokens.get(end + 1..).unwrap_or_default()))
}

/// Returns the parameters of a macro: names, and what stands behind `=`; `None` if they aren't such.
fn parameters(tokens: &[(usize, Token)], at: usize) -> Parsed<Option<Parameters>> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    let mut parts = Vec::new();
    for (index, (_, token)) in tokens.iter().enumerate() {
        match token {
            Token::Sign("(" | "[" | "{") => depth += 1,
            Token::Sign(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Token::Sign(",") if depth == 0 => {
                parts.push(tokens.get(start..index).unwrap_or_default());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(tokens.get(start..).unwrap_or_default());
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        match part {
            [(_, Token::Name(name))] => found.push((name.clone(), None)),
            [(_, Token::Name(name)), (_, Token::Sign("=")), value @ ..] => {
                found.push((name.clone(), Some(whole(value, at)?)));
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(found))
}
