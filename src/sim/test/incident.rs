//! A test of an incident: what a publication depended on, written as a test that passes now.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::explain::{Extent, Incident, LocalTime, Said};
use crate::model::Payload;
use crate::sim::home::{Published, TestHome};

use super::written::WrittenTest;

/// A test that is being written.
pub struct IncidentTest<'a> {
    /// What it's about.
    pub incident: &'a Incident,
    /// The home whose rules it tests.
    pub home: &'a TestHome,
    /// The test file's path, relative to the home.
    pub path: &'a str,
    /// The rules that it chooses, as a test file names them: `tv.yaml:dim-lights`.
    pub rules: Vec<String>,
    /// How much of what was known it tells: of everything, what makes no difference is left out again.
    pub extent: Extent,
}

/// How often a test is run at most to see what makes a difference.
const MOST_TRIALS: usize = 400;

impl IncidentTest<'_> {
    /// Returns the test file's text. It's run before: what can't be played again isn't written.
    ///
    /// # Errors
    /// If the rules decide otherwise than they did, or nothing happened that a test can tell; in words.
    pub fn write(&self) -> Result<String, String> {
        let incident = self.incident;
        let zone = &self.home.options().calendar.zone;
        let name = format!("{} at {}", incident.topic, LocalTime::new(zone.clone()).text(incident.end));
        let left_out: Vec<String> =
            incident.left_out.iter().map(|left_out| format!("# Left out: {left_out}.\n")).collect();
        let mut test = WrittenTest {
            header: format!(
                "# What led to {name}, cut out by `homerule why --as-test`. It passes with the rules as they are now:\n\
                 # change what it expects into what should have happened, then the rules.\n{}",
                left_out.concat()
            ),
            name,
            home: self.home,
            path: self.path,
            rules: self.rules.clone(),
            start: incident.start,
            end: incident.end,
            given: &incident.given,
            said: &incident.said,
        };
        let has_it = |published: &[Published]| published.iter().any(|published| self.is_it(published));
        let (mut given, mut said) = (incident.given.clone(), incident.said.clone());
        if self.extent == Extent::Everything {
            let wanted = last_of_each(&test.publications()?);
            let mut trials = 0;
            let mut is_enough = |given: &BTreeMap<String, Value>, said: &[Said]| {
                trials += 1;
                let trial = || WrittenTest { given, said, ..test.clone() }.publications();
                trials <= MOST_TRIALS && trial().is_ok_and(|published| last_of_each(&published) == wanted)
            };
            let known: Vec<_> = given.into_iter().collect();
            let known = needed(known, |known| is_enough(&known.iter().cloned().collect(), &said));
            given = known.into_iter().collect();
            said = needed(said, |said| is_enough(&given, said));
        }
        (test.given, test.said) = (&given, &said);
        test.write(|published| if has_it(published) { Ok(()) } else { Err(self.otherwise()) })
    }

    fn is_it(&self, published: &Published) -> bool {
        let message = &published.publication.message;
        message.topic.as_str() == self.incident.topic && message.payload.value().to_json() == self.incident.value
    }

    fn otherwise(&self) -> String {
        let left_out = self.incident.left_out.join("; ");
        let because = if left_out.is_empty() { left_out } else { format!(" (left out: {left_out})") };
        let value = &self.incident.value;
        format!("with what the daemon remembers, the rules don't publish {value} now{because}")
    }
}

/// Returns what was published last on each topic.
fn last_of_each(published: &[Published]) -> BTreeMap<String, Payload> {
    let messages = published.iter().map(|published| &published.publication.message);
    messages.map(|message| (message.topic.to_string(), message.payload.clone())).collect()
}

/// Returns what is left of a list when parts of it are left out, larger ones first, as long as what is left `is_enough`; all
/// of it where not even that is.
fn needed<T: Clone>(all: Vec<T>, mut is_enough: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut left = all;
    let mut size = left.len();
    while size > 0 {
        let mut place = 0;
        while place < left.len() {
            let end = left.len().min(place + size);
            let without: Vec<T> =
                [left.get(..place), left.get(end..)].into_iter().flatten().flatten().cloned().collect();
            if is_enough(&without) {
                left = without;
            } else {
                place = end;
            }
        }
        size /= 2;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_found_wherever_it_stands() {
        for wanted in [vec![], vec![0], vec![99], vec![3, 50, 51, 98]] {
            let mut trials = 0;
            let left = needed((0..100).collect(), |left| {
                trials += 1;
                wanted.iter().all(|one| left.contains(one))
            });
            assert_eq!(left, wanted);
            assert!(trials < 100, "{trials}");
        }
        assert_eq!(needed(vec![1, 2], |_| false), [1, 2]);
    }
}
