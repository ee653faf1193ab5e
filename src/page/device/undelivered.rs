//! Notifications that nobody got, beneath the inputs.

use maud::{Markup, html};

use crate::api::UndeliveredNotification;
use crate::page::Look;
use crate::page::shown::{one_line, prose, rule_link};

/// Returns the list; nothing where all were delivered.
pub(super) fn undelivered(look: &Look, all: &[UndeliveredNotification]) -> Markup {
    html! {
        @if !all.is_empty() {
            section #undelivered aria-labelledby="undelivered-title" {
                h2 #undelivered-title { "Notifications that weren't delivered " span.count.bad { (all.len()) } }
                ul.cards { @for one in all { li.card.problem { (row(look, one)) } } }
            }
        }
    }
}

fn row(look: &Look, one: &UndeliveredNotification) -> Markup {
    html! {
        p.head {
            span.kind { bdi { (one_line(&one.target)) } }
            " " (rule_link(&one.rule))
            span.end { (look.when(one.at)) }
        }
        p {
            @if !one.title.is_empty() { strong { bdi { (one_line(&one.title)) } } " " }
            bdi { (one_line(&one.message)) }
        }
        p.muted { (prose(&one.reason)) }
    }
}
