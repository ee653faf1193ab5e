//! Topics by their levels, as the page shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is below one level of topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Branch {
    /// The levels from the one that was asked for: several where there is no choice between.
    #[schema(example = "hall/climate")]
    pub name: String,
    /// The whole topic so far.
    #[schema(example = "home/hall/climate")]
    pub path: String,
    /// How many topics there are below; the topic itself isn't counted.
    pub below: usize,
    /// Whether it's a topic itself.
    pub is_topic: bool,
    /// When the last message came, of the topic or one below.
    pub at: Timestamp,
}

/// Returns the branches of those of `topics` that begin with `under`: empty, or whole levels with the `/` after them. The
/// topics are sorted, each with when its last message came.
#[must_use]
pub fn branches<'a>(under: &str, topics: impl IntoIterator<Item = (&'a str, Timestamp)>) -> Vec<Branch> {
    let mut found: Vec<Branch> = Vec::new();
    for (topic, at) in topics {
        let Some(rest) = topic.strip_prefix(under) else { continue };
        let level = rest.split('/').next().unwrap_or_default();
        let known = found.iter_mut().rev().find(|branch| first_level(&branch.name) == level);
        match known {
            Some(branch) => branch.take(rest, at),
            None => {
                let branch = Branch { name: rest.to_owned(), path: topic.to_owned(), below: 0, is_topic: true, at };
                found.push(branch);
            }
        }
    }
    for branch in &mut found {
        branch.path = format!("{under}{}", branch.name);
    }
    found
}

impl Branch {
    /// Takes in another topic that begins with the same level.
    fn take(&mut self, rest: &str, at: Timestamp) {
        let common = common_levels(&self.name, rest).to_owned();
        self.at = self.at.max(at);
        if common == self.name {
            self.below += 1;
            return;
        }
        // What was the topic itself is below now.
        self.below += usize::from(self.is_topic);
        self.is_topic = common == rest;
        self.below += usize::from(!self.is_topic);
        self.name = common;
    }
}

fn first_level(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Returns the levels with which both begin.
fn common_levels<'a>(one: &'a str, other: &str) -> &'a str {
    let mut end = 0;
    for (level, of_other) in one.split('/').zip(other.split('/')) {
        if level != of_other {
            break;
        }
        end += level.len() + 1;
    }
    one.get(..end.saturating_sub(1)).unwrap_or(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_without_a_choice_are_one_branch() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let topics = ["a/b/c/x", "a/b/c/y", "a/b/d", "door", "door/battery", "home"];
        let dated = || topics.iter().zip(1..).map(|(topic, second)| (*topic, at(second)));
        let told = |under: &str| -> Vec<(String, usize, bool, i64)> {
            let branches = branches(under, dated()).into_iter();
            branches.map(|branch| (branch.path, branch.below, branch.is_topic, branch.at.as_second())).collect()
        };
        assert_eq!(
            told(""),
            [("a/b".to_owned(), 3, false, 3), ("door".to_owned(), 1, true, 5), ("home".to_owned(), 0, true, 6)]
        );
        assert_eq!(told("a/b/"), [("a/b/c".to_owned(), 2, false, 2), ("a/b/d".to_owned(), 0, true, 3)]);
        assert_eq!(told("nothing/"), []);
    }

    #[test]
    fn empty_levels_are_levels() {
        let at = Timestamp::UNIX_EPOCH;
        let found = branches("", [("/a", at), ("/b", at)]);
        assert_eq!((found[0].path.as_str(), found[0].below), ("", 2));
        let found = branches("a/", [("a/", at), ("a//b", at)]);
        assert_eq!((found[0].path.as_str(), found[0].below, found[0].is_topic), ("a/", 1, true));
    }
}
