//! The end of a wait for devices, however it ends.

use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::trace::RunId;

use super::confirming::Confirming;

/// Takes back what a thread waited for, since it ends.
pub(crate) fn release(core: &mut Core, id: LiveId, run: RunId, thread: u32, confirming: Option<&Confirming>) {
    if let Some(confirming) = confirming {
        core.deadlines.set(id, Due::Confirm(run, thread), None);
        core.devices.waiters.remove(run, thread, confirming);
    }
}
