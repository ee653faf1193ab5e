//! Where the parts of a map or list stand that a script wrote out as one.

use std::collections::BTreeMap;
use std::ops::Range;

use super::file_tokens::FileTokens;
use super::token::TokenKind;

/// How deep places are followed.
const DEEPEST: usize = 64;

/// Where a value stands, and the values within it, as far as they are written out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::script) struct PlaceTree {
    /// The bytes of the value.
    pub(in crate::script) range: Range<usize>,
    /// Of a map: where each key stands, and its value.
    pub(in crate::script) entries: BTreeMap<String, (Range<usize>, PlaceTree)>,
    /// Of a list: its items.
    pub(in crate::script) items: Vec<PlaceTree>,
}

impl PlaceTree {
    /// Returns a value of which nothing more is known than where it was made.
    pub(in crate::script) fn at(range: Range<usize>) -> PlaceTree {
        PlaceTree { range, ..PlaceTree::default() }
    }

    /// Returns the places of the arguments of the call whose name stands at the token `name`.
    pub(in crate::script) fn of_arguments(tokens: &FileTokens<'_>, name: usize) -> Vec<PlaceTree> {
        let mut arguments = Vec::new();
        if tokens.text(name + 1) != "(" {
            return arguments;
        }
        let mut index = name + 2;
        while index < tokens.len() && tokens.text(index) != ")" {
            let (argument, end) = PlaceTree::value(tokens, index, 0);
            arguments.push(argument);
            index = if tokens.text(end) == "," { end + 1 } else { end.max(index + 1) };
        }
        arguments
    }

    /// Returns the value that begins at the token `start`, and the token behind it.
    fn value(tokens: &FileTokens<'_>, start: usize, depth: usize) -> (PlaceTree, usize) {
        let end = tokens.expression_end(start);
        let range = tokens.range(start).start..tokens.range(end.max(start + 1) - 1).end;
        let mut tree = PlaceTree::at(range);
        let opens = tokens.text(start);
        // What is done with a map or list that is written out, such as `[…].map(…)`, gives another one.
        if depth < DEEPEST && matches!(opens, "#{" | "[") && tokens.behind_bracket(start) == end {
            if opens == "[" {
                tree.read_list(tokens, start + 1, depth);
            } else {
                tree.read_map(tokens, start + 1, depth);
            }
        }
        (tree, end)
    }

    fn read_list(&mut self, tokens: &FileTokens<'_>, mut index: usize, depth: usize) {
        while index < tokens.len() && tokens.text(index) != "]" {
            let (item, end) = PlaceTree::value(tokens, index, depth + 1);
            self.items.push(item);
            index = if tokens.text(end) == "," { end + 1 } else { end.max(index + 1) };
        }
    }

    fn read_map(&mut self, tokens: &FileTokens<'_>, mut index: usize, depth: usize) {
        while index < tokens.len() && tokens.text(index) != "}" {
            let key = match tokens.kind(index) {
                Some(TokenKind::Text) => tokens.text(index).trim_matches(['"', '`']).to_owned(),
                _ => tokens.text(index).to_owned(),
            };
            if tokens.text(index + 1) != ":" {
                return;
            }
            let (value, end) = PlaceTree::value(tokens, index + 2, depth + 1);
            self.entries.insert(key, (tokens.range(index), value));
            index = if tokens.text(end) == "," { end + 1 } else { end.max(index + 1) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_and_item_that_is_written_out_has_its_place() {
        let source = "rule(\"a\", #{ when: [\"t/+x\", f(1)], \"if\": #{ a: 1 }, then: |e| { g(#{ b: 2 }) } });";
        let tokens = FileTokens::new(source);
        let arguments = PlaceTree::of_arguments(&tokens, 0);
        let map = &arguments[1];
        let text = |range: &Range<usize>| source.get(range.clone()).unwrap();
        assert_eq!(text(&arguments[0].range), "\"a\"");
        assert_eq!(map.entries.keys().collect::<Vec<_>>(), ["if", "then", "when"]);
        let (key, when) = &map.entries["when"];
        assert_eq!(text(key), "when");
        assert_eq!(when.items.iter().map(|item| text(&item.range)).collect::<Vec<_>>(), ["\"t/+x\"", "f(1)"]);
        assert_eq!(text(&map.entries["if"].1.entries["a"].1.range), "1");
        assert_eq!(text(&map.entries["then"].1.range), "|e| { g(#{ b: 2 }) }");
    }
}
