//! What the loop does for rules in the shadow: tells them what it tells those in force. It waits for nothing that they do.

use tracing::{error, info};

use crate::daemon::files::reload::Loaded;
use crate::daemon::home::input::Input;
use crate::engine::Event;
use crate::model::history::Recall;

use super::EventLoop;

impl EventLoop {
    /// Tells the rules in the shadow what happened.
    pub(super) fn tell_shadow(&self, event: &Event) {
        if let Some(shadow) = &self.shadow {
            shadow.tell(self.now.wall, event);
        }
    }

    /// Puts the files of the shadow that changed there. What is wrong with them is told, and is nothing to the rules in force.
    pub(super) fn reload_shadow(&mut self, loaded: Loaded) {
        let Some(shadow) = &mut self.shadow else { return };
        let Some(changed) = shadow.change_there(loaded) else { return };
        for finding in shadow.findings().iter().filter(|finding| finding.is_error()) {
            error!("In the shadow: {}: {}", finding.place(), finding.message);
        }
        info!("Rules in the shadow reloaded: {changed}.");
        self.look_at_needs();
    }

    /// Finds what was recorded of a topic, for rules in the shadow.
    pub(in crate::daemon) fn recall_for_shadow(&mut self, recall: Recall) {
        let search = self.observers.recorder.search();
        self.parts.outside.recall(recall, search, Input::RecalledInShadow);
    }
}
