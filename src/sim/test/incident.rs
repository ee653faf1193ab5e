//! A test of an incident: what a publication depended on, written as a test that passes now.

use crate::explain::{Incident, LocalTime};
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
}

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
        let test = WrittenTest {
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
        test.write(
            |published| {
                if published.iter().any(|published| self.is_it(published)) { Ok(()) } else { Err(self.otherwise()) }
            },
        )
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
