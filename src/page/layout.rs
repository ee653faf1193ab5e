//! What stands around each view: the head, the ways to the other views, what is said of the connection.

use maud::{DOCTYPE, Markup, html};

use super::Look;
use super::shown::{one_line, prose};

/// The views that the ways lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What is wrong, what waits, what happened.
    Now,
    /// The rules.
    Rules,
    /// The devices.
    Devices,
    /// What people set by hand.
    Inputs,
    /// The topics.
    Topics,
    /// What rules did over time.
    Timeline,
    /// What rules read and write.
    Graph,
    /// Another text for a file, tried.
    Try,
    /// Rules that run beside those in force.
    Shadow,
}

impl View {
    const ALL: [(View, &'static str, &'static str); 9] = [
        (View::Now, "/", "Now"),
        (View::Rules, "/rules", "Rules"),
        (View::Devices, "/devices", "Devices"),
        (View::Inputs, "/inputs", "Inputs"),
        (View::Topics, "/topics", "Topics"),
        (View::Timeline, "/timeline", "Timeline"),
        (View::Graph, "/graph", "Graph"),
        (View::Try, "/try", "Try"),
        (View::Shadow, "/shadow", "Shadow"),
    ];
}

/// What stands around a view.
pub struct Frame<'a> {
    /// When and where the page is made.
    pub look: &'a Look,
    /// The view, or the one that it's below.
    pub view: View,
    /// The page's title.
    pub title: String,
    /// The kinds of events that change it, as `/api/events` names them; none: it stays as it is.
    pub live: &'a str,
    /// The topic that it's about: messages on others don't change it.
    pub topic: Option<&'a str>,
    /// Whether somebody signed in with the token.
    pub is_signed_in: bool,
}

impl Frame<'_> {
    /// Returns whether a way leads to a view: not to one with nothing in it.
    fn has(&self, view: View) -> bool {
        view != View::Shadow || self.view == view || self.look.has_shadow
    }
}

/// Returns a whole page.
#[must_use]
pub fn page(frame: &Frame<'_>, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" data-now=(frame.look.now.to_string()) data-shown=(frame.look.clock()) {
            (head(&frame.title))
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" { (mark()) span { "homerule" } }
                    nav.views aria-label="Views" {
                        @for (view, address, name) in View::ALL.into_iter().filter(|(view, ..)| frame.has(*view)) {
                            a href=(address) aria-current=[(view == frame.view).then_some("page")] { (name) }
                        }
                    }
                    div.tools {
                        span #link .link title="Connection to the daemon" { span.dot {} span.words { "" } }
                        button #theme .quiet type="button" hidden { "Light or dark" }
                        @if frame.is_signed_in {
                            form method="post" action="/logout" { button.quiet type="submit" { "Sign out" } }
                        }
                    }
                }
                div #cut .banner role="status" hidden {}
                noscript {
                    p.banner {
                        "Without JavaScript this page shows how things are when it's loaded: load it again for news. "
                        code { "homerule status" } ", " code { "homerule why TOPIC" } " and " code { "homerule why-not RULE" }
                        " tell the same on the command line."
                    }
                }
                main #main tabindex="-1" data-live=(frame.live) data-topic=[frame.topic] { (body) }
                p #said .unseen role="status" aria-live="polite" {}
                div #notes .notes role="status" aria-live="polite" {}
            }
        }
    };
    markup.into_string()
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (one_line(title)) " · homerule" }
            link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
            link rel="stylesheet" href="/assets/page.css";
            script src="/assets/theme.js" {}
            script type="module" src="/assets/page.js" {}
        }
    }
}

/// Returns the sign of the program.
fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
            path.roof d="M3 11.5 12 4l9 7.5" {}
            path.wall d="M6 10.5V20h12v-9.5" {}
            path.tick d="m9 14.5 2.2 2.2 4-4.4" {}
        }
    }
}

/// Returns the page that asks for the token.
#[must_use]
pub fn sign_in_page(wrong: Option<&str>, back: &str) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head("Sign in"))
            body.alone {
                main #main tabindex="-1" {
                    form.card.sign-in method="post" action="/login" {
                        h1 { (mark()) " homerule" }
                        @if let Some(wrong) = wrong {
                            p.wrong role="alert" #wrong { (wrong) }
                        }
                        label for="token" { "Token" }
                        input #token type="password" name="token" autocomplete="current-password" required
                            aria-describedby=[wrong.map(|_| "wrong")];
                        input type="hidden" name="back" value=(back);
                        p.muted { "It's in the file that " code { "web.token_file" } " in homerule.yaml names." }
                        button.main type="submit" { "Sign in" }
                    }
                }
            }
        }
    };
    markup.into_string()
}

/// Returns the page that says what is wrong with a request.
#[must_use]
pub fn problem_page(title: &str, detail: &str) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.alone {
                main #main tabindex="-1" {
                    div.card {
                        h1 { (title) }
                        p { (prose(detail)) }
                        p { a href="/" { "What is going on now" } " · " a href="/rules" { "Rules" } " · " a href="/topics" { "Topics" } }
                    }
                }
            }
        }
    };
    markup.into_string()
}
