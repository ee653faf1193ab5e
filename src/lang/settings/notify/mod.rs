//! What homerule.yaml says of notifications: `notify`.

mod decoder;
mod templates;
