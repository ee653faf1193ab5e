//! The action `notify`: makes a notice for each target, and goes on.

use crate::engine::action::act::Act;
use crate::engine::action::next::Next;
use crate::engine::action::publish;
use crate::engine::effect::Effect;
use crate::engine::instant::later;
use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Name, Value, format_size};
use crate::rules::{Notify, Target, TargetKind};
use crate::script::{Failure, Template};

use super::deliver::{ask, request, shown};
use super::notice::{Notice, NoticeButton};

/// How many bytes a notification may have.
const LARGEST: usize = 16 << 10;

/// Tells people something. Each target is tried.
///
/// # Errors
/// When a template fails, or a notification can't be queued for one of the targets.
pub(crate) fn act(act: &mut Act<'_>, notify: &Notify) -> Result<Next, Failure> {
    let targets = targets(act, &notify.targets)?;
    let notice = notice(act, notify)?;
    let mut failures = Vec::new();
    for target in targets {
        match tell(act, Notice { target: target.clone(), ..notice.clone() }) {
            Ok(Next::GoOn) => {}
            Ok(other) => return Ok(other),
            Err(failure) => failures.push((target, failure)),
        }
    }
    match failures.as_slice() {
        [] => Ok(Next::GoOn),
        [(target, failure)] => Err(at_action(act, format!("`{target}` isn't notified: {}", failure.message))),
        several => {
            let texts: Vec<String> =
                several.iter().map(|(target, failure)| format!("`{target}`: {}", failure.message)).collect();
            Err(at_action(act, format!("these aren't notified: {}", texts.join("; "))))
        }
    }
}

/// Returns the names of the targets.
fn targets(act: &mut Act<'_>, targets: &Template) -> Result<Vec<Name>, Failure> {
    let value = act.evaluate(|engine, scope, reads| engine.render(scope, targets, reads))?;
    let wrong =
        |act: &Act<'_>| at_action(act, format!("`notify` takes the name of a target, or a list of them, not {value}"));
    match &value {
        Value::Text(name) => Ok(vec![name.clone()]),
        Value::List(names) => {
            let names: Option<Vec<Name>> = names.iter().map(|name| name.as_text().map(Name::from)).collect();
            names.ok_or_else(|| wrong(act))
        }
        _ => Err(wrong(act)),
    }
}

/// Returns what is told, to nobody yet.
fn notice(act: &mut Act<'_>, notify: &Notify) -> Result<Notice, Failure> {
    let message = act.evaluate(|engine, scope, reads| engine.text(scope, &notify.message, reads))?;
    let title = value(act, notify.title.as_ref())?;
    let title = if title.is_null() { String::new() } else { title.to_string() };
    let priority = match value(act, notify.priority.as_ref())? {
        Value::Null => None,
        given => Some(
            priority(&given)
                .ok_or_else(|| at_action(act, format!("`priority` is a whole number from 1 to 5, not {given}")))?,
        ),
    };
    let tags = match value(act, notify.tags.as_ref())? {
        Value::Null => Vec::new(),
        Value::List(tags) => tags.iter().map(ToString::to_string).collect(),
        tag => vec![tag.to_string()],
    };
    let mut buttons = Vec::new();
    for button in &notify.buttons {
        let text = act.evaluate(|engine, scope, reads| engine.text(scope, &button.text, reads))?;
        let webhook = act.evaluate(|engine, scope, reads| engine.text(scope, &button.webhook, reads))?;
        buttons.push(NoticeButton { text, webhook: webhook.into() });
    }
    let (rule, at) = (act.at.rule.id.clone(), act.at.core.now());
    let notice = Notice { target: Name::from(""), rule, at, title, message, priority, tags, buttons };
    if notice.size() > LARGEST {
        let (size, most) = (format_size(notice.size()), format_size(LARGEST));
        return Err(at_action(act, format!("a notification holds {most} at most, and this one has {size}")));
    }
    Ok(notice)
}

fn value(act: &mut Act<'_>, template: Option<&Template>) -> Result<Value, Failure> {
    let Some(template) = template else { return Ok(Value::Null) };
    act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))
}

fn priority(value: &Value) -> Option<u8> {
    let Value::Int(priority @ 1..=5) = value else { return None };
    u8::try_from(*priority).ok()
}

/// Tells one target.
fn tell(act: &mut Act<'_>, notice: Notice) -> Result<Next, Failure> {
    let targets = act.at.core.notices.targets.clone();
    let unknown = || Failure::plain(format!("homerule.yaml has no target `{}` under `notify`", notice.target));
    let target = targets.get(&notice.target).ok_or_else(unknown)?.clone();
    let result = StepResult::Notified {
        target: notice.target.clone(),
        title: notice.title.clone(),
        message: notice.message.clone(),
    };
    if act.at.rule.dry_run {
        act.note(StepKind::Notify, StepResult::Would(Box::new(result)));
        return Ok(Next::GoOn);
    }
    match &target.kind {
        TargetKind::Publish(publish) => {
            act.note(StepKind::Notify, result);
            let id = act.at.core.notices.add(notice.clone(), None);
            let urls: Vec<Option<String>> =
                shown(act.at.core, id, &notice).into_iter().map(|shown| shown.url).collect();
            let next = act.with_locals(notice.variables(&urls), |act| {
                publish::publish_all(act, std::slice::from_ref(&**publish))
            })?;
            if let Next::GoOn = next {
                act.at.core.effects.push(Effect::Notify { notice, is_published: true });
            }
            act.at.core.notices.look();
            Ok(next)
        }
        TargetKind::Ntfy(_) | TargetKind::Telegram(_) | TargetKind::Http(_) => {
            hand_over(act, &target, notice)?;
            act.note(StepKind::Notify, result);
            Ok(Next::GoOn)
        }
    }
}

/// Lets a notice wait for its target.
fn hand_over(act: &mut Act<'_>, target: &Target, notice: Notice) -> Result<(), Failure> {
    if let Some(why) = act.at.core.notices.is_full_for(&notice.rule) {
        return Err(Failure::plain(why));
    }
    if let Some(most) = target.most_buttons().filter(|most| notice.buttons.len() > *most) {
        return Err(Failure::plain(format!("it shows at most {most} buttons, and these are {}", notice.buttons.len())));
    }
    // What is wrong with a target's texts is a mistake that the run tells.
    request(act.at.core, target, 0, &notice)?;
    let give_up_at = later(notice.at, target.give_up);
    act.at.core.notices.add(notice.clone(), Some(give_up_at));
    act.at.core.effects.push(Effect::Notify { notice, is_published: false });
    ask(act.at.core, &target.name);
    Ok(())
}

/// Returns a failure at the place of the action.
fn at_action(act: &Act<'_>, message: String) -> Failure {
    Failure { place: Some(act.action.place.clone()), ..Failure::plain(message) }
}
