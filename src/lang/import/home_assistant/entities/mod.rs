//! Entities: what each of Home Assistant's entity ids is here, and how it is read.

mod attribute;
mod codec;
mod entities_file;
mod entity;
mod guess;
mod home;
mod json_light;
mod known;
mod registries;

pub(super) use codec::{Codec, payload_value};
pub(super) use entities_file::{read_file, write_file};
pub(super) use entity::{Entity, Field, InputKind, Source, TopicEntity};
pub(super) use home::Home;
pub use known::{KnownDevice, KnownProperty};
pub(super) use registries::Registries;
