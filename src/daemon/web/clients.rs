//! The clients of the broker.

use axum::Json;
use axum::extract::State;

use crate::api::ClientAnswer;

use super::Shared;
use super::problem::Problem;

/// `GET /api/clients`: all whose session is known, by their identifiers.
pub(super) async fn clients(State(shared): State<Shared>) -> Result<Json<Vec<ClientAnswer>>, Problem> {
    let clients = shared.link.ask(|home| home.mqtt.broker().map(|broker| broker.clients())).await?;
    let other = || Problem::not_found("this home uses another broker (`broker.url`): ask that for its clients");
    clients.map(Json).ok_or_else(other)
}
