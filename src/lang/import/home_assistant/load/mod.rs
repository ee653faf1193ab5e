//! Loading: the files of a configuration, with what they include, as one tree.

mod blueprint;
mod configuration;
mod folder;
mod include;
mod package;

pub(super) use blueprint::expand;
pub(super) use configuration::storage_items;
pub(super) use configuration::{Configuration, Helper, load};
pub use folder::{Fetched, Folder};
pub(super) use include::{Loaded as LoadedFile, Loader};
