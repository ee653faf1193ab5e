//! The view of rules in the shadow.

use axum::extract::State;
use axum::response::Response;

use crate::daemon::web::Shared;
use crate::daemon::web::view::shadow::gather;
use crate::page::{self, View};

use super::reply::{Refused, Shown, Visit, look};

/// `GET /shadow`
pub(super) async fn shadow(State(shared): State<Shared>, visit: Visit) -> Result<Response, Refused> {
    let answer = gather(&shared).await?;
    let shown = Shown::new(View::Shadow, "Shadow", "publish run");
    visit.page(look(&shared).await?, shown, move |look| page::shadow(look, answer.as_ref())).await
}
