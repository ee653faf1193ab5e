//! What homerule.yaml says of another broker, as the link takes it.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::address::{BadUrl, BrokerUrl};
use super::dial::Target;
use super::tls;
use crate::lang::{ExternalBroker, Settings as HomeSettings};
use crate::link::{Settings, Will};
use crate::model::Topic;

/// Why the settings of another broker can't be used.
#[derive(Debug, Error)]
pub(in crate::daemon) enum LinkError {
    /// The URL.
    #[error("`broker.url`: {0}")]
    Url(#[from] BadUrl),
    /// A file.
    #[error("`{0}`: {1}")]
    File(String, String),
    /// TLS.
    #[error("TLS can't be used: {0}")]
    Tls(String),
}

impl LinkError {
    pub(super) fn file(path: &Path, error: impl fmt::Display) -> LinkError {
        LinkError::File(path.display().to_string(), error.to_string())
    }
}

/// Returns where to dial.
pub(in crate::daemon) fn target(broker: &ExternalBroker, home: &Path) -> Result<Target, LinkError> {
    let url = BrokerUrl::parse(&broker.url)?;
    let tls = url.is_tls.then(|| tls::config(broker, home)).transpose()?;
    Ok(Target { url, tls })
}

/// Returns how the link is set up; `client_id` is used where the settings name none.
pub(in crate::daemon) fn link_settings(
    home: &HomeSettings,
    broker: &ExternalBroker,
    folder: &Path,
    client_id: &str,
) -> Result<Settings, LinkError> {
    let url = BrokerUrl::parse(&broker.url)?;
    let client_id = broker.client_id.as_deref().unwrap_or(client_id);
    let mut settings = Settings::new(&url.shown(), client_id);
    settings.user = broker.user.clone().or(url.user).map(Into::into);
    let password = broker.password.as_ref().map(|password| password.0.clone()).or(url.password);
    let password = match (&broker.password_file, password) {
        (Some(file), _) => Some(read_password(&folder.join(file))?),
        (None, password) => password,
    };
    settings.password = password.map(Bytes::from);
    settings.qos = broker.qos;
    settings.outbox = broker.outbox;
    settings.prefix = home.topic_prefix.as_str().into();
    settings.seed = random();
    let (topic, keep_alive) = match &home.instance {
        None => ("homerule/status".to_owned(), Duration::from_secs(30)),
        Some(instance) => {
            let topic = crate::instance::alive_topic(&instance.home, &instance.name);
            // So that the broker notices within half a lease that a leader is gone.
            (topic, (instance.lease / 3).max(Duration::from_secs(1)))
        }
    };
    settings.keep_alive = keep_alive;
    settings.will = Topic::parse(&topic).ok().map(|topic| Will { topic, payload: Bytes::from_static(b"offline") });
    Ok(settings)
}

fn read_password(path: &Path) -> Result<String, LinkError> {
    let text = fs::read_to_string(path).map_err(|error| LinkError::file(path, error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Returns a client identifier for this home: with the instance's name, and something random that is kept.
pub(in crate::daemon) fn client_id(home: &HomeSettings) -> String {
    let suffix = random() % 0x1_0000_0000;
    match &home.instance {
        None => format!("homerule-{suffix:08x}"),
        Some(instance) => format!("homerule-{}-{suffix:08x}", instance.name),
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without the system's random numbers, two homes may try again at the same time: no more than that.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
