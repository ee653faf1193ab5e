//! Asks the daemon over HTTP.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use ureq::Agent;

use super::home_zone::HomeZone;
use crate::cli::Failure;
use crate::cli::home::home_folder::meant;
use crate::cli::home::settings_file::read_settings;
use crate::daemon::{ADDRESS_FILE, ZONE_HEADER};
use crate::disk::home_files::SETTINGS;
use crate::lang::Settings;

/// Which daemon is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct DaemonArguments {
    /// The home whose daemon is meant.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Another daemon: `http://host:8330`.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Asks one daemon.
pub(in crate::cli) struct DaemonClient {
    agent: Agent,
    url: String,
    token: Option<String>,
}

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

impl DaemonArguments {
    /// Means the daemon of the home in `home`.
    pub(in crate::cli) fn of(home: &std::path::Path) -> DaemonArguments {
        DaemonArguments { home: home.to_owned(), url: None }
    }

    /// Returns the home whose daemon is meant.
    pub(in crate::cli) fn home(&self) -> &std::path::Path {
        &self.home
    }

    /// Returns a client of the daemon that is meant.
    ///
    /// # Errors
    /// When the settings or the token can't be read.
    pub(in crate::cli) fn client(&self) -> Result<DaemonClient, Failure> {
        let settings = match read_settings(&self.home) {
            Ok(settings) => settings,
            // The daemon that runs has other settings than those that are broken now.
            Err(failure) => return self.without_settings(failure),
        };
        let url = match &self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", settings.web.listen.reachable()),
        };
        if !url.starts_with("http://") {
            return Err(Failure::new(format!("`{url}` isn't the URL of a daemon; write `http://host:8330`")));
        }
        let token = match settings.web.token_file {
            Some(file) => {
                let path = self.home.join(file);
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| Failure::new(format!("`{}` can't be read: {error}", path.display())))?;
                Some(text.trim().to_owned())
            }
            None => None,
        };
        Ok(DaemonClient { agent: agent(), url, token })
    }

    /// Returns a client of the daemon where it said that it listens.
    fn without_settings(&self, failure: Failure) -> Result<DaemonClient, Failure> {
        let url = self.url.clone().or_else(|| told_address(&self.home)).ok_or(failure)?;
        Ok(DaemonClient { agent: agent(), url: url.trim().trim_end_matches('/').to_owned(), token: None })
    }
}

/// Returns where the daemon of the home in `folder` said that it listens. Settings that don't load may say where its data is in
/// a line that does; else each folder of the home may be it.
fn told_address(folder: &Path) -> Option<String> {
    let settings = std::fs::read_to_string(folder.join(SETTINGS)).unwrap_or_default();
    let named = settings.lines().find_map(|line| line.strip_prefix("data:"));
    let named = named.map(|data| data.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']).into());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = named.into_iter().chain([PathBuf::from(Settings::default().data)]);
    let mut folders = folders.map(|data| folder.join(data)).chain(entries.map(|entry| entry.path()));
    folders.find_map(|data| {
        let told = std::fs::read_to_string(data.join(ADDRESS_FILE)).ok()?;
        told.starts_with("http://").then_some(told)
    })
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into()
}

impl DaemonClient {
    /// Returns the answer to `GET path`.
    ///
    /// # Errors
    /// When there is no daemon, or it refuses.
    pub(in crate::cli) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.get_dated(path, query).map(|(answer, _)| answer)
    }

    /// Returns the answer to `GET path`, and the zone in which its times are to be written.
    ///
    /// # Errors
    /// When there is no daemon, or it refuses.
    pub(in crate::cli) fn get_dated(&self, path: &str, query: &[(&str, &str)]) -> Result<(Value, HomeZone), Failure> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in query {
            request = request.query(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        self.answer(request.call())
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// When there is no daemon, or it refuses.
    pub(in crate::cli) fn post(&self, path: &str) -> Result<(), Failure> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        self.answer(request.send_empty()).map(|_| ())
    }

    /// Sends a document, and returns the answer.
    ///
    /// # Errors
    /// When there is no daemon, or it refuses.
    pub(in crate::cli) fn post_json(&self, path: &str, document: &Value) -> Result<Value, Failure> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).header("Content-Type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        self.answer(request.send(document.to_string())).map(|(answer, _)| answer)
    }

    /// Returns the answer to `GET path`, which is a text.
    ///
    /// # Errors
    /// When there is no daemon, or it refuses.
    pub(in crate::cli) fn get_text(&self, path: &str) -> Result<String, Failure> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| self.no_daemon(&error))?;
        let status = response.status();
        let text = response.body_mut().with_config().limit(1 << 30).read_to_string();
        let text = text.map_err(|error| self.no_daemon(&error))?;
        if status.is_success() {
            return Ok(text);
        }
        Err(Failure::new(format!("the daemon at {} answers {status}", self.url)))
    }

    fn answer(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(Value, HomeZone), Failure> {
        let mut response = response.map_err(|error| self.no_daemon(&error))?;
        let status = response.status();
        let zone = HomeZone::new(response.headers().get(ZONE_HEADER).and_then(|zone| zone.to_str().ok()));
        let text = response.body_mut().with_config().limit(1 << 30).read_to_string();
        let text = text.map_err(|error| self.no_daemon(&error))?;
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok((document, zone));
        }
        let detail = document.get("detail").and_then(Value::as_str);
        Err(Failure::new(detail.map_or_else(|| format!("the daemon at {} answers {status}", self.url), str::to_owned)))
    }

    fn no_daemon(&self, error: &ureq::Error) -> Failure {
        let url = &self.url;
        Failure::new(match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                format!("there is no daemon at {url}: `homerule run` starts it, `--url URL` names another one")
            }
            ureq::Error::ConnectionFailed | ureq::Error::HostNotFound | ureq::Error::Io(_) => {
                format!("the daemon at {url} can't be reached: {error}")
            }
            other => format!("the daemon at {url} doesn't answer: {other}"),
        })
    }
}

/// Returns `text` as it stands in the path of a URL.
pub(in crate::cli) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a text can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_rules_stand_in_urls() {
        assert_eq!(encoded("living/tv:dim-lights[hall]"), "living/tv:dim-lights%5Bhall%5D");
    }
}
