//! `homerule doctor`: looks at what a home stands on, and says what is wrong before the home does.
//!
//! Each check is a file beside this one and a row in [`CHECKS`]. It looks, and changes nothing.

mod broker;
mod clock;
mod disk;
mod files;
mod finding;
mod patient;
mod permissions;
mod ports;
mod versions;
mod wear;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::home::home_folder::meant;
use super::{Exit, Failure, print};
use finding::{Finding, Outcome};
use patient::Patient;

/// Looks at clock, disk, ports, permissions and versions, and says what is wrong.
///
/// Ends with 1 if something is wrong; what is only worth knowing is a warning.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The home's folder.
    #[arg(default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Look only at the broker at this URL: `mqtt://user:password@host:1883`.
    #[arg(long, value_name = "URL", conflicts_with = "home")]
    broker: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Looks at one thing, and returns what it found.
type Check = fn(&Patient) -> Vec<Finding>;

/// The checks, with their names, in the order in which they are shown.
const CHECKS: [(&str, Check); 8] = [
    ("versions", versions::check),
    ("files", files::check),
    ("permissions", permissions::check),
    ("ports", ports::check),
    ("broker", broker::check),
    ("clock", clock::check),
    ("disk", disk::check),
    ("wear", wear::check),
];

/// A finding with the name of its check.
#[derive(Serialize)]
struct Checked {
    check: &'static str,
    #[serde(flatten)]
    finding: Finding,
}

impl Doctor {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        #[derive(Serialize)]
        struct Answer {
            checks: Vec<Checked>,
        }
        let (subject, checks) = match &self.broker {
            Some(url) => {
                let found = broker::check_url(url).into_iter();
                ("the broker".to_owned(), found.map(|finding| Checked { check: "broker", finding }).collect())
            }
            None => {
                let patient = Patient::of(&self.home)?;
                let look = |(check, look): (&'static str, Check)| {
                    look(&patient).into_iter().map(move |finding| Checked { check, finding })
                };
                let checks: Vec<Checked> = CHECKS.into_iter().flat_map(look).collect();
                (format!("the home in {}", patient.home.display()), checks)
            }
        };
        let is_ill = checks.iter().any(|checked| checked.finding.outcome == Outcome::Error);
        if self.json {
            print::json(&Answer { checks })?;
        } else {
            show(&subject, &checks);
        }
        Ok(if is_ill { Exit::No } else { Exit::Well })
    }
}

fn show(subject: &str, checks: &[Checked]) {
    print::line(subject);
    let width = CHECKS.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut last = "";
    for Checked { check, finding } in checks {
        let name = if *check == last { "" } else { *check };
        last = check;
        let word = finding.outcome.word();
        print::line(&format!(
            "  {name:width$}  {}  {}",
            finding.outcome.coloured(&format!("{word:7}")),
            finding.message
        ));
        if let Some(help) = &finding.help {
            print::line(&format!("  {:width$}  {:7}  {help}", "", ""));
        }
    }
    let count = |outcome: Outcome| checks.iter().filter(|checked| checked.finding.outcome == outcome).count();
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let (errors, warnings) = (count(Outcome::Error), count(Outcome::Warning));
    print::line(&format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")));
}
