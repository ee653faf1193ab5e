//! The view Try.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::api::Finding;
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::view::beside;
use crate::daemon::web::work::file::{read, tag};
use crate::page::{self, TrialPage, View};

use super::reply::{Refused, Shown, Visit, look};

/// What is tried.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    file: String,
    line: Option<u32>,
}

/// `GET /try`
pub(super) async fn trial(
    State(shared): State<Shared>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let question = |home: &mut HomeView<'_>| {
        let rules = home.settings.rules.trim_start_matches("./").trim_end_matches('/').to_owned();
        // A file that has never loaded is only known by what is wrong with it.
        let broken = home.findings.iter().map(|finding| Arc::from(finding.file.as_str()));
        let mut files: Vec<Arc<str>> = home.sources.keys().cloned().chain(broken).collect();
        files.retain(|file| file.strip_prefix(rules.as_str()).is_some_and(|rest| rest.starts_with('/')));
        files.sort();
        files.dedup();
        (files, home.findings.to_vec(), home.recorder.status().is_on)
    };
    let (files, findings, is_recorded) = shared.link.ask(question).await?;
    let files: Vec<String> = files.iter().map(ToString::to_string).collect();
    let file = match files.as_slice() {
        [only] if asked.file.is_empty() => only.clone(),
        _ => asked.file,
    };
    let text = if file.is_empty() {
        None
    } else {
        let (home, rules, name) = (Arc::clone(&shared.home), Arc::clone(&shared.rules), file.clone());
        beside(move || read(&home, &rules, &name)).await??
    };
    let look = look(&shared).await?;
    let may_save = shared.may_edit;
    visit
        .page(look, Shown::new(View::Try, "Try", ""), move |_| {
            let known = text.as_deref().map(|text| tag(text.as_bytes()));
            let of_file: Vec<Finding> = findings.into_iter().filter(|finding| finding.file == file).collect();
            page::trial(&TrialPage {
                files: &files,
                file: &file,
                text: text.as_deref().unwrap_or_default(),
                tag: known.as_deref(),
                findings: &of_file,
                line: asked.line,
                may_save,
                is_recorded,
            })
        })
        .await
}
