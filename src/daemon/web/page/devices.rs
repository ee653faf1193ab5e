//! The views of devices and inputs.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::SignedDuration;
use serde::Deserialize;

use crate::api::view::why_links;
use crate::api::{DeviceAnswer, InputAnswer, UndeliveredNotification};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::{Shared, devices, view, why};
use crate::devices::Device;
use crate::engine::Engine;
use crate::model::{Topic, TopicFilter, parse_duration};
use crate::page::{self, DevicePage, DevicesPage, View};

use super::reply::{Refused, Shown, Visit, look};

/// What changes these views.
const LIVE: &str = "message publish";

/// How many devices one page has.
const PAGE: usize = 100;

/// What is searched for among the devices.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    page: Option<usize>,
}

impl Wanted {
    fn is_met(&self, device: &DeviceAnswer) -> bool {
        let text = self.text.trim().to_lowercase();
        let area = device.area.as_deref().unwrap_or_default();
        let texts = [&*device.label, &*device.name, &*device.id, area, device.kind];
        text.is_empty() || texts.iter().any(|field| field.to_lowercase().contains(&text))
    }
}

/// `GET /devices`
pub(super) async fn list(
    State(shared): State<Shared>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refused> {
    let all = devices::all(&shared).await?;
    let look = look(&shared).await?;
    let body = move |look: &page::Look| {
        let found: Vec<&DeviceAnswer> = all.devices.iter().filter(|device| wanted.is_met(device)).collect();
        let last = found.len().div_ceil(PAGE).max(1);
        let this = wanted.page.unwrap_or(1).clamp(1, last);
        let first = (this - 1) * PAGE;
        let shown = found.get(first..(first + PAGE).min(found.len())).unwrap_or_default();
        let (found, pages) = (found.len(), (this, last));
        page::devices(look, &DevicesPage { all: &all, shown, found, text: &wanted.text, pages })
    };
    visit.page(look, Shown::new(View::Devices, "Devices", LIVE), body).await
}

/// What of a device is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    last: String,
}

/// `GET /devices/{id}`: by id or name.
pub(super) async fn one(
    State(shared): State<Shared>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let stretch = if parse_duration(&asked.last).is_ok() { asked.last.clone() } else { "24h".to_owned() };
    let question = move |home: &mut HomeView<'_>| {
        let device = devices::find(home.engine, &id)?;
        let answer = DeviceAnswer::new(home.engine, &device, home.now);
        let told = last_told(home.engine, &device);
        let recorder = home.settings.recorder.is_some();
        Ok::<_, Problem>((device, answer, told, recorder, home.now, home.local_time()))
    };
    let (device, answer, told, is_recorded, now, time) = shared.link.ask(question).await??;
    let length = parse_duration(&stretch).ok().and_then(|length| SignedDuration::try_from(length).ok());
    let from = now.checked_sub(length.unwrap_or_default()).unwrap_or(now);
    let histories = view::device::histories(&shared, Arc::clone(&device), (from, now)).await?;
    let rules = view::device::rules(&shared, &device.id).await?;
    let chain = match told {
        Some(topic) => why::complete_chain(&shared, topic).await.ok(),
        None => None,
    };
    let look = look(&shared).await?;
    let shown = Shown::new(View::Devices, answer.label.to_string(), LIVE);
    let body = move |look: &page::Look| {
        let why = chain.map(|chain| why_links(&chain, &time)).unwrap_or_default();
        let (device, histories, rules) = (&answer, histories.as_slice(), rules.as_slice());
        page::device(look, &DevicePage { device, histories, stretch: &stretch, is_recorded, rules, why: &why })
    };
    visit.page(look, shown, body).await
}

/// Returns the topic on which a device was commanded last.
fn last_told(engine: &Engine, device: &Device) -> Option<Topic> {
    let written = device.properties.iter().filter_map(|property| property.write.as_ref());
    let topics = written.filter_map(|write| device.topics.get(write.topic).and_then(TopicFilter::as_topic));
    let told = topics.filter_map(|topic| Some((engine.states().get(topic.as_str())?.at, topic)));
    told.max_by_key(|(at, _)| *at).map(|(_, topic)| topic)
}

/// `GET /inputs`
pub(super) async fn inputs(State(shared): State<Shared>, visit: Visit) -> Result<Response, Refused> {
    let question = |home: &mut HomeView<'_>| (InputAnswer::all(home.engine), UndeliveredNotification::all(home.engine));
    let (found, undelivered) = shared.link.ask(question).await?;
    let look = look(&shared).await?;
    visit
        .page(look, Shown::new(View::Inputs, "Inputs", LIVE), move |look| page::inputs(look, &found, &undelivered))
        .await
}
