//! What somebody does over the web: publish, reload, post to a hook.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::daemon::files::reload::Reloaded;
use crate::model::{Message, Origin, Payload, Qos, Topic, Value};

use super::Shared;
use super::problem::Problem;

/// What is to be published.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publication {
    topic: String,
    payload: serde_json::Value,
    #[serde(default)]
    qos: Qos,
    #[serde(default)]
    retain: bool,
}

/// `POST /api/publish`: 202 once it is on its way.
pub(super) async fn publish(
    State(shared): State<Shared>,
    body: Result<Json<Publication>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(asked) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    let topic = Topic::parse(&asked.topic)
        .map_err(|error| Problem::bad_request(format!("`{}` can't be published to: {error}", asked.topic)))?;
    if topic.as_str().starts_with('$') {
        return Err(Problem::bad_request("a topic that begins with `$` is the broker's own"));
    }
    let payload = Payload::from_value(&Value::from_json(asked.payload));
    let message =
        Message { topic, payload, qos: asked.qos, retain: asked.retain, origin: Origin::Live, expires_at: None };
    refuse_at_standby(&shared).await?;
    shared.link.act(|home| home.publish(message, None)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Refuses what only the leader of several instances may be asked for.
pub(super) async fn refuse_at_standby(shared: &Shared) -> Result<(), Problem> {
    match shared.link.act(|home| home.leads_elsewhere()).await? {
        Some(leader) => Err(Problem::standby(&leader)),
        None => Ok(()),
    }
}

/// `POST /api/reload`: reads the files now, and says what came of it.
pub(super) async fn reload(State(shared): State<Shared>) -> Result<Json<Reloaded>, Problem> {
    let (sender, answer) = oneshot::channel();
    let gone = |()| Problem::from(crate::daemon::home::input::Stopping);
    shared.requests.send(Some(sender)).await.map_err(|_| gone(()))?;
    let reloaded = answer.await.map_err(|_| Problem::bad_request("the home's folder can't be read: see the log"))?;
    Ok(Json(reloaded))
}

/// The key of a button.
#[derive(Debug, Deserialize)]
pub(super) struct Button {
    key: Option<String>,
}

/// `POST /hook/NAME`: 202 once it is queued, 404 where no rule has the name. With `?key=`, a button of a notification is pressed:
/// 410 where it was already, or its time is over.
pub(super) async fn hook(
    State(shared): State<Shared>,
    Path(name): Path<Arc<str>>,
    Query(button): Query<Button>,
    body: Bytes,
) -> Result<Response, Problem> {
    refuse_at_standby(&shared).await?;
    if let Some(key) = button.key {
        let is_pressed =
            shared.link.act(move |home| home.press(Some(&name), &key, Payload::from_bytes(body), None)).await?;
        let gone = || Problem::new(StatusCode::GONE, "this button was pressed already, or its time is over");
        // The page of ntfy presses it from its own site.
        let from_anywhere = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        return if is_pressed { Ok((StatusCode::ACCEPTED, from_anywhere).into_response()) } else { Err(gone()) };
    }
    let asked = Arc::clone(&name);
    let is_taken = shared.link.act(move |home| home.post(asked, Payload::from_bytes(body))).await?;
    if is_taken {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(Problem::not_found(format!("no rule has `webhook: {name}`")))
    }
}
