//! The broker that `pub`, `sub`, `record` and `replay --to` speak to.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::runtime::{Builder, Runtime};

use crate::broker::reason::Reason;
use crate::cli::Failure;
use crate::cli::home::home_folder::meant;
use crate::cli::home::settings_file::read_settings;
use crate::cli::init::without_password;
use crate::daemon::{Client, Told, broker_at};
use crate::lang::{BrokerSettings, ExternalBroker, Settings};
use crate::link;
use crate::model::Qos;

/// Which broker is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct BrokerArguments {
    /// The home whose broker is meant.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Another broker: `mqtt://user:password@host:1883`, also `mqtts`, `ws` and `wss`.
    #[arg(long, value_name = "URL", conflicts_with = "home")]
    broker: Option<String>,
}

/// A broker that can be connected to.
#[derive(Debug, Clone)]
pub(in crate::cli) struct BrokerAddress {
    /// What is said of the home besides.
    settings: Settings,
    broker: ExternalBroker,
    /// What the files of the settings are relative to.
    folder: PathBuf,
    named_by: NamedBy,
}

/// Where a broker's address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    /// It is the one that `homerule run` would start.
    Home,
    /// `broker.url` of a home.
    Settings,
    /// Whoever typed the command.
    Person,
}

impl BrokerArguments {
    /// Returns the folder of the home.
    pub(in crate::cli) fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the broker that is meant.
    ///
    /// # Errors
    /// When the settings or the URL don't say.
    pub(in crate::cli) fn address(&self) -> Result<BrokerAddress, Failure> {
        if let Some(url) = &self.broker {
            return BrokerAddress::parse(url);
        }
        let settings = read_settings(&self.home)?;
        let (broker, named_by) = match &settings.broker {
            BrokerSettings::Embedded(broker) => {
                let listener = broker.listen.iter().find(|listener| !listener.websocket && listener.tls.is_none());
                let address = listener.map(|listener| &listener.address).ok_or_else(|| {
                    Failure::new("the broker of this home has no listener of plain TCP; name one by `--broker URL`")
                })?;
                (ExternalBroker::at(format!("mqtt://{}", address.reachable())), NamedBy::Home)
            }
            BrokerSettings::External(broker) => (broker.clone(), NamedBy::Settings),
        };
        // Our own broker's topics are where they are.
        let settings = if named_by == NamedBy::Home { Settings::default() } else { settings };
        Ok(BrokerAddress { settings, broker, folder: self.home.clone(), named_by })
    }
}

impl BrokerAddress {
    /// Reads the URL of a broker.
    ///
    /// # Errors
    /// When it is none that we can speak to.
    pub(in crate::cli) fn parse(url: &str) -> Result<BrokerAddress, Failure> {
        let broker = broker_at(url).map_err(|why| {
            let shown = without_password(url).0;
            Failure::new(format!("`{shown}` isn't the URL of a broker: {why}; write `mqtt://host:1883`"))
        })?;
        let (settings, folder) = (Settings::default(), PathBuf::new());
        Ok(BrokerAddress { settings, broker, folder, named_by: NamedBy::Person })
    }

    /// Returns a client of the broker, whose messages come with at most this `QoS`; it connects when it is first asked what it hears.
    ///
    /// # Errors
    /// When the settings can't be used.
    pub(in crate::cli) fn client(&self, purpose: &str, qos: Qos) -> Result<Client, Failure> {
        let broker = ExternalBroker { qos, ..self.broker.clone() };
        Client::new(&self.settings, &broker, &self.folder, purpose).map_err(Failure::new)
    }

    /// Returns whether it is the one that `homerule run` would start.
    pub(in crate::cli) fn is_ours(&self) -> bool {
        self.named_by == NamedBy::Home
    }

    /// Says what went wrong with `client`.
    pub(in crate::cli) fn failure(&self, client: &Client, told: Told) -> Failure {
        let address = client.address();
        Failure::new(match told {
            Told::Failed { why: link::Failure::NobodyThere, .. } if self.is_ours() => {
                format!("there is no broker at {address}: `homerule run` starts it, `--broker URL` names another one")
            }
            Told::Failed { why: link::Failure::NobodyThere, .. } => format!("there is no broker at {address}"),
            Told::Failed {
                why: link::Failure::Refused(Reason::BadUserNameOrPassword | Reason::NotAuthorized, _),
                ..
            } if self.named_by != NamedBy::Settings => {
                format!("the broker at {address} refuses this user: name one by `--broker mqtt://user:password@host`")
            }
            Told::Failed { words, .. } | Told::Refused(words) => words,
            Told::Subscribed | Told::Message(..) => format!("the broker at {address} ended the connection"),
        })
    }
}

/// Returns what a client runs on.
///
/// # Errors
/// When the system gives none.
pub(in crate::cli) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("can't start: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_brokers_are_read() {
        for url in
            ["mqtt://broker", "mqtts://me:a:b@10.0.0.1:1884/", "localhost:2000", "wss://[::1]:2000/mqtt", "tcp://h"]
        {
            assert!(BrokerAddress::parse(url).is_ok(), "{url}");
        }
        let wrong = |url: &str| BrokerAddress::parse(url).unwrap_err().to_string();
        assert_eq!(
            wrong("http://me:secret@broker"),
            "`http://me@broker` isn't the URL of a broker: `http` isn't a scheme of MQTT: use mqtt, mqtts, ws or wss; write \
             `mqtt://host:1883`"
        );
        assert!(wrong("mqtt://host:port").contains("`port` isn't a port"));
    }
}
