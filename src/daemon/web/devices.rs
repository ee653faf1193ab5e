//! Devices and inputs over the web: what they are, and what somebody sets.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::api::{DeviceAnswer, DeviceDiagnostic, DevicesAnswer, InputAnswer};
use crate::daemon::home::event_loop::EventLoop;
use crate::daemon::home::input::Stopping;
use crate::daemon::home::view::HomeView;
use crate::devices::{CommandOptions, Device, Found};
use crate::engine::Engine;
use crate::model::{Map, Message, Origin, Payload, Qos, Topic, Value, nearest};

use super::Shared;
use super::problem::Problem;

/// How many devices the loop is asked for at a time.
const AT_ONCE: usize = 50;

/// What the page, and programs that speak HTTP, are called as clients.
const PAGE: &str = "page";
const HTTP: &str = "http";

/// `GET /api/devices`
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<DevicesAnswer>, Problem> {
    Ok(Json(all(&shared).await?))
}

/// Returns all devices; the loop is asked for a few at a time.
pub(super) async fn all(shared: &Shared) -> Result<DevicesAnswer, Stopping> {
    let question = |home: &mut HomeView<'_>| {
        let devices: Vec<Arc<Device>> = home.engine.registry().devices().cloned().collect();
        (devices, DeviceDiagnostic::of_none(home.engine.registry()))
    };
    let (known, diagnostics) = shared.link.ask(question).await?;
    let mut devices = Vec::with_capacity(known.len());
    for few in known.chunks(AT_ONCE) {
        let few = few.to_vec();
        let question = move |home: &mut HomeView<'_>| {
            few.iter().map(|device| DeviceAnswer::new(home.engine, device, home.now)).collect::<Vec<_>>()
        };
        devices.extend(shared.link.ask(question).await?);
    }
    Ok(DevicesAnswer::new(devices, diagnostics))
}

/// `GET /api/devices/{id}`: by id or name.
pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<DeviceAnswer>, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let device = find(home.engine, &id)?;
        Ok(DeviceAnswer::new(home.engine, &device, home.now))
    };
    shared.link.ask(question).await?.map(Json)
}

/// `GET /api/devices-kept`: what devices say of themselves, as lines of a recording, for `homerule devices --save`.
pub(super) async fn kept(State(shared): State<Shared>) -> Result<String, Problem> {
    let question = |home: &mut HomeView<'_>| {
        let (registry, states) = (home.engine.registry(), home.engine.states());
        let said = states.iter().filter(|(topic, _)| registry.defines(topic));
        let said = said.filter(|(_, state)| !state.payload.is_empty());
        let said = said.map(|(topic, state)| (state.changed_at, topic.clone(), state.payload.clone()));
        // What the home's file says counts until the broker says otherwise.
        let options = home.engine.device_options();
        let kept = options.kept.iter().filter(|(topic, _)| states.get(topic.as_str()).is_none());
        let kept = kept.map(|(topic, payload)| (home.now, topic.clone(), payload.clone()));
        said.chain(kept).collect::<Vec<_>>()
    };
    let mut lines = String::new();
    for (at, topic, payload) in shared.link.ask(question).await? {
        let message =
            Message { topic, payload, qos: Qos::AtLeastOnce, retain: true, origin: Origin::Retained, expires_at: None };
        lines.push_str(&crate::api::MessageLine::new(at, &message, crate::api::Via::Unknown).to_text());
        lines.push('\n');
    }
    Ok(lines)
}

/// `POST /api/devices/{id}/set`: a map of properties and what they are to be.
pub(super) async fn set(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Result<Json<serde_json::Map<String, serde_json::Value>>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Some(id) = path.strip_suffix("/set").map(ToOwned::to_owned) else {
        return Err(Problem::not_found("a device is asked to `/set`"));
    };
    let Json(body) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    let wanted: Map = body.into_iter().map(|(name, value)| (Arc::from(name), Value::from_json(value))).collect();
    if wanted.is_empty() {
        return Err(Problem::bad_request("nothing is to be set: send e.g. `{ \"on\": true }`"));
    }
    let by = who(&headers);
    let act = move |home: &mut EventLoop| {
        let view = home.view();
        let device = find(view.engine, &id)?;
        let known = |property: &str| said(view.engine, &device, property);
        let command = device.command(&wanted, &known, CommandOptions::default()).map_err(|errors| {
            Problem::bad_request(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        for publication in command.publications {
            let (topic, payload) = (publication.topic, publication.payload);
            // A person's command is a message as a client's is.
            let (qos, retain) = (publication.qos, publication.retain);
            home.publish(
                Message { topic, payload, qos, retain, origin: Origin::Live, expires_at: None },
                Some(Arc::clone(&by)),
            );
        }
        Ok(StatusCode::ACCEPTED)
    };
    shared.link.act(act).await?
}

/// `GET /api/inputs`
pub(super) async fn inputs(State(shared): State<Shared>) -> Result<Json<Vec<InputAnswer>>, Problem> {
    Ok(Json(shared.link.ask(|home: &mut HomeView<'_>| InputAnswer::all(home.engine)).await?))
}

/// What an input is to be.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewValue {
    value: serde_json::Value,
}

/// `POST /api/inputs/{name}`: `{ "value": … }`; `null` is its default.
pub(super) async fn set_input(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Json<NewValue>, JsonRejection>,
) -> Result<Json<InputAnswer>, Problem> {
    let Json(NewValue { value }) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    let value = Value::from_json(value);
    let by = who(&headers);
    let act = move |home: &mut EventLoop| {
        let inputs = home.view().engine.inputs().clone();
        let Some(input) = inputs.get(&*name) else {
            let near =
                nearest(&name, inputs.keys().map(|name| &**name)).map(|near| format!("; did you mean `{near}`?"));
            return Err(Problem::not_found(format!("there is no input `{name}`{}", near.unwrap_or_default())));
        };
        let payload = if value.is_null() {
            Payload::default()
        } else {
            let value = input.kind.accept(&value);
            let value = value.map_err(|why| Problem::bad_request(format!("the input `{name}` {why}")))?;
            Payload::from_value(&input.kind.wire(&value))
        };
        let topic = Topic::parse(&format!("homerule/input/{name}/set"));
        let topic = topic.map_err(|error| Problem::bad_request(error.to_string()))?;
        let (qos, origin) = (Qos::AtLeastOnce, Origin::Live);
        home.publish(Message { topic, payload, qos, retain: false, origin, expires_at: None }, Some(by));
        Ok(InputAnswer::new(home.view().engine, input))
    };
    shared.link.act(act).await?.map(Json)
}

/// Returns who asks, as messages name their clients: browsers say that a page does.
fn who(headers: &HeaderMap) -> Arc<str> {
    if headers.contains_key("sec-fetch-site") { PAGE } else { HTTP }.into()
}

/// Returns the device that a name or id means.
pub(super) fn find(engine: &Engine, text: &str) -> Result<Arc<Device>, Problem> {
    let registry = engine.registry();
    match registry.find(text) {
        Found::One(device) => Ok(Arc::clone(device)),
        Found::Several(several) => {
            let labels: Vec<String> = several.iter().map(|device| format!("`{}`", registry.label(device))).collect();
            let detail = format!("several devices are called `{text}`: name one of {}", labels.join(", "));
            Err(Problem::bad_request(detail))
        }
        Found::None(near) => {
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(Problem::not_found(format!("no device is called `{text}`{near}")))
        }
    }
}

fn said(engine: &Engine, device: &Device, property: &str) -> Option<Value> {
    let topic = engine.devices().get(&device.id)?.topic(property)?;
    let state = engine.states().get(topic.as_str())?;
    Some(state.payload.value().clone()).filter(|value| !value.is_null())
}
