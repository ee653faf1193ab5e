//! Which topic a filter that no message matches was probably meant for: for those who ask why a rule didn't run.

use std::collections::BTreeSet;

use crate::engine::Step;
use crate::model::{Topic, TopicFilter};

/// Returns the topic of `topics` that `filter` was probably meant to match, where one is near: one level differs by a letter
/// or two, or by capital letters, or the levels before are missing.
#[must_use]
pub fn nearest_topic<'a>(filter: &TopicFilter, topics: impl IntoIterator<Item = &'a Topic>) -> Option<&'a Topic> {
    let plain = filter.plain();
    let wanted: Vec<&str> = plain.split('/').collect();
    let near = topics.into_iter().filter_map(|topic| {
        let distance = distance(&wanted, topic.as_str()).filter(|_| !filter.matches(topic))?;
        Some((distance, topic))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, topic)| topic)
}

/// Returns the topic of `topics` that was probably meant by `topic`, which is none of them; `None` where it is one of them, or
/// none is near.
#[must_use]
pub fn nearest_to_topic<'a>(topic: &Topic, topics: impl Iterator<Item = &'a Topic> + Clone) -> Option<&'a Topic> {
    if topics.clone().any(|known| known == topic) {
        return None;
    }
    nearest_topic(&TopicFilter::parse(topic.as_str()).ok()?, topics)
}

/// Returns the topics that conditions read and that never spoke, each with the topic of `spoken` that was probably meant.
pub fn meant_topics<'a, 'b>(
    steps: impl Iterator<Item = &'a Step>,
    speaks: impl Fn(&Topic) -> bool,
    spoken: &(impl Iterator<Item = &'b Topic> + Clone),
) -> Vec<(Topic, &'b Topic)> {
    let unknown: BTreeSet<Topic> = steps.flat_map(Step::topics_without_value).filter(|topic| !speaks(topic)).collect();
    let near = |topic: Topic| nearest_to_topic(&topic, spoken.clone()).map(|near| (topic, near));
    unknown.into_iter().filter_map(near).collect()
}

/// Returns how far a topic is from the levels of a filter; `None` where it isn't near.
fn distance(wanted: &[&str], topic: &str) -> Option<usize> {
    let levels: Vec<&str> = topic.split('/').collect();
    let (wanted, is_open) = match wanted.split_last() {
        Some((&"#", before)) => (before, true),
        _ => (wanted, false),
    };
    let levels = if is_open { levels.get(..wanted.len())? } else { levels.as_slice() };
    if levels.len() == wanted.len() {
        return same_length(wanted, levels);
    }
    let (long, short) = if levels.len() > wanted.len() { (levels, wanted) } else { (wanted, levels) };
    // The first levels, or an empty one, are left out on one side.
    let is_end = long.get(long.len() - short.len()..).is_some_and(|end| same_length(short, end) == Some(0));
    let has_words = short.iter().any(|level| !level.is_empty() && *level != "+");
    (is_end && has_words).then(|| 1 + long.len() - short.len())
}

fn same_length(wanted: &[&str], levels: &[&str]) -> Option<usize> {
    let mut total = 0;
    let mut different = 0;
    for (wanted, level) in wanted.iter().zip(levels).filter(|(wanted, level)| wanted != level) {
        if *wanted == "+" || *level == "+" {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&wanted.to_lowercase(), &level.to_lowercase());
        let bound = match wanted.chars().count() {
            0..=3 => 0,
            4..=5 => 1,
            _ => 2,
        };
        if distance > bound {
            return None;
        }
        total += distance;
        different += 1;
    }
    (different <= 1).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(filter: &str, topics: &[&str]) -> Option<String> {
        let topics: Vec<Topic> = topics.iter().map(|topic| Topic::parse(topic).unwrap()).collect();
        nearest_topic(&TopicFilter::parse(filter).unwrap(), &topics).map(ToString::to_string)
    }

    #[test]
    fn a_slip_in_one_level_is_found() {
        assert_eq!(near("home/+room/tv", &["home/lux", "home/living/TV"]).as_deref(), Some("home/living/TV"));
        assert_eq!(near("home/hall/motion", &["home/hall/motoin"]).as_deref(), Some("home/hall/motoin"));
        assert_eq!(near("zigbee2mqtt/#", &["zigbee2mqt/hall", "other"]).as_deref(), Some("zigbee2mqt/hall"));
    }

    #[test]
    fn levels_that_are_missing_before_are_found() {
        assert_eq!(near("hall/motion", &["home/hall/motion"]).as_deref(), Some("home/hall/motion"));
        assert_eq!(near("home/hall/motion", &["hall/motion"]).as_deref(), Some("hall/motion"));
        assert_eq!(near("/hall/motion", &["hall/motion"]).as_deref(), Some("hall/motion"));
    }

    #[test]
    fn other_topics_are_not_near() {
        assert_eq!(
            near("home/hall/tv", &["home/hall/lux", "home/attic/tv", "home/hall", "+x".trim_start_matches('+')]),
            None
        );
        assert_eq!(near("home/+/tv", &["home/hall/tv"]), None, "it matches");
    }
}
