//! Slips of those who know another language: words and signs that Rhai hasn't, each with what to write instead.

use std::ops::Range;

use super::file_tokens::FileTokens;
use super::token::TokenKind;

/// A slip in a script.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::script) struct Slip {
    /// Where it stands, in bytes.
    pub(in crate::script) at: Range<usize>,
    /// What is wrong, in words.
    pub(in crate::script) message: String,
    /// What to write instead.
    pub(in crate::script) help: String,
}

const CLOSURE: &str = "a closure is written `|e| { … }`, and `|| { … }` where it takes nothing";
const FUNCTION: &str = "a function is written `fn name(a, b) { … }`";
const LOOP: &str = "write `for item in list { … }`, or `for i in 0..3 { … }`";
const MAP: &str = "a map is written `#{ … }`";
/// What is said where a brace is missing.
pub(in crate::script) const BRACES: &str =
    "put what an `if`, `else`, `for` or `while` does in braces: `if … { … } else { … }`";
const MAP_OF_KEYS: &str = "put keys in a map: `#{ when: …, then: … }`";
const COMPARED: &str = "two values are compared with `==`";

/// Words that other languages have for nothing.
const NOTHING: [&str; 9] = ["None", "null", "Null", "NULL", "nil", "Nil", "void", "undefined", "unknown"];

/// Words that other languages have for true and false, with what to write.
const TRUTH: [(&str, &str); 4] =
    [("True", "write `true`"), ("TRUE", "write `true`"), ("False", "write `false`"), ("FALSE", "write `false`")];

/// Returns what to write for a word that means nothing in another language.
pub(in crate::script) fn instead_of_nothing(word: &str) -> Option<&'static str> {
    NOTHING.contains(&word).then_some("nothing is written `()`")
}

/// Returns what to write for a word that stands for a value in another language.
fn instead_of_value(word: &str) -> Option<&'static str> {
    let truth = || TRUTH.iter().find(|(wrong, _)| *wrong == word).map(|(_, help)| *help);
    instead_of_nothing(word).or_else(truth)
}

/// Returns the slip that made Rhai stumble at byte `offset`.
pub(in crate::script) fn slip_at(tokens: &FileTokens<'_>, offset: usize) -> Option<Slip> {
    let stumbled = tokens.index_at(offset);
    // Rhai stumbles over the slip itself, or over one of the two tokens behind it.
    let mut near = (stumbled.saturating_sub(2)..=stumbled).rev();
    near.find_map(|index| Reading { tokens, index, is_stumbled: index == stumbled }.slip())
}

/// A token with what stands around it.
struct Reading<'a> {
    tokens: &'a FileTokens<'a>,
    index: usize,
    /// Whether Rhai stumbled at this very token.
    is_stumbled: bool,
}

impl Reading<'_> {
    fn slip(&self) -> Option<Slip> {
        match self.tokens.kind(self.index)? {
            TokenKind::Word if matches!(self.before(1), "." | "?.") => None,
            TokenKind::Word => self.word(),
            TokenKind::Text => self.text(),
            TokenKind::Symbol => self.symbol(),
            TokenKind::Number => self.number(),
        }
    }

    /// Returns the token `index`.
    fn at(&self, index: usize) -> Reading<'_> {
        Reading { tokens: self.tokens, index, is_stumbled: false }
    }

    /// Returns the token that stands `steps` before this one.
    fn before(&self, steps: usize) -> &str {
        self.index.checked_sub(steps).map_or("", |index| self.tokens.text(index))
    }

    fn behind(&self, steps: usize) -> &str {
        self.tokens.text(self.index + steps)
    }

    fn is_word(&self, steps: usize) -> bool {
        self.tokens.kind(self.index + steps) == Some(TokenKind::Word)
    }

    /// Returns a slip of this token and the `more` behind it.
    fn told(&self, more: usize, message: impl Into<String>, help: impl Into<String>) -> Slip {
        let at = self.tokens.range(self.index).start..self.tokens.range(self.index + more).end;
        Slip { at, message: message.into(), help: help.into() }
    }

    fn word(&self) -> Option<Slip> {
        let word = self.tokens.text(self.index);
        if self.behind(1) == ":" {
            return self.word_before_colon(word);
        }
        let unknown = format!("`{word}` isn't known here");
        if let Some(help) = instead_of_value(word) {
            return Some(self.told(0, format!("`{word}` isn't a value here"), help));
        }
        Some(match word {
            "elif" | "elseif" | "elsif" => self.told(0, unknown, "write `else if`"),
            "var" | "local" | "my" | "auto" | "final" if self.is_word(1) => {
                self.told(0, unknown, format!("a variable is made with `let`: `let {} = …`", self.behind(1)))
            }
            "function" | "def" | "func" | "fun" | "sub" if self.is_word(1) && self.behind(2) == "(" => {
                self.told(0, unknown, FUNCTION)
            }
            "function" | "func" | "fun" | "fn" if self.behind(1) == "(" => self.told(0, unknown, CLOSURE),
            "lambda" => self.told(0, unknown, CLOSURE),
            "not" if self.behind(1) == "in" => self.told(1, "`not in` isn't known in scripts", "write `!in`"),
            "not" => self.told(0, "`not` isn't known in scripts", "write `!x`, and `!(a == b)` of more than one value"),
            "is" if self.behind(1) == "not" => self.told(1, "`is not` isn't known", "write `!=`"),
            "is" | "eq" => self.told(0, unknown, COMPARED),
            "foreach" => self.told(0, unknown, LOOP),
            "of" if self.before(2) == "for" => self.told(0, unknown, "write `for item in list { … }`"),
            "let" | "var" | "int" if self.before(1) == "(" && self.before(2) == "for" => {
                self.told(0, "a `for` goes through a list or a range", LOOP)
            }
            "case" | "default" | "match" if self.behind(1) != "(" => {
                self.told(0, unknown, "write `switch x { 1 => …, \"a\" => …, _ => … }`")
            }
            "except" | "finally" => self.told(0, unknown, "write `try { … } catch (error) { … }`"),
            "then" if self.follows(&["if", "elif"]) => self.told(0, unknown, BRACES),
            "end" | "endif" | "endfor" | "fi" | "done" => self.told(0, unknown, "a block ends with `}`"),
            "mut" if self.before(1) == "let" => self.told(0, unknown, "every variable may change: write `let x = …`"),
            "if" if self.follows_value() => {
                self.told(0, "`if` can't follow a value", "write `if … { … } else { … }`: it gives a value, too")
            }
            "memory" if self.behind(1) == "." && (self.behind(3) == "=" || self.behind(4) == "=") => {
                self.told(2, "`memory` can't be set so", format!("write `remember(\"{}\", …)`", self.behind(2)))
            }
            "now" | "sun" | "memory" if self.behind(1) == "(" => self.told(
                0,
                format!("`{word}` isn't a function"),
                format!("write `{word}` without `(…)`: `now.time`, `now.hour`, `sun.up`"),
            ),
            "await" | "async" => self.told(0, unknown, "nothing waits in a closure: write `after(\"5m\", || { … })`"),
            "console" if self.behind(1) == "." => self.told(0, unknown, "write `log(text)`"),
            "math" | "Math" if self.behind(1) == "." => self.told(
                0,
                unknown,
                format!("write `{}(x)`, or its near name: docs/language/functions.md", self.behind(2)),
            ),
            "JSON" if self.behind(1) == "." => self.told(0, unknown, "write `json(text)`, and `to_json(value)`"),
            _ if self.begins_arrow() => self.told(0, "a closure is written otherwise here", CLOSURE),
            _ => return None,
        })
    }

    /// Reads a number that is a duration without quotes.
    fn number(&self) -> Option<Slip> {
        let text = self.tokens.text(self.index);
        let is_duration = crate::model::parse_duration(text).is_ok();
        is_duration.then(|| {
            self.told(0, format!("`{text}` isn't a number"), format!("put a duration in quotes: `\"{text}\"`"))
        })
    }

    /// Reads a word with a `:` behind it: a key, or what looks like one.
    fn word_before_colon(&self, word: &str) -> Option<Slip> {
        if self.index == 0 && matches!(word, "rules" | "scenes" | "tests") {
            return Some(self.told(
                0,
                "this is YAML, in a file of Rhai",
                "the name of a file of YAML rules ends in `.yaml`",
            ));
        }
        if self.before(1) == "{" && !matches!(self.before(2), "|" | "||") {
            return self.brace_of_map();
        }
        if self.before(1) == "," && self.is_in_call() {
            return Some(self.told(1, "arguments have no names", MAP_OF_KEYS));
        }
        let is_parameter = matches!(self.before(1), "(" | ",") && self.follows(&["fn"]);
        if is_parameter || matches!(self.before(1), "let" | "const") {
            return Some(self.told(
                1,
                format!("`{word}` can't be given a type"),
                "write the name alone: any value may be in it",
            ));
        }
        if word == "else" || self.follows(&["if", "elif", "for", "while"]) {
            return Some(self.at(self.index + 1).told(0, "`:` begins no block", BRACES));
        }
        None
    }

    /// Tells of the `{` before this token, which begins a map.
    fn brace_of_map(&self) -> Option<Slip> {
        let brace = self.at(self.index.checked_sub(1)?);
        Some(brace.told(0, "`{` begins a block of code, not a map", MAP))
    }

    fn text(&self) -> Option<Slip> {
        let at = self.tokens.range(self.index);
        let prefix = self.index.checked_sub(1).filter(|before| self.tokens.range(*before).end == at.start);
        if prefix.is_some() && matches!(self.before(1), "f" | "F" | "fr" | "rf" | "r" | "b" | "u") {
            let before = self.at(prefix?);
            let message = format!("`{}\"…\"` isn't known", self.before(1));
            let help = "put text that has values in it in backticks: `` `home/${e.room}/set` ``";
            return Some(before.told(1, message, help));
        }
        if self.behind(1) == ":" && self.before(1) == "{" && !matches!(self.before(2), "|" | "||") {
            return self.brace_of_map();
        }
        None
    }

    fn symbol(&self) -> Option<Slip> {
        let symbol = self.tokens.text(self.index);
        let rest = self.tokens.from(self.index);
        Some(match symbol {
            "#" => self.told(0, "`#` begins no comment", "a comment begins with `//`"),
            "+" if rest.starts_with("++") => self.step("+"),
            "-" if rest.starts_with("--") => self.step("-"),
            "==" if rest.starts_with("===") => self.told(1, "`===` isn't known", COMPARED),
            "!=" if rest.starts_with("!==") => {
                self.told(1, "`!==` isn't known", "that two values differ is written `!=`")
            }
            "<" if rest.starts_with("<>") => self.told(1, "`<>` isn't known", "that two values differ is written `!=`"),
            "-" if rest.starts_with("->") && self.before(1) != ")" => {
                self.told(1, "`->` isn't known", "a property is read with `.`: `e.msg`")
            }
            "-" if rest.starts_with("->") => {
                self.told(1, "`->` isn't known", "a function says no type: `fn name(a, b) { … }`")
            }
            "=" if self.follows(&["if", "while", "elif"]) => {
                self.told(0, "`=` assigns, which no condition does", COMPARED)
            }
            "=" if matches!(self.before(2), "(" | ",") && self.is_in_call() => self.told(
                0,
                "arguments have no names",
                "write their values in order; options go in a map: `#{ retain: true }`",
            ),
            "?" if !rest.starts_with("??") && !self.is_glued("?") => {
                self.told(0, "`? :` isn't known", "write `if … { … } else { … }`")
            }
            "=" | "=>" if self.is_stumbled && matches!(self.before(2), "#{" | ",") && !self.is_in_call() => self.told(
                0,
                format!("`{symbol}` can't follow a key"),
                "a key and its value have a `:` between them: `when: \"home/tv\"`",
            ),
            "{" if self.is_stumbled && self.before(2) == "|" => {
                self.told(0, format!("`|` is missing behind `{}`", self.before(1)), CLOSURE)
            }
            "{" if self.is_stumbled && self.before(1) == ")" && self.ends_call_of("after") => {
                self.told(0, "what is done later goes inside the brackets", "write `after(\"5m\", || { … })`")
            }
            "=>" if self.is_stumbled && matches!(self.before(1), ")" | "|" | "||") => {
                self.told(0, "a closure is written otherwise here", CLOSURE)
            }
            "“" | "”" | "„" | "‘" | "’" | "«" | "»" => {
                self.told(0, format!("`{symbol}` doesn't start a text"), "put text in `\"…\"`")
            }
            "$" if self.is_word(1) => self.told(
                1,
                "a name can't start with `$`",
                format!("write `{}`; in a text in backticks, `${{{}}}`", self.behind(1), self.behind(1)),
            ),
            ":" => return self.colon(),
            _ => return None,
        })
    }

    /// Reads a `:` that Rhai didn't want.
    fn colon(&self) -> Option<Slip> {
        let before = self.at(self.index.checked_sub(1)?);
        let kind = self.tokens.kind(before.index);
        if matches!(kind, Some(TokenKind::Word | TokenKind::Text))
            && let Some(slip) = before.slip()
        {
            return Some(slip);
        }
        let is_python = self.follows(&["if", "elif", "for", "while", "def"]);
        is_python.then(|| self.told(0, "`:` begins no block", BRACES))
    }

    /// Tells of `x++` or `++x`.
    fn step(&self, sign: &str) -> Slip {
        let name = if self.index.checked_sub(1).is_some_and(|before| self.tokens.kind(before) == Some(TokenKind::Word))
        {
            self.before(1)
        } else {
            self.behind(2)
        };
        self.told(1, format!("`{sign}{sign}` isn't known"), format!("write `{name} {sign}= 1`"))
    }

    /// Returns whether `sign` stands directly before this token.
    fn is_glued(&self, sign: &str) -> bool {
        let before = self.index.checked_sub(1).map(|before| self.tokens.range(before).end);
        self.before(1) == sign && before == Some(self.tokens.range(self.index).start)
    }

    /// Returns whether one of `words` stands before in the same statement.
    fn follows(&self, words: &[&str]) -> bool {
        (0..self.index)
            .rev()
            .map(|index| self.tokens.text(index))
            .take_while(|text| !matches!(*text, ";" | "{" | "}" | "#{"))
            .any(|text| words.contains(&text))
    }

    /// Returns whether a value ends directly before this token, on the same line.
    fn follows_value(&self) -> bool {
        let Some(before) = self.index.checked_sub(1) else { return false };
        let ends_value = match self.tokens.kind(before) {
            Some(TokenKind::Word) => !matches!(self.tokens.text(before), "else" | "return" | "in"),
            Some(TokenKind::Number | TokenKind::Text) => true,
            Some(TokenKind::Symbol) => matches!(self.tokens.text(before), ")" | "]"),
            None => false,
        };
        self.is_stumbled && ends_value && self.tokens.line_number(before) == self.tokens.line_number(self.index)
    }

    /// Returns whether the bracket before this token closes a call of `function`.
    fn ends_call_of(&self, function: &str) -> bool {
        let mut depth = 0_usize;
        for index in (0..self.index).rev() {
            match self.tokens.text(index) {
                ")" => depth += 1,
                "(" if depth == 1 => {
                    return index.checked_sub(1).is_some_and(|name| self.tokens.text(name) == function);
                }
                "(" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        false
    }

    /// Returns whether it stands among the arguments of a call.
    fn is_in_call(&self) -> bool {
        let mut depth = 0_usize;
        for index in (0..self.index).rev() {
            match self.tokens.text(index) {
                ")" | "]" | "}" => depth += 1,
                "(" if depth == 0 => {
                    return index.checked_sub(1).is_some_and(|name| self.tokens.kind(name) == Some(TokenKind::Word));
                }
                "[" | "{" | "#{" | ";" if depth == 0 => return false,
                "(" | "[" | "{" | "#{" => depth -= 1,
                _ => {}
            }
        }
        false
    }

    /// Returns whether the parameters of `(a, b) => …` begin here.
    fn begins_arrow(&self) -> bool {
        if self.behind(1) == "=>" && self.before(1) != "{" {
            return true;
        }
        let mut index = self.index + 1;
        while self.tokens.text(index) == "," && self.tokens.kind(index + 1) == Some(TokenKind::Word) {
            index += 2;
        }
        self.before(1) == "(" && self.tokens.text(index) == ")" && self.tokens.text(index + 1) == "=>"
    }
}
