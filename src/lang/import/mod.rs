//! Other systems' configurations, as settings of homerule.

pub mod mosquitto;
mod options;
