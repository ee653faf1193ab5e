//! Whether the broker of `broker.url` does what the home needs: connection, permissions, retained messages, and what it can't do.

use std::path::Path;

use super::finding::Finding;
use super::patient::Patient;
use crate::daemon::{settings_at, try_broker};
use crate::lang::{BrokerSettings, Settings};

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    match patient.settings.broker {
        BrokerSettings::Embedded(_) => Vec::new(),
        BrokerSettings::External(_) => try_it(&patient.settings, &patient.home),
    }
}

/// Tries the broker at `url`, for a home that there may not be yet.
pub(super) fn check_url(url: &str) -> Vec<Finding> {
    try_it(&settings_at(url), Path::new("."))
}

fn try_it(settings: &Settings, folder: &Path) -> Vec<Finding> {
    let tried = match try_broker(settings, folder) {
        Ok(tried) => tried,
        Err(error) => return vec![Finding::error(error, "set `broker` right in homerule.yaml")],
    };
    let finding = |tried: crate::daemon::Tried| {
        let message = format!("{}: {}", tried.what, tried.words);
        if tried.works {
            return Finding::ok(message);
        }
        // What is wrong and what to do are one sentence, with a colon between them.
        let (message, help) = match message.rsplit_once(": ") {
            Some((message, help)) => (message.to_owned(), help.to_owned()),
            None => (message, "docs/beside-home-assistant.md says more".to_owned()),
        };
        if tried.what == "features" { Finding::warning(message, help) } else { Finding::error(message, help) }
    };
    tried.into_iter().map(finding).collect()
}
