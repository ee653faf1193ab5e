//! Other systems' configurations, as settings and rules of homerule.

pub mod home_assistant;
pub mod mosquitto;
mod options;
