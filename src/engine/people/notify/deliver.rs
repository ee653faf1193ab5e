//! Deliveries: asks for one at a time of each target, and decides what its answer leads to.

use jiff::Timestamp;

use crate::engine::core::Core;
use crate::engine::effect::{Alert, AlertKind, Effect, HttpCall, RequestId};
use crate::engine::event::Answer;
use crate::engine::often::loop_guard;
use crate::model::{MASK, Name, RuleId, format_duration};
use crate::rules::{LogLevel, Target, TargetKind};
use crate::script::Failure;

use super::answer::Verdict;
use super::call::{Shown, call_of, url_of};
use super::notice::{Notice, Undelivered};
use super::notices::Waiting;
use super::queue::Queue;

/// How much of a message is shown where it's told that nobody got it.
const SHOWN: usize = 100;

/// At a start, and where targets have changed: asks for what waits.
pub(crate) fn begin(core: &mut Core) {
    let targets: Vec<Name> = core.notices.waiting.values().map(|waiting| waiting.notice.target.clone()).collect();
    for target in targets {
        ask(core, &target);
    }
}

/// Does what is due.
pub(crate) fn fire(core: &mut Core) {
    let now = core.now();
    core.notices.forget(now);
    let targets: Vec<Name> = core.notices.queues().map(|(name, _)| name.clone()).collect();
    for target in &targets {
        ask(core, target);
    }
    let on_its_way =
        |id: u64| core.notices.queues().any(|(_, queue)| queue.in_flight().is_some_and(|(_, on)| on == id));
    let over: Vec<u64> = core
        .notices
        .waiting
        .iter()
        .filter(|(id, waiting)| waiting.give_up_at <= now && !on_its_way(**id))
        .map(|(id, _)| *id)
        .collect();
    for id in over {
        give_up(core, id, None);
    }
    core.notices.look();
}

/// Asks for the next delivery to a target, if it may be asked now.
pub(super) fn ask(core: &mut Core, name: &Name) {
    while core.notices.queue(name).is_none_or(|queue| queue.is_free(core.now())) {
        let Some((id, notice)) = next(core, name) else { break };
        match call(core, id, &notice) {
            Ok(call) => {
                let request = core.runs.next_request();
                let rule = notice.rule.clone();
                core.notices.edit_queue(name, |queue| queue.leaves(request, id, rule.maker()));
                core.notices.edit(id, |waiting| waiting.attempts = waiting.attempts.saturating_add(1));
                core.notices.counts.attempts += 1;
                core.effects.push(Effect::Deliver { request, rule, target: name.clone(), call });
            }
            Err(reason) => give_up(core, id, Some(reason)),
        }
    }
    core.notices.look();
}

/// Returns the notice that is next for a target: of the rule that has waited longest for a turn, what failed before last.
fn next(core: &Core, name: &Name) -> Option<(u64, Notice)> {
    let now = core.now();
    let queue = core.notices.queue(name);
    let turn = |rule: &RuleId| queue.map_or(0, |queue| queue.turn_of(&rule.maker()));
    let waiting = core.notices.waiting.iter().filter(|(_, waiting)| waiting.notice.target == *name);
    let still = waiting.filter(|(_, waiting)| waiting.give_up_at > now || waiting.attempts == 0);
    let (id, waiting) = still.min_by_key(|(id, waiting)| (turn(&waiting.notice.rule), waiting.setbacks, **id))?;
    Some((*id, waiting.notice.clone()))
}

/// Returns the request that tells a notice.
fn call(core: &mut Core, id: u64, notice: &Notice) -> Result<HttpCall, String> {
    let targets = core.notices.targets.clone();
    let target = targets.get(&notice.target).ok_or_else(|| "homerule.yaml names this target no more".to_owned())?;
    let made = request(core, target, id, notice);
    made.map_err(|failure| failure.message)?.ok_or_else(|| "this target has become a topic".to_owned())
}

/// Returns the request that tells a notice to `target`; `None`: it isn't told by one.
///
/// # Errors
/// When a text of the target can't be evaluated, or its address isn't allowed.
pub(super) fn request(core: &mut Core, target: &Target, id: u64, notice: &Notice) -> Result<Option<HttpCall>, Failure> {
    let shown = shown(core, id, notice);
    let call = call_of(&mut core.evaluator, &target.kind, notice, &shown)?;
    if let Some(call) = call.as_ref().filter(|call| !core.notices.targets.allows(target, &call.url)) {
        let address = match &target.kind {
            TargetKind::Http(_) => call.url.clone(),
            TargetKind::Ntfy(_) | TargetKind::Telegram(_) | TargetKind::Publish(_) => target.address(),
        };
        return Err(Failure::plain(format!("`allow.http` in homerule.yaml has no pattern for {address}")));
    }
    Ok(call)
}

/// Returns the buttons of a notice as they're shown.
pub(super) fn shown(core: &Core, id: u64, notice: &Notice) -> Vec<Shown> {
    let public = core.notices.targets.public_url.as_deref();
    let button = |(index, button): (usize, &super::notice::NoticeButton)| {
        let key = core.notices.key(id, index);
        let url = public.map(|public| url_of(public, &button.webhook, &key));
        Shown { key, url }
    };
    notice.buttons.iter().enumerate().map(button).collect()
}

/// A delivery has ended. Returns whether it was one.
pub(crate) fn answered(core: &mut Core, request: RequestId, answer: &Answer) -> bool {
    let found = core.notices.queues().find_map(|(name, queue)| {
        let (asked, id) = queue.in_flight()?;
        (asked == request).then(|| (name.clone(), id))
    });
    let Some((name, id)) = found else { return false };
    let now = core.now();
    let target = core.notices.targets.get(&name).cloned();
    let verdict = match &target {
        Some(target) => Verdict::of(&target.kind, answer.clone()),
        None => Verdict::Never("homerule.yaml names this target no more".to_owned()),
    };
    match verdict {
        Verdict::Taken => {
            core.notices.edit_queue(&name, Queue::answered);
            if core.notices.remove(id).is_some() {
                core.notices.counts.delivered += 1;
            }
        }
        Verdict::Never(reason) => {
            core.notices.edit_queue(&name, Queue::answered);
            give_up(core, id, Some(reason));
        }
        Verdict::Again { reason, pause, may_be_its_fault } => {
            core.notices.edit_queue(&name, |queue| queue.failed(now, pause));
            failed(core, id, target.as_deref(), reason, may_be_its_fault);
        }
    }
    ask(core, &name);
    true
}

/// A delivery failed, and may work another time.
fn failed(core: &mut Core, id: u64, target: Option<&Target>, reason: String, may_be_its_fault: bool) {
    let reason = masked(core, target, reason);
    let now = core.now();
    let Some(waiting) = core.notices.waiting.get(&id) else { return };
    let is_first = waiting.attempts == 1;
    let is_over = waiting.give_up_at <= now;
    let (rule, name) = (waiting.notice.rule.clone(), waiting.notice.target.clone());
    core.notices.edit(id, |waiting| {
        waiting.setbacks += u32::from(may_be_its_fault);
        waiting.failure = Some(reason.clone());
    });
    if is_over {
        give_up(core, id, None);
    } else if is_first {
        let text = format!("The notification to `{name}` isn't delivered yet: {reason}. It's tried again.");
        core.log(Some(&rule), LogLevel::Warn, text);
    }
}

/// Gives a notice up, and tells that; `reason` is `None` where its time is over.
fn give_up(core: &mut Core, id: u64, reason: Option<String>) {
    let Some(Waiting { notice, attempts, failure, .. }) = core.notices.remove(id) else { return };
    let target = core.notices.targets.get(&notice.target).cloned();
    let now = core.now();
    let reason = match reason {
        Some(reason) => masked(core, target.as_deref(), reason),
        None => given_up_after(&notice, now, attempts, failure.as_deref()),
    };
    let said: String = notice.message.chars().take(SHOWN).collect();
    let dots = if said.len() < notice.message.len() { "…" } else { "" };
    let mut message = format!("the notification \"{said}{dots}\" to `{}` wasn't delivered: {reason}", notice.target);
    if let Some(masked) = core.secrets.mask_text(&message) {
        message = masked;
    }
    let rule = notice.rule.clone();
    core.notices.give_up(id, Undelivered { notice, at: now, attempts, reason });
    core.log(Some(&rule), LogLevel::Error, message.clone());
    loop_guard::raise_alert(core, Alert { kind: AlertKind::NotDelivered, rule: Some(rule), invariant: None, message });
}

fn given_up_after(notice: &Notice, now: Timestamp, attempts: u32, failure: Option<&str>) -> String {
    let after = std::time::Duration::try_from(now.duration_since(notice.at)).unwrap_or_default();
    let after = format_duration(std::time::Duration::from_secs(after.as_secs()));
    let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
    let last = failure.map_or(String::new(), |failure| format!("; at the last one: {failure}"));
    format!("given up after {after} and {times}{last}")
}

/// Returns what went wrong without what lets us in.
fn masked(core: &Core, target: Option<&Target>, reason: String) -> String {
    let token = match target.map(|target| &target.kind) {
        Some(TargetKind::Telegram(telegram)) => Some(&telegram.token),
        Some(TargetKind::Ntfy(ntfy)) => ntfy.token.as_ref(),
        Some(TargetKind::Publish(_) | TargetKind::Http(_)) | None => None,
    };
    let reason = token.map_or(reason.clone(), |token| reason.replace(&**token, MASK));
    core.secrets.mask_text(&reason).unwrap_or(reason)
}
