//! The view of topics: level by level, or those that a filter matches.

use maud::{Markup, html};

use crate::api::StateAnswer;
use crate::api::view::Branch;
use crate::page::Look;
use crate::page::shown::{counted, encoded, one_line, payload, topic_address, topic_link};

/// The view of topics.
pub struct TopicsPage<'a> {
    /// How many topics there are.
    pub all: usize,
    /// The levels that are looked below, with the `/` after them; empty: all.
    pub under: &'a str,
    /// What is below them.
    pub branches: &'a [Branch],
    /// The topics of the branches that are topics, or that the filter matches.
    pub states: &'a [StateAnswer],
    /// The filter; empty: none.
    pub filter: &'a str,
    /// What is wrong with it.
    pub trouble: Option<&'a str>,
    /// How many topics it matches.
    pub found: usize,
    /// The topic after which the next page begins; `None`: there's no more.
    pub next: Option<&'a str>,
}

/// Returns the view.
#[must_use]
pub fn topics(look: &Look, view: &TopicsPage<'_>) -> Markup {
    html! {
        h1 { "Topics " span.count { (view.all) } }
        form.filter method="get" action="/topics" role="search" {
            label { span { "Filter" } input type="search" name="filter" value=(view.filter) placeholder="home/+/light or home/#" autocomplete="off"
                aria-describedby=[view.trouble.map(|_| "trouble")]; }
            button type="submit" { "Search" }
            @if !view.filter.is_empty() { a.quiet href="/topics" { "All topics" } }
        }
        @if let Some(trouble) = view.trouble { p.card.problem #trouble { (crate::page::shown::prose(trouble)) } }
        @if view.filter.is_empty() { (tree(look, view)) } @else if view.trouble.is_none() { (matches(look, view)) }
    }
}

fn tree(look: &Look, view: &TopicsPage<'_>) -> Markup {
    let below = |branch: &Branch| -> Vec<&StateAnswer> {
        let prefix = format!("{}/", branch.path);
        view.states.iter().filter(|state| state.topic.starts_with(&prefix)).collect()
    };
    html! {
        @if !view.under.is_empty() { (crumbs(view.under)) }
        @if view.branches.is_empty() {
            p.card.calm { "No topic has been heard of here yet." }
        } @else {
            div.branches.card {
                @for branch in view.branches {
                    @let inner = if branch.below > 0 { below(branch) } else { Vec::new() };
                    @if branch.below > 0 && inner.len() == branch.below {
                        details id={ "b-" (encoded(&branch.path)) } open {
                            summary { code { bdi { (one_line(&branch.name)) "/" } } " " span.muted { (counted(branch.below, "topic")) } }
                            ul.rows.topics { @for state in inner { (leaf(look, state, state.topic.strip_prefix(&branch.path).and_then(|rest| rest.strip_prefix('/')))) } }
                        }
                        @if let Some(state) = itself(view, branch) { ul.rows.topics { (leaf(look, state, None)) } }
                    } @else {
                        ul.rows.topics { (closed(look, view, branch)) }
                    }
                }
            }
        }
    }
}

fn itself<'a>(view: &'a TopicsPage<'_>, branch: &Branch) -> Option<&'a StateAnswer> {
    view.states.iter().find(|state| branch.is_topic && state.topic == branch.path)
}

/// Returns a topic with its value; `name`: how it's called here, if not in full.
fn leaf(look: &Look, state: &StateAnswer, name: Option<&str>) -> Markup {
    html! {
        li {
            span.what { a.topic href=(topic_address(&state.topic)) { bdi { (one_line(name.unwrap_or(&state.topic))) } } }
            span.value { (payload(state.told())) }
            span.times { (look.age(state.at)) }
        }
    }
}

/// Returns a branch that one goes to to see what's below.
fn closed(look: &Look, view: &TopicsPage<'_>, branch: &Branch) -> Markup {
    let state = itself(view, branch);
    html! {
        li {
            span.what {
                @if branch.below > 0 {
                    a.branch href={ "/topics?under=" (encoded(&format!("{}/", branch.path))) } { bdi { (one_line(&branch.name)) "/" } }
                    " " span.muted { (counted(branch.below, "topic")) }
                    @if branch.is_topic { " · " a.topic href=(topic_address(&branch.path)) { "itself" } }
                } @else {
                    a.topic href=(topic_address(&branch.path)) { bdi { (one_line(&branch.name)) } }
                }
            }
            span.value { @if let Some(state) = state { (payload(state.told())) } }
            span.times { (look.age(state.map_or(branch.at, |state| state.at))) }
        }
    }
}

fn crumbs(under: &str) -> Markup {
    let levels: Vec<&str> = under.trim_end_matches('/').split('/').collect();
    let upto = |index: usize| -> String { levels.iter().take(index + 1).flat_map(|level| [*level, "/"]).collect() };
    html! {
        nav.crumbs aria-label="Levels" {
            a href="/topics" { "All topics" }
            @for (index, level) in levels.iter().enumerate() {
                " / "
                @if index + 1 == levels.len() { span aria-current="page" { (one_line(level)) } }
                @else { a href={ "/topics?under=" (encoded(&upto(index))) } { (one_line(level)) } }
            }
        }
    }
}

fn matches(look: &Look, view: &TopicsPage<'_>) -> Markup {
    html! {
        p.muted { (counted(view.found, "topic")) " found" }
        @if view.states.is_empty() {
            p.card.calm { "No topic that has been heard of matches this filter." }
        } @else {
            ul.rows.topics.card {
                @for state in view.states {
                    li {
                        span.what { (topic_link(&state.topic)) }
                        span.value { (payload(state.told())) }
                        span.times { (look.age(state.at)) }
                    }
                }
            }
            @if let Some(next) = view.next {
                nav.pager aria-label="Pages" { a rel="next" href={ "/topics?filter=" (encoded(view.filter)) "&after=" (encoded(next)) } { "More" } }
            }
        }
    }
}
