//! Notifications as programs read them: how many wait, and which weren't delivered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::Engine;

/// How notifications stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct NotificationStatus {
    /// How many wait for their target.
    pub waiting: usize,
    /// How many were delivered since the start.
    pub delivered: u64,
    /// How many were given up since the start.
    pub given_up: u64,
    /// How many deliveries were tried since the start.
    pub attempts: u64,
    /// The last ones that weren't delivered, the newest first; those of a week.
    pub undelivered: Vec<UndeliveredNotification>,
}

/// A notification that nobody got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndeliveredNotification {
    /// The target.
    #[schema(example = "phone")]
    pub target: String,
    /// The rule that told it.
    #[schema(example = "washer:done")]
    pub rule: String,
    /// When it was told.
    pub told_at: Timestamp,
    /// When it was given up.
    pub at: Timestamp,
    /// Its title; empty where it has none.
    pub title: String,
    /// What was to be told.
    #[schema(example = "The washing is done.")]
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up, in words.
    #[schema(example = "given up after 1h and 19 attempts; at the last one: it answered 503")]
    pub reason: String,
}

impl NotificationStatus {
    /// Returns how notifications stand; `None` where there is no target, and nothing to tell.
    #[must_use]
    pub fn of(engine: &Engine) -> Option<NotificationStatus> {
        let view = engine.notices();
        let undelivered = UndeliveredNotification::all(engine);
        (view.has_targets || !undelivered.is_empty()).then_some(NotificationStatus {
            waiting: view.waiting,
            delivered: view.delivered,
            given_up: view.given_up,
            attempts: view.attempts,
            undelivered,
        })
    }
}

impl UndeliveredNotification {
    /// Returns the last ones, the newest first, without secrets.
    #[must_use]
    pub fn all(engine: &Engine) -> Vec<UndeliveredNotification> {
        let secrets = engine.secrets();
        let masked = |text: String| secrets.mask_text(&text).unwrap_or(text);
        let undelivered = engine.notices().undelivered.into_iter().rev();
        undelivered
            .map(|one| UndeliveredNotification {
                target: one.notice.target.to_string(),
                rule: one.notice.rule.to_string(),
                told_at: one.notice.at,
                at: one.at,
                title: masked(one.notice.title),
                message: masked(one.notice.message),
                attempts: one.attempts,
                reason: one.reason,
            })
            .collect()
    }
}
