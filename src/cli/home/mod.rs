//! The home that a command is about: its folder, its settings, what was recorded there.

pub(super) mod home_folder;
pub(super) mod known;
pub(super) mod settings_file;
pub(super) mod since;
pub(super) mod zone;
