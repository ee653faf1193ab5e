//! The views of devices and inputs.

use axum::extract::{Path, State};
use axum::response::Response;

use crate::api::{DeviceAnswer, DevicesAnswer, InputAnswer, UndeliveredNotification};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::{Shared, devices};
use crate::page::{self, View};

use super::reply::{Refused, Shown, Visit, look};

/// What changes these views.
const LIVE: &str = "message publish";

/// `GET /devices`
pub(super) async fn list(State(shared): State<Shared>, visit: Visit) -> Result<Response, Refused> {
    let found = shared.link.ask(|home: &mut HomeView<'_>| DevicesAnswer::new(home.engine, home.now)).await?;
    let look = look(&shared).await?;
    visit.page(look, Shown::new(View::Devices, "Devices", LIVE), move |look| page::devices(look, &found)).await
}

/// `GET /devices/{id}`: by id or name.
pub(super) async fn one(
    State(shared): State<Shared>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let question = move |home: &mut HomeView<'_>| {
        let device = devices::find(home.engine, &id)?;
        Ok::<DeviceAnswer, Problem>(DeviceAnswer::new(home.engine, &device, home.now))
    };
    let device = shared.link.ask(question).await??;
    let look = look(&shared).await?;
    let shown = Shown::new(View::Devices, device.label.to_string(), LIVE);
    visit.page(look, shown, move |look| page::device(look, &device)).await
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
