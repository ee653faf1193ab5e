//! `homerule import`: what another system was set to, as files of homerule.

mod checked_home;
mod configuration_folder;
mod home_assistant;
mod known_devices;
mod tests_of_rules;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Failure, print};
use crate::disk;
use crate::lang::import::mosquitto;

/// Translates another system's configuration.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

/// The systems that can be imported from.
#[derive(Debug, Subcommand)]
enum From {
    /// Writes `broker:` of homerule.yaml from a mosquitto.conf, and says what has no counterpart.
    ///
    /// mosquitto's password and ACL files need no translation: `broker.users` and `broker.acl` read them.
    Mosquitto {
        /// The configuration.
        file: PathBuf,
    },
    /// Writes rules, inputs, scenes and tests from Home Assistant's configuration, and a report.
    HomeAssistant(home_assistant::HomeAssistant),
}

impl Import {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let file = match self.from {
            From::Mosquitto { file } => file,
            From::HomeAssistant(import) => return import.execute(),
        };
        let shown = file.display();
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Failure::new(format!("`{shown}` can't be read: {}", disk::reason(&error))))?;
        let imported = mosquitto::import(&text);
        for note in &imported.notes {
            print::warning(&format!("{shown}:{}: {}", note.line, note.message));
        }
        print::line(imported.settings.trim_end());
        Ok(Exit::Well)
    }
}
