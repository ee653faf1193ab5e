//! The broker that `pub`, `sub`, `record` and `replay --to` speak to.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rumqttc::{AsyncClient, Client, ConnectReturnCode, Connection, ConnectionError, EventLoop, MqttOptions, v5};

use crate::cli::Failure;
use crate::cli::home::home_folder::meant;
use crate::cli::home::settings_file::read_settings;
use crate::lang::BrokerSettings;

/// Which broker is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct BrokerArguments {
    /// The home whose broker is meant.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Another broker: `mqtt://user:password@host:1883`.
    #[arg(long, value_name = "URL", conflicts_with = "home")]
    broker: Option<String>,
}

/// A broker that can be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct BrokerAddress {
    host: String,
    port: u16,
    user: Option<(String, String)>,
    /// Whether it is the one that `homerule run` would start.
    is_ours: bool,
}

/// The largest packet that we take (MQTT 5.0, 1.5.5: the largest there is).
const LARGEST_PACKET: usize = 268_435_455;

/// How many of our requests may wait for the network.
const WAITING: usize = 100;

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
        match read_settings(&self.home)?.broker {
            BrokerSettings::Embedded(broker) => {
                let listener = broker.listen.iter().find(|listener| !listener.websocket);
                let address = listener.map(|listener| &listener.address).ok_or_else(|| {
                    Failure::new("the broker of this home listens for WebSockets only; name one by `--broker URL`")
                })?;
                Ok(BrokerAddress { host: address.reachable_host(), port: address.port, user: None, is_ours: true })
            }
            BrokerSettings::External(broker) => {
                let mut address = BrokerAddress::parse(&broker.url)?;
                if let Some(user) = broker.user {
                    address.user = Some((user, broker.password.map(|password| password.0).unwrap_or_default()));
                }
                if let (Some(file), Some((_, password))) = (broker.password_file, &mut address.user) {
                    let path = self.home.join(file);
                    let text = std::fs::read_to_string(&path)
                        .map_err(|error| Failure::new(format!("`{}` can't be read: {error}", path.display())))?;
                    text.trim_end().clone_into(password);
                }
                Ok(address)
            }
        }
    }
}

impl BrokerAddress {
    /// Reads the URL of a broker.
    ///
    /// # Errors
    /// When it is none that we can speak to.
    pub(in crate::cli) fn parse(url: &str) -> Result<BrokerAddress, Failure> {
        let wrong =
            |why: &str| Failure::new(format!("`{url}` isn't the URL of a broker: {why}; write `mqtt://host:1883`"));
        let rest = match url.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => rest,
            Some(("mqtts" | "ssl" | "ws" | "wss", _)) => {
                return Err(wrong("this version speaks MQTT over plain TCP only"));
            }
            Some((scheme, _)) => return Err(wrong(&format!("`{scheme}` isn't an MQTT scheme"))),
            None => url,
        };
        let rest = rest.trim_end_matches('/');
        let (user, address) = match rest.rsplit_once('@') {
            Some((user, address)) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                (Some((name.to_owned(), password.to_owned())), address)
            }
            None => (None, rest),
        };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong(&format!("`{port}` isn't a port")))?)
            }
            _ => (address, 1883),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        Ok(BrokerAddress { host: host.to_owned(), port, user, is_ours: false })
    }

    /// Returns a client of the broker; it connects when its connection is first asked for an event.
    pub(in crate::cli) fn client(&self, purpose: &str) -> (Client, Connection) {
        Client::new(self.options(purpose), WAITING)
    }

    /// Returns the same for the runtime of tokio.
    pub(in crate::cli) fn asynchronous_client(&self, purpose: &str) -> (AsyncClient, EventLoop) {
        AsyncClient::new(self.options(purpose), WAITING)
    }

    /// Returns the same for MQTT 5.
    pub(in crate::cli) fn client_of_version_5(&self, purpose: &str) -> (v5::AsyncClient, v5::EventLoop) {
        let mut options = v5::MqttOptions::new(client_id(purpose), self.host.clone(), self.port);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_max_packet_size(u32::try_from(LARGEST_PACKET).ok());
        if let Some((name, password)) = &self.user {
            options.set_credentials(name, password);
        }
        v5::AsyncClient::new(options, WAITING)
    }

    /// Returns whether it is the one that `homerule run` would start.
    pub(in crate::cli) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Returns what the broker is best spoken to with.
    pub(in crate::cli) fn protocol(&self) -> Protocol {
        if self.is_ours { Protocol::Version5 } else { Protocol::Version3 }
    }

    fn options(&self, purpose: &str) -> MqttOptions {
        let mut options = MqttOptions::new(client_id(purpose), self.host.clone(), self.port);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
        if let Some((name, password)) = &self.user {
            options.set_credentials(name, password);
        }
        options
    }

    /// Says why there is no connection.
    pub(in crate::cli) fn failure(&self, error: &ConnectionError) -> Failure {
        match error {
            ConnectionError::Io(error) => self.unreachable(error),
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => self.refusal(),
            other => self.end(other),
        }
    }

    /// Says the same of MQTT 5.
    pub(in crate::cli) fn failure_of_version_5(&self, error: &v5::ConnectionError) -> Failure {
        use v5::mqttbytes::v5::ConnectReturnCode as Code;
        match error {
            v5::ConnectionError::Io(error) => self.unreachable(error),
            v5::ConnectionError::ConnectionRefused(Code::BadUserNamePassword | Code::NotAuthorized) => self.refusal(),
            other => self.end(other),
        }
    }

    fn unreachable(&self, error: &io::Error) -> Failure {
        let address = self.shown();
        Failure::new(match error.kind() {
            io::ErrorKind::ConnectionRefused if self.is_ours => {
                format!("there is no broker at {address}: `homerule run` starts it, `--broker URL` names another one")
            }
            io::ErrorKind::ConnectionRefused => format!("there is no broker at {address}"),
            _ => format!("the broker at {address} can't be reached: {error}"),
        })
    }

    fn refusal(&self) -> Failure {
        let address = self.shown();
        Failure::new(format!(
            "the broker at {address} refuses this user: name one by `--broker mqtt://user:password@host`"
        ))
    }

    fn end(&self, error: &dyn std::error::Error) -> Failure {
        Failure::new(format!("the broker at {} ended the connection: {error}", self.shown()))
    }

    fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// What a broker is spoken to with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Protocol {
    /// MQTT 3.1.1, which every broker speaks.
    Version3,
    /// MQTT 5.
    Version5,
}

fn client_id(purpose: &str) -> String {
    format!("homerule-{purpose}-{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_brokers_are_read() {
        let read = |url: &str| {
            let address = BrokerAddress::parse(url).map_err(|failure| failure.to_string())?;
            let user = address.user.map(|(name, password)| format!("{name}/{password}")).unwrap_or_default();
            Ok::<_, String>(format!("{user} {} {}", address.host, address.port))
        };
        assert_eq!(read("mqtt://broker").unwrap(), " broker 1883");
        assert_eq!(read("mqtt://me:a:b@10.0.0.1:1884/").unwrap(), "me/a:b 10.0.0.1 1884");
        assert_eq!(read("localhost:2000").unwrap(), " localhost 2000");
        assert_eq!(read("mqtt://[::1]:2000").unwrap(), " ::1 2000");
        assert_eq!(
            read("mqtts://broker").unwrap_err(),
            "`mqtts://broker` isn't the URL of a broker: this version speaks MQTT over plain TCP only; write `mqtt://host:1883`"
        );
        assert!(read("mqtt://host:port").unwrap_err().contains("`port` isn't a port"));
        assert!(read("http://host").unwrap_err().contains("`http` isn't an MQTT scheme"));
    }
}
