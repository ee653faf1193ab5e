//! `homerule enable` and `homerule disable`: switch a rule.

use clap::Args;

use super::daemon_client::{DaemonArguments, encoded};
use super::{Exit, Failure};

/// Switches a rule; kept across restarts.
#[derive(Debug, Args)]
pub(super) struct Switch {
    /// The rule: `tv:dim-lights`, or `dim-lights` alone.
    rule: String,
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

    fn post(self, action: &str) -> Result<Exit, Failure> {
        self.daemon.client()?.post(&format!("/api/rules/{}/{action}", encoded(&self.rule)))?;
        Ok(Exit::Well)
    }
}
