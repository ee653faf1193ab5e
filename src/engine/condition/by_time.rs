//! What time alone says of a condition: for those who ask what will happen if nobody says anything.

use crate::engine::core::Core;
use crate::engine::live::id::LiveId;
use crate::model::Map;
use crate::rules::{Condition, ConditionKind, Start};
use crate::script::Reads;

use super::judge::Judging;
use super::judgement::Judgement;
use super::scope::Scope;

/// What time alone says of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByTime {
    /// It's true, whatever devices say.
    True,
    /// It's false, whatever devices say.
    False,
    /// It depends on more than the time.
    Open,
}

/// What time alone says of a rule's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleByTime {
    /// Of its `while`; `None`: it has none.
    pub start: Option<ByTime>,
    /// Of its `if`; true where it has none.
    pub condition: ByTime,
}

/// Returns what time alone says of the conditions of a rule, now.
pub(crate) fn by_time(core: &mut Core, id: LiveId) -> RuleByTime {
    let rule = core.live.get(id).rule.clone();
    let locals = Map::default();
    let scope = core.scope(id, &rule, None, &locals);
    let start = match &rule.start {
        Start::While(start) => Some(judge(core, &scope, id, &start.condition)),
        Start::When(_) => None,
    };
    let condition = rule.condition.as_ref().map_or(ByTime::True, |condition| judge(core, &scope, id, condition));
    RuleByTime { start, condition }
}

fn judge(core: &mut Core, scope: &Scope<'_>, id: LiveId, condition: &Condition) -> ByTime {
    match &condition.kind {
        ConditionKind::All(parts) => {
            let parts = parts.iter().map(|part| judge(core, scope, id, part));
            combined(parts, ByTime::False, ByTime::True)
        }
        ConditionKind::Any(parts) => {
            let parts = parts.iter().map(|part| judge(core, scope, id, part));
            combined(parts, ByTime::True, ByTime::False)
        }
        ConditionKind::Not(part) => match judge(core, scope, id, part) {
            ByTime::True => ByTime::False,
            ByTime::False => ByTime::True,
            ByTime::Open => ByTime::Open,
        },
        ConditionKind::State(_) | ConditionKind::Device(_) => ByTime::Open,
        ConditionKind::Expression(_) | ConditionKind::Time(_) | ConditionKind::Sun { .. } => {
            let mut judging = Judging::new(scope, core.live.get(id).trackers());
            let judged = core.evaluator.judge(&mut judging, condition);
            match judged {
                _ if !needs_only_time(&judging.reads) => ByTime::Open,
                Judgement::True => ByTime::True,
                Judgement::False(_) => ByTime::False,
                Judgement::Unknown(_) | Judgement::Failed(_) => ByTime::Open,
            }
        }
    }
}

/// Returns `decisive` where one part is that, `otherwise` where all are; else it's open.
fn combined(parts: impl Iterator<Item = ByTime>, decisive: ByTime, otherwise: ByTime) -> ByTime {
    let mut combined = otherwise;
    for part in parts {
        if part == decisive {
            return decisive;
        }
        if part == ByTime::Open {
            combined = ByTime::Open;
        }
    }
    combined
}

fn needs_only_time(reads: &Reads) -> bool {
    let no_topics = reads.topics.is_empty() && reads.filters.is_empty();
    no_topics && reads.holds.is_empty() && reads.running.is_empty() && !reads.memory && !reads.random
}
