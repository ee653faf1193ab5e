//! A text for a rule file, checked with the rest of the home as it's in force.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::{Finding, findings};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::page::{asks_for_page, fragment};
use crate::daemon::web::problem::Problem;
use crate::daemon::web::view::beside;
use crate::lang::{Home, Report, Source, Sources};

use super::file::rule_file;

/// A text for a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::daemon::web) struct Asked {
    file: String,
    text: String,
}

/// A home with another text for one of its files.
pub(super) struct Candidate {
    pub(super) sources: Sources,
    pub(super) home: Home,
}

impl Candidate {
    /// Reads and checks the home; what it's made of is in `sources`.
    pub(super) fn new(mut sources: Sources, file: &str, text: &str) -> Candidate {
        sources.insert(Arc::from(file), Source::Content(text.as_bytes().into()));
        let home = Home::load(&sources);
        Candidate { sources, home }
    }

    /// Returns what was found.
    pub(super) fn findings(&self) -> Vec<Finding> {
        findings(&self.home.diagnostics, &self.sources)
    }

    /// Returns whether all of it loads.
    pub(super) fn loads(&self) -> bool {
        !self.home.has_errors()
    }

    /// Returns what was found as `check --json` prints it.
    pub(super) fn json(&self) -> serde_json::Value {
        Report::new(&self.sources).json(&self.home.diagnostics)
    }
}

/// `POST /api/check`: what is wrong with a text; as HTML for whoever asks for that.
pub(in crate::daemon::web) async fn check(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Asked { file, text }) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    let question = {
        let file = file.clone();
        move |home: &mut HomeView<'_>| {
            rule_file(&home.settings.rules, &file)?;
            Ok::<_, Problem>(home.sources.clone())
        }
    };
    let sources = shared.link.ask(question).await??;
    let is_page = asks_for_page(&headers);
    let answer = beside(move || {
        let candidate = Candidate::new(sources, &file, &text);
        if is_page {
            Err(crate::page::findings(&candidate.findings(), &file).into_string())
        } else {
            Ok(candidate.json())
        }
    });
    Ok(match answer.await? {
        Ok(json) => Json(json).into_response(),
        Err(html) => fragment(html),
    })
}
