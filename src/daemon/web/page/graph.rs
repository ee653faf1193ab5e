//! The view Graph: a part of the home that one can take in at once.

use axum::extract::{Query, State};
use axum::response::Response;

use crate::analysis::{Picture, Shown};
use crate::api::Drawing;
use crate::api::view::GraphAnswer;
use crate::daemon::web::Shared;
use crate::daemon::web::view::beside;
use crate::daemon::web::view::graph::{Asked, Drawn, look as home_of};
use crate::page::{self, GraphPage, View};

use super::reply::{Refused, Shown as Frame, Visit, look};

/// The most rules of one picture where no part is asked for, and the most boxes of any.
const PAGE: usize = 40;
const MOST: usize = 300;

/// What is shown.
struct Found {
    asked: Asked,
    /// All rules, for those who look for one.
    rules: Vec<String>,
    answer: GraphAnswer,
    drawing: Drawing,
    trouble: Option<String>,
    pages: (usize, usize),
}

/// `GET /graph?rule=&topic=&device=&reach=&page=`
pub(super) async fn graph(
    State(shared): State<Shared>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let home = home_of(&shared).await?;
    let found = beside(move || Found::of(&home.draw(), asked)).await?;
    let look = look(&shared).await?;
    // Only another text of the rules changes it.
    visit.page(look, Frame::new(View::Graph, "Graph", "diagnostics"), move |_| found.markup()).await
}

impl Found {
    fn of(home: &Drawn, asked: Asked) -> Found {
        let rules = home.rules();
        let last = rules.len().div_ceil(PAGE).max(1);
        let is_part = asked.is_part();
        let this = if is_part { 1 } else { asked.page.unwrap_or(1).clamp(1, last) };
        let (picture, trouble) = if is_part {
            let asked = Asked { most: Some(asked.most.unwrap_or(MOST).min(MOST)), ..asked.clone() };
            match home.picture(&asked) {
                Ok(picture) => (picture, None),
                Err(problem) => (Picture::default(), Some(problem.detail().to_owned())),
            }
        } else if last == 1 {
            (home.part(&Shown { most: MOST, ..Shown::default() }), None)
        } else {
            let of_page = rules.iter().skip((this - 1) * PAGE).take(PAGE).cloned().collect();
            (home.part(&Shown { rules: of_page, reach: 1, most: MOST, ..Shown::default() }), None)
        };
        let pages = (this, if is_part { 1 } else { last });
        Found { answer: GraphAnswer::new(&picture), drawing: picture.draw(), asked, rules, trouble, pages }
    }

    fn markup(&self) -> maud::Markup {
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        let (rule, topic, device) = (given(&self.asked.rule), given(&self.asked.topic), given(&self.asked.device));
        page::graph(&GraphPage {
            answer: &self.answer,
            drawing: &self.drawing,
            rules: &self.rules,
            rule: &rule,
            topic: &topic,
            device: &device,
            reach: self.asked.reach.unwrap_or(Shown::default().reach),
            is_part: self.asked.is_part(),
            trouble: self.trouble.as_deref(),
            pages: self.pages,
        })
    }
}
