//! What was expected beside what happened: which of them belong together.

use crate::lang::test_file::Expected;

/// What was expected beside what happened, as rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The rows: in the order in which things were expected, or happened.
    pub rows: Vec<Row>,
}

/// One row: places in the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// It happened as expected.
    Same {
        /// What was expected.
        expected: usize,
        /// What happened.
        actual: usize,
    },
    /// Something of the kind happened, but otherwise.
    Differs {
        /// What was expected.
        expected: usize,
        /// What happened.
        actual: usize,
    },
    /// It did not happen.
    Missing {
        /// What was expected.
        expected: usize,
    },
    /// Nothing expected it.
    Unexpected {
        /// What happened.
        actual: usize,
    },
}

/// How two things relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Relation {
    /// It is what was expected.
    Same,
    /// It is of the kind: the same topic.
    Akin,
    /// They have nothing in common.
    Strange,
}

/// Beyond so many pairs, a list that must be in order is compared one by one.
const MOST_PAIRS: usize = 4_000_000;

impl Comparison {
    /// Compares all that was expected with all that happened.
    pub(in crate::sim) fn new<E, A>(
        expected: &Expected<E>,
        actual: &[A],
        relate: impl Fn(&E, &A) -> Relation,
    ) -> Comparison {
        let (list, in_order) = match expected {
            Expected::AnyOrder(list) => (list, false),
            Expected::InOrder(list) => (list, true),
        };
        let same = |expected: usize, actual_index: usize| {
            list.get(expected).zip(actual.get(actual_index)).is_some_and(|(e, a)| relate(e, a) == Relation::Same)
        };
        let akin = |expected: usize, actual_index: usize| {
            list.get(expected).zip(actual.get(actual_index)).is_some_and(|(e, a)| relate(e, a) == Relation::Akin)
        };
        let rows = if in_order {
            rows_in_order(&common_order(list.len(), actual.len(), &same), list.len(), actual.len(), &akin)
        } else {
            rows_in_any_order(list.len(), actual.len(), &same, &akin)
        };
        Comparison { rows }
    }

    /// Returns whether all happened as expected, and nothing else.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.rows.iter().all(|row| matches!(row, Row::Same { .. }))
    }

    /// Returns how many rows differ, are missing and were not expected.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Row) -> bool| self.rows.iter().filter(|row| wanted(row)).count();
        (
            count(|row| matches!(row, Row::Differs { .. })),
            count(|row| matches!(row, Row::Missing { .. })),
            count(|row| matches!(row, Row::Unexpected { .. })),
        )
    }
}

fn rows_in_any_order(
    expected: usize,
    actual: usize,
    same: &impl Fn(usize, usize) -> bool,
    akin: &impl Fn(usize, usize) -> bool,
) -> Vec<Row> {
    let mut is_free = vec![true; actual];
    let mut take = |wanted: &dyn Fn(usize) -> bool| {
        let found = is_free.iter().enumerate().position(|(index, free)| *free && wanted(index))?;
        if let Some(free) = is_free.get_mut(found) {
            *free = false;
        }
        Some(found)
    };
    let matched: Vec<Option<usize>> = (0..expected).map(|index| take(&|other| same(index, other))).collect();
    let mut rows = Vec::with_capacity(expected.max(actual));
    for (expected, matched) in matched.into_iter().enumerate() {
        rows.push(match matched {
            Some(actual) => Row::Same { expected, actual },
            None => match take(&|other| akin(expected, other)) {
                Some(actual) => Row::Differs { expected, actual },
                None => Row::Missing { expected },
            },
        });
    }
    let left = is_free.iter().enumerate().filter(|(_, free)| **free);
    rows.extend(left.map(|(actual, _)| Row::Unexpected { actual }));
    rows
}

/// Returns the most pairs that are the same and in the same order in both lists. What both begin and end with needs no
/// search, and is most of it where little changed.
fn common_order(expected: usize, actual: usize, same: &impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let most = expected.min(actual);
    let begin = (0..most).take_while(|index| same(*index, *index)).count();
    let end = (1..=most - begin).take_while(|back| same(expected - back, actual - back)).count();
    let within = |e: usize, a: usize| same(e + begin, a + begin);
    let between = searched_order(expected - begin - end, actual - begin - end, &within);
    let first = (0..begin).map(|index| (index, index));
    let last = (1..=end).rev().map(|back| (expected - back, actual - back));
    first.chain(between.into_iter().map(|(e, a)| (e + begin, a + begin))).chain(last).collect()
}

fn searched_order(expected: usize, actual: usize, same: &impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    if expected.saturating_mul(actual) > MOST_PAIRS {
        return (0..expected.min(actual)).map(|index| (index, index)).filter(|(e, a)| same(*e, *a)).collect();
    }
    let width = actual + 1;
    let mut longest = vec![0_u32; (expected + 1) * width];
    let at = |longest: &[u32], e: usize, a: usize| longest.get(e * width + a).copied().unwrap_or(0);
    for e in (0..expected).rev() {
        for a in (0..actual).rev() {
            let best = if same(e, a) {
                at(&longest, e + 1, a + 1) + 1
            } else {
                at(&longest, e + 1, a).max(at(&longest, e, a + 1))
            };
            if let Some(cell) = longest.get_mut(e * width + a) {
                *cell = best;
            }
        }
    }
    let (mut e, mut a, mut pairs) = (0, 0, Vec::new());
    while e < expected && a < actual {
        if same(e, a) {
            pairs.push((e, a));
            (e, a) = (e + 1, a + 1);
        } else if at(&longest, e + 1, a) >= at(&longest, e, a + 1) {
            e += 1;
        } else {
            a += 1;
        }
    }
    pairs
}

fn rows_in_order(
    pairs: &[(usize, usize)],
    expected: usize,
    actual: usize,
    akin: &impl Fn(usize, usize) -> bool,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut next_expected, mut next_actual) = (0, 0);
    for (e, a) in pairs.iter().copied().chain([(expected, actual)]) {
        while next_expected < e || next_actual < a {
            let row = match (next_expected < e, next_actual < a) {
                (true, true) if akin(next_expected, next_actual) => {
                    Row::Differs { expected: next_expected, actual: next_actual }
                }
                (true, _) => Row::Missing { expected: next_expected },
                (false, _) => Row::Unexpected { actual: next_actual },
            };
            next_expected += usize::from(!matches!(row, Row::Unexpected { .. }));
            next_actual += usize::from(!matches!(row, Row::Missing { .. }));
            rows.push(row);
        }
        if e < expected && a < actual {
            rows.push(Row::Same { expected: e, actual: a });
            (next_expected, next_actual) = (e + 1, a + 1);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares words: the same word is the same, the same first letter akin.
    fn compare(expected: &Expected<&str>, actual: &[&str]) -> String {
        let relate = |e: &&str, a: &&str| match (e, a) {
            (e, a) if e == a => Relation::Same,
            (e, a) if e.chars().next() == a.chars().next() => Relation::Akin,
            _ => Relation::Strange,
        };
        let comparison = Comparison::new(expected, actual, relate);
        let (Expected::AnyOrder(list) | Expected::InOrder(list)) = expected;
        let rows = comparison.rows.iter().map(|row| match *row {
            Row::Same { expected, actual: _ } => format!("={}", list[expected]),
            Row::Differs { expected, actual: other } => format!("{}~{}", list[expected], actual[other]),
            Row::Missing { expected } => format!("-{}", list[expected]),
            Row::Unexpected { actual: other } => format!("+{}", actual[other]),
        });
        rows.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn any_order_is_any_order_but_each_counts_once() {
        assert_eq!(compare(&Expected::AnyOrder(vec!["a1", "b1"]), &["b1", "a1"]), "=a1 =b1");
        assert_eq!(compare(&Expected::AnyOrder(vec!["a1"]), &["a1", "a1"]), "=a1 +a1");
        assert_eq!(compare(&Expected::AnyOrder(vec!["a1", "b1"]), &["a2", "c1"]), "a1~a2 -b1 +c1");
        assert_eq!(compare(&Expected::AnyOrder(vec!["a1"]), &["a2", "a1"]), "=a1 +a2");
        assert_eq!(compare(&Expected::AnyOrder(vec![]), &["a1"]), "+a1");
        assert_eq!(compare(&Expected::AnyOrder(vec![]), &[]), "");
    }

    #[test]
    fn a_list_is_compared_in_its_order() {
        assert_eq!(compare(&Expected::InOrder(vec!["a1", "b1"]), &["a1", "b1"]), "=a1 =b1");
        assert_eq!(compare(&Expected::InOrder(vec!["a1", "b1"]), &["b1", "a1"]), "-a1 =b1 +a1");
        assert_eq!(compare(&Expected::InOrder(vec!["a1", "b1", "c1"]), &["a1", "b2", "c1"]), "=a1 b1~b2 =c1");
        assert_eq!(compare(&Expected::InOrder(vec!["a1"]), &["x", "a1", "y"]), "+x =a1 +y");
        assert_eq!(compare(&Expected::InOrder(vec!["a1", "b1"]), &["b1"]), "-a1 =b1");
    }
}
