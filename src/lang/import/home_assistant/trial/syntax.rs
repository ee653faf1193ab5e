//! The syntax of expressions as far as imported rules write them, so that what they ask is told by their tree.

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Syntax {
    Text(String),
    Number(f64),
    Bool(bool),
    Name(String),
    List(Vec<Syntax>),
    /// `f(a, b)`, and `x.f(a)` with what stands before the point as the first.
    Call(String, Vec<Syntax>),
    Member(Box<Syntax>, String),
    Index(Box<Syntax>, Box<Syntax>),
    Not(Box<Syntax>),
    /// Two parts with what stands between them.
    Binary(&'static str, Box<Syntax>, Box<Syntax>),
    /// `if a { b } else { c }`.
    If(Box<Syntax>, Box<Syntax>, Box<Syntax>),
    /// What isn't looked into.
    Other(Vec<Syntax>),
}

/// How deeply expressions may be nested.
const DEEPEST: usize = 200;

/// Returns the tree of an expression; `None` if it isn't one, or has what imported rules don't write.
pub(super) fn parse(text: &str) -> Option<Syntax> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, next: 0, depth: 0 };
    let found = reader.expression(0)?;
    (reader.next == tokens.len()).then_some(found)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(String),
    Number(f64),
    Name(String),
    Sign(&'static str),
}

const SIGNS: [&str; 29] = [
    "||", "&&", "**", "==", "!=", ">=", "<=", "??", "?.", "?[", "#{", "(", ")", "[", "]", "{", "}", "|", ",", ".", ":",
    ">", "<", "+", "-", "*", "/", "%", "!",
];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = |is_part: fn(char) -> bool| rest.find(|letter: char| !is_part(letter)).unwrap_or(rest.len());
        let length = if first.is_ascii_digit() {
            let whole = end(|letter| letter.is_ascii_digit());
            let fraction = rest.get(whole..)?.strip_prefix('.').map_or(0, |rest| {
                let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
                if digits == 0 { 0 } else { digits + 1 }
            });
            found.push(Token::Number(rest.get(..whole + fraction)?.parse().ok()?));
            whole + fraction
        } else if first.is_alphabetic() || first == '_' {
            let length = end(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':'));
            found.push(Token::Name(rest.get(..length)?.to_owned()));
            length
        } else if matches!(first, '\'' | '"') {
            let (text, length) = quoted(rest, first)?;
            found.push(Token::Text(text));
            length
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            found.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest.get(length..)?.trim_start();
    }
    Some(found)
}

/// Returns a text in quotes, and how long it is as it's written.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => text.push(match letters.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            letter if letter == quote => return Some((text.replace("$${", "${"), at + 1)),
            letter => text.push(letter),
        }
    }
    None
}

struct Reader<'t> {
    tokens: &'t [Token],
    next: usize,
    depth: usize,
}

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        let is_it = match self.tokens.get(self.next) {
            Some(Token::Sign(found)) => *found == sign,
            Some(Token::Name(found)) => found == sign,
            _ => false,
        };
        self.next += usize::from(is_it);
        is_it
    }

    /// Returns the operator that comes, and how tightly it binds.
    fn operator(&self) -> Option<(&'static str, u8)> {
        Some(match self.tokens.get(self.next)? {
            Token::Name(word) if word == "or" => ("or", 1),
            Token::Name(word) if word == "and" => ("and", 2),
            Token::Sign("||") => ("or", 1),
            Token::Sign("&&") => ("and", 2),
            Token::Sign(sign @ ("==" | "!=")) => (sign, 3),
            Token::Sign(sign @ (">=" | "<=" | ">" | "<")) => (sign, 4),
            Token::Sign("??") => ("??", 5),
            Token::Sign(sign @ ("+" | "-")) => (sign, 6),
            Token::Sign(sign @ ("*" | "/" | "%" | "**")) => (sign, 7),
            _ => return None,
        })
    }

    fn expression(&mut self, least: u8) -> Option<Syntax> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = self.unary()?;
        while let Some((sign, level)) = self.operator().filter(|(_, level)| *level > least) {
            self.next += 1;
            let right = self.expression(level)?;
            left = Syntax::Binary(sign, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Some(left)
    }

    fn unary(&mut self) -> Option<Syntax> {
        if self.takes("not") || self.takes("!") {
            return Some(Syntax::Not(Box::new(self.unary()?)));
        }
        if self.takes("-") {
            return Some(match self.unary()? {
                Syntax::Number(number) => Syntax::Number(-number),
                other => Syntax::Other(vec![other]),
            });
        }
        let mut found = self.atom()?;
        loop {
            if self.takes(".") || self.takes("?.") {
                let Some(Token::Name(name)) = self.tokens.get(self.next).cloned() else { return None };
                self.next += 1;
                found = if self.takes("(") {
                    let mut arguments = vec![found];
                    arguments.extend(self.list(")")?);
                    Syntax::Call(format!(".{name}"), arguments)
                } else {
                    Syntax::Member(Box::new(found), name)
                };
            } else if self.takes("[") || self.takes("?[") {
                let index = self.expression(0)?;
                if !self.takes("]") {
                    return None;
                }
                found = Syntax::Index(Box::new(found), Box::new(index));
            } else {
                return Some(found);
            }
        }
    }

    fn atom(&mut self) -> Option<Syntax> {
        let token = self.tokens.get(self.next)?.clone();
        self.next += 1;
        Some(match token {
            Token::Text(text) => Syntax::Text(text),
            Token::Number(number) => Syntax::Number(number),
            Token::Name(name) => match name.as_str() {
                "true" | "false" => Syntax::Bool(name == "true"),
                "if" => self.choice()?,
                _ if self.takes("(") => Syntax::Call(name, self.list(")")?),
                _ => Syntax::Name(name),
            },
            Token::Sign("(") => {
                if self.takes(")") {
                    return Some(Syntax::Other(Vec::new()));
                }
                let inner = self.expression(0)?;
                return self.takes(")").then_some(inner);
            }
            Token::Sign("[") => Syntax::List(self.list("]")?),
            Token::Sign("#{") => self.map()?,
            // A closure: `|x| …`, or `|| …`.
            Token::Sign("||") => Syntax::Other(vec![self.expression(0)?]),
            Token::Sign("|") => {
                while !self.takes("|") {
                    self.tokens.get(self.next)?;
                    self.next += 1;
                }
                Syntax::Other(vec![self.expression(0)?])
            }
            Token::Sign(_) => return None,
        })
    }

    fn list(&mut self, end: &str) -> Option<Vec<Syntax>> {
        let mut found = Vec::new();
        while !self.takes(end) {
            if !found.is_empty() && !self.takes(",") {
                return None;
            }
            found.push(self.expression(0)?);
        }
        Some(found)
    }

    fn map(&mut self) -> Option<Syntax> {
        let mut found = Vec::new();
        while !self.takes("}") {
            if !found.is_empty() && !self.takes(",") {
                return None;
            }
            // A name takes its colon with it.
            let is_joined = matches!(self.tokens.get(self.next)?, Token::Name(name) if name.ends_with(':'));
            self.next += 1;
            if !is_joined && !self.takes(":") {
                return None;
            }
            found.push(self.expression(0)?);
        }
        Some(Syntax::Other(found))
    }

    fn choice(&mut self) -> Option<Syntax> {
        let condition = self.expression(0)?;
        let then = self.block()?;
        if !self.takes("else") {
            return None;
        }
        let otherwise = if self.takes("if") { self.choice()? } else { self.block()? };
        Some(Syntax::If(Box::new(condition), Box::new(then), Box::new(otherwise)))
    }

    fn block(&mut self) -> Option<Syntax> {
        if !self.takes("{") {
            return None;
        }
        let inner = self.expression(0)?;
        self.takes("}").then_some(inner)
    }
}
