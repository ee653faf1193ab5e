//! What is refused as a whole: a rule that does nothing, with the original as a comment.

use crate::lang::Code;
use crate::lang::import::home_assistant::report::Reason;
use crate::lang::import::home_assistant::translate::action::flow::block;
use crate::lang::import::home_assistant::translate::helper::nothing;
use crate::lang::import::home_assistant::translate::rule::{Made, Source, head};
use crate::lang::import::home_assistant::translate::work::{Work, quoted_lines};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Comment, Node, Place};

/// Refuses an automation or a script as a whole.
pub(in crate::lang::import::home_assistant) fn refused(
    source: Source<'_>,
    original: &Node,
    key: &str,
    comments: Vec<Comment>,
    reason: Reason,
) -> Made {
    let mut work = source.work(original, key, comments);
    let above = work.take_comments(&original.place, false);
    refused_whole(&mut work, original, key, above, reason)
}

/// Refuses what Home Assistant refuses as a whole.
pub(in crate::lang::import::home_assistant::translate) fn refused_whole_at(
    work: &mut Work<'_>,
    original: &Node,
    above: Vec<String>,
    (place, reason): (Place, String),
) -> Made {
    let reason = Reason::new(Code::REFUSED_THERE_TOO, reason);
    let key = work.scope.rule.clone();
    let made = refused_whole(work, original, &key, above, reason);
    let mut refused = made.refused;
    if place.file == original.place.file
        && let Some(first) = refused.first_mut()
        && let Some((_, said)) = first.text.clone().split_once(": ")
    {
        first.text = format!("line {}: {said}", place.line);
    }
    Made { refused, ..made }
}

/// Returns a rule that does nothing, with the original as a comment.
pub(in crate::lang::import::home_assistant::translate) fn refused_whole(
    work: &mut Work<'_>,
    original: &Node,
    key: &str,
    mut above: Vec<String>,
    reason: Reason,
) -> Made {
    work.take_comments(&original.place, true);
    above.push(format!("not taken over: {}", reason.text));
    above.extend(quoted_lines(work.files, &original.place));
    work.refused.push((original.place.clone(), reason));
    let mut keys = head(work, original);
    keys.push(("when".to_owned(), nothing()));
    keys.push(("then".to_owned(), block(Vec::new())));
    let rules = vec![(key.to_owned(), Doc::Map(keys).noted(above))];
    work.made(rules, key)
}
