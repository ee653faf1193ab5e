//! The outline of a script: where its closures, functions, constants and imports stand, and what they name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use super::file_tokens::FileTokens;
use super::place_tree::PlaceTree;
use super::token::TokenKind;
use super::topic_call::{LiteralCall, is_about_topic};
use crate::model::Fingerprint;

/// What stands where in a script.
#[derive(Debug, Default)]
pub(in crate::script) struct Outline {
    /// Its closures, and the functions too, in their order; one within another comes after it.
    pub(in crate::script) closures: Vec<ClosureOutline>,
    /// The tokens of each function, constant and variable of the file, by its name, as hashes and the words in them.
    items: BTreeMap<String, Vec<Part>>,
    /// The imports: alias, then path.
    imports: Vec<(String, String)>,
    /// The whole file.
    whole: u64,
    /// All words in it.
    words: BTreeSet<String>,
    /// The functions that it calls.
    calls: Vec<CallOutline>,
    /// The arguments of each `rule(…)`, by where it stands.
    rules: BTreeMap<usize, Vec<PlaceTree>>,
}

/// A closure in a script's text.
#[derive(Debug)]
pub(in crate::script) struct ClosureOutline {
    /// The name of a function; a closure has none.
    name: Option<String>,
    /// Its parameters, without what it captures.
    pub(in crate::script) parameters: Vec<String>,
    /// Where it stands, in bytes.
    pub(in crate::script) range: Range<usize>,
    /// Where its body stands, in bytes.
    body: Range<usize>,
    /// Whether it is a function that only its own file may call.
    pub(in crate::script) is_private: bool,
    /// The hash of its own tokens.
    pub(in crate::script) hash: u64,
    /// The keys that it reads of its first parameter, each where it stands first; `None`: who knows.
    pub(in crate::script) keys: Option<BTreeMap<String, Range<usize>>>,
    /// The calls in it whose first argument is a text that is written out.
    pub(in crate::script) literals: Vec<LiteralCall>,
    /// The functions that it calls, closures within it included.
    pub(in crate::script) calls: Vec<CallOutline>,
    part: Part,
}

/// What a closure may reach.
struct Reached<'a> {
    /// The functions, constants and imports.
    names: BTreeSet<&'a str>,
    /// Its own code, and that of these.
    parts: Vec<&'a Part>,
}

/// A call of a function.
#[derive(Debug)]
pub(in crate::script) struct CallOutline {
    /// The function.
    pub(in crate::script) name: String,
    /// How many arguments it is given, what stands before the `.` included.
    pub(in crate::script) arguments: usize,
    /// Whether one of them is a text that is written out.
    pub(in crate::script) has_text: bool,
    /// Whether it is called behind a value and a `.`.
    pub(in crate::script) is_method: bool,
    /// Where its name stands, in bytes.
    pub(in crate::script) at: usize,
    /// Its first two arguments as they are written, where it's about a topic.
    pub(in crate::script) written: Vec<String>,
}

/// A part of a script: the hash of its tokens, the words in them, and the functions that it calls.
#[derive(Debug)]
struct Part {
    hash: u64,
    words: BTreeSet<String>,
    calls: Vec<CallOutline>,
}

impl Outline {
    /// Returns the outline of `source`.
    pub(in crate::script) fn new(source: &str) -> Outline {
        let tokens = FileTokens::new(source);
        let Part { hash: whole, words, calls } = part(&tokens, 0..tokens.len());
        let mut outline = Outline { whole, words, calls, ..Outline::default() };
        let mut depth = 0_usize;
        for index in 0..tokens.len() {
            match tokens.text(index) {
                "(" | "[" | "{" | "#{" | "?[" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if begins_closure(&tokens, index) || begins_function(&tokens, index) {
                outline.closures.push(closure(&tokens, index));
            }
            outline.note_item(&tokens, index, depth);
        }
        outline
    }

    /// Returns the ordinal of the innermost closure whose body holds byte `offset`.
    pub(in crate::script) fn closure_around(&self, offset: usize) -> Option<usize> {
        self.closures.iter().rposition(|closure| closure.body.contains(&offset))
    }

    /// Returns the parameter that is the event at byte `offset` of `source`: that of the closure in a map or list,
    /// rather than an argument, in which it stands.
    pub(in crate::script) fn event_at(&self, source: &str, offset: usize) -> Option<&str> {
        let mut hidden: BTreeSet<&str> = BTreeSet::new();
        for closure in self.closures.iter().rev().filter(|closure| closure.body.contains(&offset)) {
            let before = source.get(..closure.range.start).unwrap_or_default().trim_end();
            if closure.name.is_none() && before.ends_with([':', '[', ',']) {
                return closure.parameters.first().map(String::as_str).filter(|event| !hidden.contains(event));
            }
            hidden.extend(closure.parameters.iter().map(String::as_str));
        }
        None
    }

    /// Returns the paths that it imports.
    pub(in crate::script) fn imports(&self) -> impl Iterator<Item = (&str, &str)> {
        self.imports.iter().map(|(alias, path)| (alias.as_str(), path.as_str()))
    }

    /// Returns the places of the two arguments of the call of `rule` that stands at byte `offset`.
    pub(in crate::script) fn rule_at(&self, offset: usize) -> Option<[&PlaceTree; 2]> {
        match self.rules.get(&offset)?.as_slice() {
            [key, map] => Some([key, map]),
            _ => None,
        }
    }

    /// Returns the hash of the whole file.
    pub(in crate::script) fn whole(&self) -> u64 {
        self.whole
    }

    /// Returns the hash of what a closure means: its tokens, and those of all functions, constants and imports that
    /// it may reach. `imported` gives the hash of an import.
    pub(in crate::script) fn fingerprint(&self, ordinal: usize, imported: &dyn Fn(&str) -> u64) -> u64 {
        let Some(closure) = self.closures.get(ordinal) else { return 0 };
        let reached = self.reach(closure).names;
        let mut hash = Fingerprint::new();
        hash.number(closure.hash);
        for name in reached {
            hash.text(name);
            self.items.get(name).into_iter().flatten().for_each(|part| hash.number(part.hash));
            if let Some((_, path)) = self.imports.iter().find(|(alias, _)| alias == name) {
                hash.number(imported(path));
            }
        }
        hash.value()
    }

    /// Returns what a closure may reach of the file.
    fn reach<'a>(&'a self, closure: &'a ClosureOutline) -> Reached<'a> {
        let mut reached = Reached { names: BTreeSet::new(), parts: Vec::new() };
        let mut waiting: VecDeque<&Part> = [&closure.part].into();
        while let Some(part) = waiting.pop_front() {
            reached.parts.push(part);
            for word in &part.words {
                if let Some((word, parts)) = self.items.get_key_value(word)
                    && reached.names.insert(word)
                {
                    waiting.extend(parts);
                }
                if let Some((alias, _)) = self.imports.iter().find(|(alias, _)| alias == word) {
                    reached.names.insert(alias);
                }
            }
        }
        reached
    }

    /// Returns a call that `is_wanted` of the closure, or of what it reaches; `imported` finds one in an import.
    pub(in crate::script) fn reached_call<T>(
        &self,
        ordinal: usize,
        is_wanted: &dyn Fn(&CallOutline) -> Option<T>,
        imported: &dyn Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let reached = self.reach(self.closures.get(ordinal)?);
        let own = reached.parts.iter().flat_map(|part| &part.calls).find_map(is_wanted);
        own.or_else(|| {
            let imports = self.imports.iter().filter(|(alias, _)| reached.names.contains(alias.as_str()));
            imports.map(|(_, path)| path).find_map(|path| imported(path))
        })
    }

    /// Returns all functions that the file calls.
    pub(in crate::script) fn calls(&self) -> &[CallOutline] {
        &self.calls
    }

    /// Returns whether a closure may use `word`, by itself or by what it reaches; `imported` says it of an import.
    pub(in crate::script) fn reaches(&self, ordinal: usize, word: &str, imported: &dyn Fn(&str) -> bool) -> bool {
        let Some(closure) = self.closures.get(ordinal) else { return false };
        let reached = self.reach(closure);
        reached.parts.iter().any(|part| part.words.contains(word))
            || self.imports.iter().any(|(alias, path)| reached.names.contains(alias.as_str()) && imported(path))
    }

    /// Returns whether `word` stands anywhere.
    pub(in crate::script) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Returns the number of the function `name` with so many parameters.
    pub(in crate::script) fn function(&self, name: &str, parameters: usize) -> Option<usize> {
        let is_it =
            |closure: &ClosureOutline| closure.name.as_deref() == Some(name) && closure.parameters.len() == parameters;
        self.closures.iter().position(is_it)
    }

    fn note_item(&mut self, tokens: &FileTokens<'_>, index: usize, depth: usize) {
        match tokens.text(index) {
            "fn" if begins_function(tokens, index) => {
                let brace = (index + 2..tokens.len()).find(|brace| tokens.text(*brace) == "{");
                let end = brace.map_or(tokens.len(), |brace| tokens.behind_bracket(brace));
                self.add_item(tokens, index + 1, index..end);
            }
            "const" | "let" if depth == 0 && tokens.kind(index + 1) == Some(TokenKind::Word) => {
                self.add_item(tokens, index + 1, index..tokens.expression_end(index));
            }
            "rule" | "invariant" if tokens.text(index + 1) == "(" => {
                self.rules.insert(tokens.range(index).start, PlaceTree::of_arguments(tokens, index));
            }
            "import" => {
                let path = tokens.text(index + 1);
                let alias = if tokens.text(index + 2) == "as" { tokens.text(index + 3) } else { "" };
                if tokens.kind(index + 1) == Some(TokenKind::Text) {
                    let path = path.trim_matches(['"', '`', '\'']).to_owned();
                    self.imports.push((alias.to_owned(), path));
                }
            }
            _ => {}
        }
    }

    fn add_item(&mut self, tokens: &FileTokens<'_>, name: usize, range: Range<usize>) {
        self.items.entry(tokens.text(name).to_owned()).or_default().push(part(tokens, range));
    }
}

/// Returns whether a closure begins at the token `index`: a bar where a value is expected.
fn begins_closure(tokens: &FileTokens<'_>, index: usize) -> bool {
    if !matches!(tokens.text(index), "|" | "||") || tokens.kind(index) != Some(TokenKind::Symbol) {
        return false;
    }
    let Some(before) = index.checked_sub(1) else { return true };
    match tokens.kind(before) {
        Some(TokenKind::Symbol) => {
            // The second bar of a closure's parameters stands behind a word, or is told by its own closure's.
            !matches!(tokens.text(before), ")" | "]" | "}" | "|" | "||")
        }
        Some(TokenKind::Word) => matches!(tokens.text(before), "return" | "in" | "and" | "or"),
        Some(TokenKind::Number | TokenKind::Text) | None => false,
    }
}

fn begins_function(tokens: &FileTokens<'_>, index: usize) -> bool {
    tokens.text(index) == "fn" && tokens.kind(index + 1) == Some(TokenKind::Word)
}

fn closure(tokens: &FileTokens<'_>, index: usize) -> ClosureOutline {
    let mut parameters = Vec::new();
    let (mut body, close) = match tokens.text(index) {
        "fn" => {
            ((index..tokens.len()).find(|open| tokens.text(*open) == "(").map_or(tokens.len(), |open| open + 1), ")")
        }
        "|" => (index + 1, "|"),
        _ => (index + 1, ""),
    };
    if !close.is_empty() {
        while body < tokens.len() && tokens.text(body) != close {
            if tokens.kind(body) == Some(TokenKind::Word) {
                parameters.push(tokens.text(body).to_owned());
            }
            body += 1;
        }
        body += 1;
    }
    let end = if tokens.text(body) == "{" { tokens.behind_bracket(body) } else { tokens.expression_end(body) };
    let bytes = |range: &Range<usize>| tokens.range(range.start).start..tokens.range(range.end.saturating_sub(1)).end;
    let part = part(tokens, index..end);
    let literals = literals(tokens, body..end);
    let calls = calls(tokens, body..end);
    let keys = parameters.first().map_or(Some(BTreeMap::new()), |event| keys(tokens, body..end, event));
    ClosureOutline {
        name: (close == ")").then(|| tokens.text(index + 1).to_owned()),
        parameters,
        range: bytes(&(index..end)),
        body: bytes(&(body..end.max(body + 1))),
        is_private: index.checked_sub(1).is_some_and(|before| tokens.text(before) == "private"),
        hash: part.hash,
        literals,
        calls,
        keys,
        part,
    }
}

/// Returns the keys that tokens read of the variable `owner`; `None` where it is used otherwise too.
fn keys(tokens: &FileTokens<'_>, range: Range<usize>, owner: &str) -> Option<BTreeMap<String, Range<usize>>> {
    let mut keys = BTreeMap::new();
    for index in range {
        match tokens.kind(index) {
            Some(TokenKind::Word) if tokens.text(index) == owner => {
                let is_property = index.checked_sub(1).is_some_and(|before| matches!(tokens.text(before), "." | "?."));
                let is_key = tokens.text(index + 1) == ":";
                if is_property || is_key {
                    continue;
                }
                let is_read = matches!(tokens.text(index + 1), "." | "?.")
                    && tokens.kind(index + 2) == Some(TokenKind::Word)
                    && tokens.text(index + 3) != "(";
                if !is_read {
                    return None;
                }
                keys.entry(tokens.text(index + 2).to_owned()).or_insert_with(|| tokens.range(index + 2));
            }
            // What is put into a text may read anything.
            Some(TokenKind::Text) => {
                let text = tokens.text(index);
                if text.starts_with('`') && text.contains("${") {
                    let start = tokens.range(index).start;
                    for (key, at) in keys_in_text(text, owner)? {
                        keys.entry(key).or_insert(start + at.start..start + at.end);
                    }
                }
            }
            _ => {}
        }
    }
    Some(keys)
}

/// Returns the keys that the `${…}` of a text read of `owner`.
fn keys_in_text(text: &str, owner: &str) -> Option<BTreeMap<String, Range<usize>>> {
    let mut found = BTreeMap::new();
    for (start, _) in text.match_indices("${") {
        let inner = text.get(start + 2..).unwrap_or_default();
        let tokens = FileTokens::new(inner);
        let end = {
            let mut depth = 0_usize;
            (0..tokens.len()).find(|index| {
                match tokens.text(*index) {
                    "{" | "#{" => depth += 1,
                    "}" if depth == 0 => return true,
                    "}" => depth -= 1,
                    _ => {}
                }
                false
            })
        };
        for (key, at) in keys(&tokens, 0..end.unwrap_or(tokens.len()), owner)? {
            found.entry(key).or_insert(start + 2 + at.start..start + 2 + at.end);
        }
    }
    Some(found)
}

/// Returns the calls among tokens whose first argument is a plain text.
fn literals(tokens: &FileTokens<'_>, range: Range<usize>) -> Vec<LiteralCall> {
    let mut found = Vec::new();
    for index in range {
        let written = tokens.text(index + 2);
        let is_call = tokens.kind(index) == Some(TokenKind::Word) && tokens.text(index + 1) == "(";
        let is_method = index.checked_sub(1).is_some_and(|before| matches!(tokens.text(before), "." | "?." | "::"));
        let is_alone = matches!(tokens.text(index + 3), "," | ")") && !written.contains('\\');
        let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let Some(text) = inner.filter(|_| is_call && !is_method && is_alone) else { continue };
        let mut note = |text: &str, at: usize| {
            let start = tokens.range(at).start + 1;
            let function = tokens.text(index).to_owned();
            found.push(LiteralCall { function, text: text.to_owned(), at: start..start + text.len() });
        };
        note(text, index + 2);
        let second = tokens.text(index + 4).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if let Some(second) = second.filter(|second| tokens.text(index) == "between" && !second.contains('\\')) {
            note(second, index + 4);
        }
    }
    found
}

/// Returns the calls of functions among tokens.
fn calls(tokens: &FileTokens<'_>, range: Range<usize>) -> Vec<CallOutline> {
    let mut found = Vec::new();
    for index in range {
        let before = index.checked_sub(1).map_or("", |before| tokens.text(before));
        let is_call = tokens.kind(index) == Some(TokenKind::Word) && tokens.text(index + 1) == "(";
        if !is_call || matches!(before, "fn" | "::") {
            continue;
        }
        let is_method = matches!(before, "." | "?.");
        let (mut arguments, mut has_text) = (usize::from(is_method), false);
        let is_about_topic = is_about_topic(tokens.text(index));
        let mut written = Vec::new();
        if is_about_topic && is_method {
            // `"home/tv".state()`.
            written.push(index.checked_sub(2).map_or("", |at| tokens.text(at)).to_owned());
        }
        let mut next = index + 2;
        while next < tokens.len() && tokens.text(next) != ")" {
            arguments += 1;
            has_text |= tokens.kind(next) == Some(TokenKind::Text);
            let end = tokens.expression_end(next);
            if is_about_topic && written.len() < 2 {
                written.push((next..end).map(|token| tokens.text(token)).collect::<Vec<_>>().join(" "));
            }
            next = if tokens.text(end) == "," { end + 1 } else { end.max(next + 1) };
        }
        let (name, at) = (tokens.text(index).to_owned(), tokens.range(index).start);
        found.push(CallOutline { name, arguments, has_text, is_method, at, written });
    }
    found
}

fn part(tokens: &FileTokens<'_>, range: Range<usize>) -> Part {
    let mut hash = Fingerprint::new();
    let mut words = BTreeSet::new();
    let mut calls = calls(tokens, range.clone());
    for index in range {
        let text = tokens.text(index);
        hash.text(text);
        match tokens.kind(index) {
            Some(TokenKind::Word) => {
                words.insert(text.to_owned());
            }
            Some(TokenKind::Text) if text.contains("${") => {
                let inner = FileTokens::new(text.trim_matches('`'));
                let all = (0..inner.len()).filter(|index| inner.kind(*index) == Some(TokenKind::Word));
                words.extend(all.map(|index| inner.text(index).to_owned()));
                calls.extend(self::calls(&inner, 0..inner.len()));
            }
            _ => {}
        }
    }
    Part { hash: hash.value(), words, calls }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(source: &str) -> u64 {
        Outline::new(source).fingerprint(0, &|path| path.len() as u64)
    }

    #[test]
    fn closures_are_found_with_their_parameters_and_bodies() {
        let source = "let a = x || y; rule(\"a\", #{ then: |e| { f(|| 1, |a, b| a | b) }, else: |e| e.msg });";
        let outline = Outline::new(source);
        let found: Vec<_> = outline.closures.iter().map(|closure| source.get(closure.range.clone()).unwrap()).collect();
        assert_eq!(found, ["|e| { f(|| 1, |a, b| a | b) }", "|| 1", "|a, b| a | b", "|e| e.msg"]);
        assert_eq!(outline.closure_around(source.find("a | b").unwrap() + 2), Some(2));
        assert_eq!(outline.closure_around(source.find("{ f(").unwrap()), Some(0));
        assert_eq!(outline.closures[3].keys.as_ref().unwrap().keys().collect::<Vec<_>>(), ["msg"]);
        assert_eq!(outline.closures[2].parameters, ["a", "b"]);
    }

    #[test]
    fn the_keys_of_the_event_are_known_unless_it_is_used_as_a_whole() {
        let keys = |source: &str| {
            let outline = Outline::new(source);
            outline.closures[0].keys.as_ref().map(|keys| keys.keys().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(keys("|e| publish(`a/${e.room}`, e.msg.x + m.e)").as_deref(), Some("msg room"));
        assert_eq!(keys("|e| f(e)"), None);
        assert_eq!(keys("|e| `${f(e)}`"), None);
        assert_eq!(keys("|| 1").as_deref(), Some(""));
    }

    #[test]
    fn a_fingerprint_depends_on_what_is_reached_and_on_nothing_else() {
        let source = "const A = 1;\nfn f() { g() }\nfn g() { global::A }\nconst B = 2;\nlet c = |e| f();";
        let same = "// a comment\nconst A = 1; fn f() {\n g() } fn g() { global::A } const B = 3;\n\nlet c = |e| f( );";
        assert_eq!(print(source), print(same));
        assert_ne!(print(source), print(&source.replace("A = 1", "A = 2")));
        assert_ne!(print(source), print(&source.replace("g() }", "g(); }")));
        let with_import = "import \"lib/x\" as x;\nlet c = |e| x::f();";
        assert_ne!(print(with_import), Outline::new(with_import).fingerprint(0, &|_| 1));
    }
}
