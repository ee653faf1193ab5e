//! Tells what happened as a story: what devices said, what time passed, what rules did.

use crate::explain::{LocalTime, payload_text};
use crate::model::format_duration;

use super::Found;
use super::journal::{Act, Entry};
use super::world::{Home, Outcome, Published, World};

/// Returns the story of what was found, a line each.
pub(super) fn tell(home: &Home, found: &Found) -> Vec<String> {
    let time = LocalTime::since(home.options.calendar.zone.clone(), found.journal.start);
    let mut lines = vec![format!("{}  the home starts", time.text(found.journal.start))];
    let mut world = World::start(home, found.journal.start);
    for entry in &found.journal.entries {
        world.note_outcomes();
        world.apply(entry);
        let said = |outcome: &Outcome| {
            let at = match outcome {
                Outcome::Published(Published { at, .. }) | Outcome::Answered { at, .. } => *at,
            };
            (at, format!("{}    {}", time.text(at), self::outcome(outcome)))
        };
        let outcomes: Vec<_> = world.outcomes.take().unwrap_or_default().iter().map(said).collect();
        let told = format!("{}  {}", time.text(world.now), act(entry));
        // What fell due on the way comes before what happens then.
        let (before, after): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(at, _)| *at < world.now);
        lines.extend(before.into_iter().map(|(_, line)| line));
        lines.push(told);
        lines.extend(after.into_iter().map(|(_, line)| line));
    }
    lines
}

/// Returns what came out, in words.
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Published(Published { by, topic, payload, .. }) => {
            format!("the rule `{by}` publishes {} to `{topic}`", payload_text(payload))
        }
        Outcome::Answered { topic, payload, .. } => format!("`{topic}` answers {}", payload_text(payload)),
    }
}

fn act(entry: &Entry) -> String {
    match &entry.act {
        Act::Say { topic, payload, retain } => {
            let retained = if *retain { ", retained" } else { "" };
            format!("`{topic}` says {}{retained}", payload_text(payload))
        }
        Act::Pass => format!("{} later", format_duration(entry.after)),
        Act::Restart(down) => format!("the daemon was stopped, and starts again after {}", format_duration(*down)),
        Act::Kill(down) => format!("the daemon was killed, and starts again after {}", format_duration(*down)),
        Act::Reload => "the rules are read again".to_owned(),
        Act::Webhook(name) => format!("the hook `{name}` is called"),
        Act::Client(id, true) => format!("the client `{id}` connects"),
        Act::Client(id, false) => format!("the client `{id}` goes"),
    }
}
