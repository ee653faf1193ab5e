//! `homerule enable` and `homerule disable`: switch a rule; `homerule resume`: lets one go on that yields.

use clap::Args;

use super::link::daemon_client::{DaemonArguments, encoded};
use super::{Exit, Failure, print};

/// Switches a rule; kept across restarts.
#[derive(Debug, Args)]
pub(super) struct Switch {
    /// The rule: `tv:dim-lights`, or `dim-lights` alone.
    rule: String,
    /// Write one JSON document: the rule as it is then.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Switch {
    pub(super) fn enable(self) -> Result<Exit, Failure> {
        self.post("enable")
    }

    pub(super) fn disable(self) -> Result<Exit, Failure> {
        self.post("disable")
    }

    pub(super) fn resume(self) -> Result<Exit, Failure> {
        self.post("resume")
    }

    fn post(self, action: &str) -> Result<Exit, Failure> {
        let client = self.daemon.client()?;
        let rule = format!("/api/rules/{}", encoded(&self.rule));
        client.post(&format!("{rule}/{action}"))?;
        if self.json {
            print::json(&client.get(&rule, &[])?)?;
        }
        Ok(Exit::Well)
    }
}
