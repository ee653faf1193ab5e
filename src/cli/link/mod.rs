//! Whom commands speak to: a broker, or a daemon that runs.

pub(super) mod broker_address;
pub(super) mod daemon_client;
pub(super) mod home_zone;
