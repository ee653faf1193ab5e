//! What rules in the shadow decided otherwise.

use axum::Json;
use axum::extract::State;

use crate::api::view::ShadowAnswer;
use crate::daemon::shadow::Shadow;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;

use super::beside;

/// `GET /api/shadow`
pub(in crate::daemon::web) async fn shadow(State(shared): State<Shared>) -> Result<Json<ShadowAnswer>, Problem> {
    let answer = gather(&shared).await?;
    answer.map(Json).ok_or_else(|| {
        Problem::not_found(
            "no rules run in the shadow: name their folder in homerule.yaml, `shadow: { rules: ../new-rules }`, or start with \
             `homerule run --shadow DIR`",
        )
    })
}

/// Returns it; `None` where no rules are in the shadow.
pub(in crate::daemon::web) async fn gather(shared: &Shared) -> Result<Option<ShadowAnswer>, Problem> {
    match shared.link.ask(|home| home.shadow.map(Shadow::asker)).await? {
        Some(ask) => beside(ask).await.map(Some),
        None => Ok(None),
    }
}
