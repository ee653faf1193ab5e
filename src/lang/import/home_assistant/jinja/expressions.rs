//! Tokens to expressions, with Jinja's precedence.

use super::ast::{Binary, Expression, ExpressionKind};
use super::lexer::Token;
use super::parse_error::TemplateError;

/// How deeply expressions may be nested.
const DEEPEST: usize = 60;

type Parsed<T> = Result<T, TemplateError>;

/// Returns all of `tokens` as one expression.
pub(super) fn whole(tokens: &[(usize, Token)], at: usize) -> Parsed<Expression> {
    let mut reader = Expressions { tokens, next: 0, end: at, depth: 0 };
    let found = reader.expression()?;
    match reader.tokens.get(reader.next) {
        None => Ok(found),
        Some((at, token)) => {
            let shown = match token {
                Token::Name(name) => name.clone(),
                Token::Text(text) => format!("'{text}'"),
                Token::Int(number) => number.to_string(),
                Token::Float(number) => number.to_string(),
                Token::Sign(sign) => (*sign).to_owned(),
            };
            Err(TemplateError { at: *at, message: format!("`{shown}` isn't expected here") })
        }
    }
}

struct Expressions<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    end: usize,
    depth: usize,
}

impl Expressions<'_> {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.tokens.get(self.next), Some((_, Token::Sign(found))) if *found == sign);
        self.next += usize::from(is_it);
        is_it
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it = self.is_word(0, word);
        self.next += usize::from(is_it);
        is_it
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.next + ahead), Some((_, Token::Name(found))) if found == word)
    }

    fn needs(&mut self, sign: &str) -> Parsed<()> {
        if self.takes_sign(sign) {
            return Ok(());
        }
        Err(TemplateError { at: self.at(), message: format!("`{sign}` is missing here") })
    }

    /// Reads a choice: `a if condition else b`.
    fn expression(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TemplateError { at: self.at(), message: format!("it's nested more than {DEEPEST} deep") });
        }
        let at = self.at();
        let mut value = self.or()?;
        while self.takes_word("if") {
            let condition = self.or()?;
            let otherwise = if self.takes_word("else") { Some(Box::new(self.expression()?)) } else { None };
            value = Expression { at, kind: ExpressionKind::Choice(Box::new(condition), Box::new(value), otherwise) };
        }
        self.depth -= 1;
        Ok(value)
    }

    fn binary(at: usize, operator: Binary, left: Expression, right: Expression) -> Expression {
        Expression { at, kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)) }
    }

    fn or(&mut self) -> Parsed<Expression> {
        let at = self.at();
        let mut left = self.and()?;
        while self.takes_word("or") {
            let right = self.and()?;
            left = Self::binary(at, Binary::Or, left, right);
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let at = self.at();
        let mut left = self.not()?;
        while self.takes_word("and") {
            let right = self.not()?;
            left = Self::binary(at, Binary::And, left, right);
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expression> {
        let at = self.at();
        let mut count = 0;
        while self.is_word(0, "not") && !self.is_word(1, "in") {
            self.next += 1;
            count += 1;
            if count > DEEPEST {
                return Err(TemplateError { at, message: "there are too many `not`s".to_owned() });
            }
        }
        let mut value = self.comparison()?;
        for _ in 0..count {
            value = Expression { at, kind: ExpressionKind::Not(Box::new(value)) };
        }
        Ok(value)
    }

    /// Reads a comparison; `a < b < c` is `a < b and b < c`.
    fn comparison(&mut self) -> Parsed<Expression> {
        let at = self.at();
        let first = self.sum()?;
        let mut last = first.clone();
        let mut found: Option<Expression> = None;
        loop {
            let operator = if self.takes_word("in") {
                Binary::In
            } else if self.is_word(0, "not") && self.is_word(1, "in") {
                self.next += 2;
                Binary::NotIn
            } else {
                let signs = [
                    ("==", Binary::Equal),
                    ("!=", Binary::NotEqual),
                    ("<=", Binary::LessEqual),
                    (">=", Binary::GreaterEqual),
                    ("<", Binary::Less),
                    (">", Binary::Greater),
                ];
                let Some((_, operator)) = signs.into_iter().find(|(sign, _)| self.takes_sign(sign)) else {
                    return Ok(found.unwrap_or(first));
                };
                operator
            };
            let right = self.sum()?;
            let next = Self::binary(at, operator, last, right.clone());
            last = right;
            found = Some(match found {
                Some(before) => Self::binary(at, Binary::And, before, next),
                None => next,
            });
        }
    }

    fn chain(&mut self, signs: &[(&str, Binary)], inner: fn(&mut Self) -> Parsed<Expression>) -> Parsed<Expression> {
        let at = self.at();
        let mut left = inner(self)?;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.takes_sign(sign)) {
            let right = inner(self)?;
            left = Self::binary(at, *operator, left, right);
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed<Expression> {
        self.chain(&[("+", Binary::Add), ("-", Binary::Subtract)], Self::concatenation)
    }

    fn concatenation(&mut self) -> Parsed<Expression> {
        self.chain(&[("~", Binary::Concatenate)], Self::product)
    }

    fn product(&mut self) -> Parsed<Expression> {
        let signs =
            [("*", Binary::Multiply), ("//", Binary::FloorDivide), ("/", Binary::Divide), ("%", Binary::Modulo)];
        self.chain(&signs, Self::unary)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        let at = self.at();
        if self.takes_sign("-") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(TemplateError { at, message: "there are too many signs".to_owned() });
            }
            let inner = self.unary_without_filters()?;
            self.depth -= 1;
            let negative = Expression { at, kind: ExpressionKind::Negative(Box::new(inner)) };
            return self.filters(negative);
        }
        if self.takes_sign("+") {
            return self.unary();
        }
        let power = self.power()?;
        self.filters(power)
    }

    fn unary_without_filters(&mut self) -> Parsed<Expression> {
        if self.takes_sign("-") {
            let at = self.at();
            let inner = self.power()?;
            return Ok(Expression { at, kind: ExpressionKind::Negative(Box::new(inner)) });
        }
        self.power()
    }

    fn power(&mut self) -> Parsed<Expression> {
        let at = self.at();
        let base = self.primary()?;
        let base = self.postfix(base)?;
        if self.takes_sign("**") {
            let exponent = self.unary()?;
            return Ok(Self::binary(at, Binary::Power, base, exponent));
        }
        Ok(base)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let at = self.at();
        let Some((_, token)) = self.tokens.get(self.next) else {
            return Err(TemplateError { at, message: "an expression is missing here".to_owned() });
        };
        self.next += 1;
        let kind = match token {
            Token::Int(number) => ExpressionKind::Int(*number),
            Token::Float(number) => ExpressionKind::Float(*number),
            Token::Text(text) => {
                let mut text = text.clone();
                // Texts side by side are one.
                while let Some((_, Token::Text(more))) = self.tokens.get(self.next) {
                    text.push_str(more);
                    self.next += 1;
                }
                ExpressionKind::Text(text)
            }
            Token::Name(name) => match &**name {
                "true" | "True" => ExpressionKind::Bool(true),
                "false" | "False" => ExpressionKind::Bool(false),
                "none" | "None" => ExpressionKind::None,
                _ => ExpressionKind::Name(name.clone()),
            },
            Token::Sign("(") => {
                if self.takes_sign(")") {
                    return Ok(Expression { at, kind: ExpressionKind::List(Vec::new()) });
                }
                let first = self.expression()?;
                if self.takes_sign(")") {
                    return Ok(first);
                }
                let mut items = vec![first];
                while self.takes_sign(",") {
                    if matches!(self.tokens.get(self.next), Some((_, Token::Sign(")")))) {
                        break;
                    }
                    items.push(self.expression()?);
                }
                self.needs(")")?;
                ExpressionKind::List(items)
            }
            Token::Sign("[") => ExpressionKind::List(self.listed("]")?),
            Token::Sign("{") => {
                let mut entries = Vec::new();
                while !self.takes_sign("}") {
                    let key = self.expression()?;
                    self.needs(":")?;
                    entries.push((key, self.expression()?));
                    if !self.takes_sign(",") {
                        self.needs("}")?;
                        break;
                    }
                }
                ExpressionKind::Map(entries)
            }
            Token::Sign(sign) => {
                return Err(TemplateError { at, message: format!("`{sign}` isn't expected here") });
            }
        };
        Ok(Expression { at, kind })
    }

    fn listed(&mut self, close: &str) -> Parsed<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.takes_sign(close) {
            items.push(self.expression()?);
            if !self.takes_sign(",") {
                self.needs(close)?;
                break;
            }
        }
        Ok(items)
    }

    /// Reads `.name`, `[…]` and `(…)`.
    fn postfix(&mut self, mut value: Expression) -> Parsed<Expression> {
        loop {
            let at = value.at;
            let kind = if self.takes_sign(".") {
                match self.tokens.get(self.next) {
                    Some((_, Token::Name(name))) => {
                        self.next += 1;
                        ExpressionKind::Attribute(Box::new(value), name.clone())
                    }
                    Some((_, Token::Int(index))) => {
                        self.next += 1;
                        let index = Expression { at, kind: ExpressionKind::Int(*index) };
                        ExpressionKind::Item(Box::new(value), Box::new(index))
                    }
                    _ => return Err(TemplateError { at: self.at(), message: "a name is missing here".to_owned() }),
                }
            } else if self.takes_sign("[") {
                self.subscript(value)?
            } else if self.takes_sign("(") {
                let (arguments, named) = self.arguments()?;
                ExpressionKind::Call(Box::new(value), arguments, named)
            } else {
                return Ok(value);
            };
            value = Expression { at, kind };
        }
    }

    fn subscript(&mut self, value: Expression) -> Parsed<ExpressionKind> {
        let is_end = |reader: &Self| matches!(reader.tokens.get(reader.next), Some((_, Token::Sign("]"))));
        if self.takes_sign(":") {
            let end = if is_end(self) { None } else { Some(Box::new(self.expression()?)) };
            self.needs("]")?;
            return Ok(ExpressionKind::Slice(Box::new(value), None, end));
        }
        let first = self.expression()?;
        if self.takes_sign(":") {
            let end = if is_end(self) { None } else { Some(Box::new(self.expression()?)) };
            self.needs("]")?;
            return Ok(ExpressionKind::Slice(Box::new(value), Some(Box::new(first)), end));
        }
        self.needs("]")?;
        Ok(ExpressionKind::Item(Box::new(value), Box::new(first)))
    }

    #[expect(clippy::type_complexity, reason = "arguments in order, and those with names")]
    fn arguments(&mut self) -> Parsed<(Vec<Expression>, Vec<(String, Expression)>)> {
        let (mut arguments, mut named) = (Vec::new(), Vec::new());
        while !self.takes_sign(")") {
            if let (Some((_, Token::Name(name))), Some((_, Token::Sign("=")))) =
                (self.tokens.get(self.next), self.tokens.get(self.next + 1))
            {
                let name = name.clone();
                self.next += 2;
                named.push((name, self.expression()?));
            } else {
                arguments.push(self.expression()?);
            }
            if !self.takes_sign(",") {
                self.needs(")")?;
                break;
            }
        }
        Ok((arguments, named))
    }

    /// Reads `| name(…)` and `is name(…)`, which bind more tightly than any operator.
    fn filters(&mut self, mut value: Expression) -> Parsed<Expression> {
        loop {
            let at = value.at;
            if self.takes_sign("|") {
                let name = self.name()?;
                let (arguments, named) =
                    if self.takes_sign("(") { self.arguments()? } else { (Vec::new(), Vec::new()) };
                let kind = ExpressionKind::Filter(Box::new(value), name, arguments, named);
                value = Expression { at, kind };
                value = self.postfix_of_filter(value)?;
            } else if self.takes_word("is") {
                let is_not = self.takes_word("not");
                let name = self.name()?;
                let (arguments, named) = self.of_test()?;
                value = Expression { at, kind: ExpressionKind::Test(Box::new(value), name, arguments, named, is_not) };
            } else {
                return Ok(value);
            }
        }
    }

    /// `(x | f).y` may be written without brackets only for calls of what `f` gives, which nobody does.
    fn postfix_of_filter(&mut self, value: Expression) -> Parsed<Expression> {
        match self.tokens.get(self.next) {
            Some((_, Token::Sign("[" | "."))) => self.postfix(value),
            _ => Ok(value),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.tokens.get(self.next) {
            Some((_, Token::Name(name))) => {
                self.next += 1;
                Ok(name.clone())
            }
            _ => Err(TemplateError { at: self.at(), message: "a name is missing here".to_owned() }),
        }
    }

    /// Reads what follows a test: `(…)`, or one value without brackets.
    #[expect(clippy::type_complexity, reason = "arguments in order, and those with names")]
    fn of_test(&mut self) -> Parsed<(Vec<Expression>, Vec<(String, Expression)>)> {
        if self.takes_sign("(") {
            return self.arguments();
        }
        let is_value = match self.tokens.get(self.next) {
            Some((_, Token::Text(_) | Token::Int(_) | Token::Float(_) | Token::Sign("["))) => true,
            Some((_, Token::Name(name))) => !matches!(&**name, "and" | "or" | "else" | "if" | "in" | "is" | "not"),
            _ => false,
        };
        if !is_value {
            return Ok((Vec::new(), Vec::new()));
        }
        let value = self.primary()?;
        Ok((vec![self.postfix(value)?], Vec::new()))
    }
}
