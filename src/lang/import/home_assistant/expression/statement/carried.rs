//! A loop whose items aren't known: what its namespaces become, as one value from all items.

use super::super::literal::is_name;
use super::super::render::{Piece, as_expression};
use super::super::translator::{Refusal, Translator, refuse};
use super::super::written::{Kind, Written, common, level};
use super::each::{LONGEST, Loop, set_names};

/// A variable that a loop carries from one item to the next.
struct Carried {
    /// `ns.count`.
    name: String,
    /// The member of what is carried, where that is more than one.
    member: String,
    first: Written,
    kind: Kind,
}

/// What the body of a loop makes of one item.
struct Turn {
    /// What each variable becomes.
    values: Vec<Written>,
    /// What it writes.
    pieces: Vec<Piece>,
    /// Whether the item is taken, where that isn't known before.
    is_taken: Option<Written>,
}

impl Translator<'_> {
    /// Translates a loop whose items aren't known: what its namespaces become, as one value from all items.
    pub(super) fn carried_on(&mut self, turns: &Loop<'_>) -> Result<Vec<Piece>, Refusal> {
        let (list, item) = self.items(turns)?;
        let mut carried = self.carried(turns)?;
        let so_far = if self.loops == 0 { "so_far".to_owned() } else { format!("so_far_{}", self.loops) };
        let before = self.locals.len();
        self.loops += 1;
        let made = self.settled(turns, &mut carried, &so_far, &item);
        self.loops -= 1;
        self.locals.truncate(before);
        let Turn { values, pieces, is_taken } = made?;
        let listed = match (&turns.condition, &is_taken) {
            (Some(_), Some(taken)) if !taken.text.contains(&so_far) => {
                format!("{}.filter(|{}| {})", list.at(level::ATOM), turns.parameter(), taken.text)
            }
            _ => list.at(level::ATOM),
        };
        let said = as_expression(&pieces).as_text();
        let is_blank = pieces.iter().all(|piece| matches!(piece, Piece::Text(text) if text.trim().is_empty()));
        let says = pieces.iter().any(|piece| *piece != Piece::Text(String::new()));
        let mut members: Vec<(String, String, String)> = carried
            .iter()
            .zip(&values)
            .map(|(one, value)| (one.member.clone(), value.text.clone(), one.first.text.clone()))
            .collect();
        if says {
            let text = Written::new(&*said, Kind::Text, level::SUM).at(level::SUM);
            members.push(("text".to_owned(), format!("{so_far}.text + {text}"), "''".to_owned()));
        }
        let turn = format!("{so_far}.turn");
        if members.iter().any(|(_, value, _)| value.contains(&turn)) {
            members.push(("turn".to_owned(), format!("{turn} + 1"), "0".to_owned()));
        }
        let all = format!("{so_far}.all");
        if members.iter().any(|(_, value, _)| value.contains(&all)) {
            members.push(("all".to_owned(), all.clone(), format!("{listed}.len()")));
        }
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let is_asked = is_taken.filter(|taken| taken.text.contains(&so_far));
        let whole = reduction(&listed, turns.parameter(), &so_far, &members, is_asked.as_ref());
        if whole.len() > LONGEST {
            return refuse(turns.list.at, "the expression would be far too long");
        }
        let of = |member: &str| if members.len() == 1 { whole.clone() } else { format!("{whole}.{member}") };
        for one in carried {
            self.locals.push((one.name.clone(), Written::atom(of(&one.member), one.kind)));
        }
        let text = Written::atom(of("text"), Kind::Text);
        Ok(match (says, is_blank) {
            (false, _) => Vec::new(),
            (true, true) => vec![Piece::Space(text)],
            (true, false) => vec![Piece::Value(text)],
        })
    }

    /// Returns the variables of namespaces that a loop sets, and what each was before.
    fn carried(&self, turns: &Loop<'_>) -> Result<Vec<Carried>, Refusal> {
        let mut names = Vec::new();
        set_names(turns.parts, &mut names);
        let mut found: Vec<Carried> = Vec::new();
        for name in names {
            let Some((namespace, member)) = name.split_once('.') else { continue };
            let value = |name: &str| self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
            if value(namespace).is_none_or(|known| known.kind != Kind::Namespace) {
                continue;
            }
            let first = value(&name).cloned().unwrap_or_else(|| Written::atom("()", Kind::Undefined));
            let Some(first) = plain_value(&first) else {
                return refuse(turns.list.at, format!("`{name}` can't be carried through a loop: it isn't a value"));
            };
            let is_taken = |member: &str| {
                matches!(member, "text" | "turn" | "all") || found.iter().any(|known| known.member == member)
            };
            let mut member = if is_name(member) { member.to_owned() } else { format!("{member}_") };
            while is_taken(&member) {
                member.push('_');
            }
            let kind = first.kind.clone();
            found.push(Carried { name, member, first, kind });
        }
        Ok(found)
    }

    /// Translates the body until the kinds of what it carries stay the same.
    fn settled(
        &mut self,
        turns: &Loop<'_>,
        carried: &mut [Carried],
        so_far: &str,
        item: &Kind,
    ) -> Result<Turn, Refusal> {
        let before = self.locals.len();
        loop {
            self.locals.truncate(before);
            for one in carried.iter() {
                let value = Written::atom(format!("{so_far}.{}", one.member), one.kind.clone());
                self.locals.push((one.name.clone(), value));
            }
            self.locals.extend(turns.bound(item.clone()));
            let condition = turns.condition.map(|condition| self.expression(condition)).transpose()?;
            let is_taken = condition.map(|condition| condition.as_bool());
            self.locals.extend(counted_loop(so_far));
            let pieces = self.pieces(turns.parts, 1)?;
            let (mut values, mut is_settled) = (Vec::new(), true);
            for one in carried.iter_mut() {
                let value = self.locals.iter().rev().find(|(name, _)| *name == one.name).map(|(_, value)| value);
                let Some(value) = value.and_then(plain_value) else {
                    return refuse(turns.list.at, format!("`{}` can't be carried through a loop", one.name));
                };
                let kind = common(&[&one.kind, &value.kind]);
                is_settled &= kind == one.kind;
                one.kind = kind;
                values.push(value);
            }
            if is_settled {
                return Ok(Turn { values, pieces, is_taken });
            }
        }
    }
}

/// Returns what a list becomes, one item after another.
fn reduction(
    list: &str,
    parameter: &str,
    so_far: &str,
    members: &[(String, String, String)],
    is_asked: Option<&Written>,
) -> String {
    let (value, first) = match members {
        [(member, value, first)] => (value.replace(&format!("{so_far}.{member}"), so_far), first.clone()),
        several => {
            let of = |each: &dyn Fn(&(String, String, String)) -> String| {
                let all: Vec<String> = several.iter().map(each).collect();
                format!("#{{ {} }}", all.join(", "))
            };
            (
                of(&|(member, value, _)| format!("{member}: {value}")),
                of(&|(member, _, first)| format!("{member}: {first}")),
            )
        }
    };
    let value = match (is_asked, members) {
        (None, _) => value,
        (Some(asked), [(member, ..)]) => {
            let asked = asked.text.replace(&format!("{so_far}.{member}"), so_far);
            format!("if {asked} {{ {value} }} else {{ {so_far} }}")
        }
        (Some(asked), _) => format!("if {} {{ {value} }} else {{ {so_far} }}", asked.text),
    };
    format!("{list}.reduce(|{so_far}, {parameter}| {value}, {first})")
}

/// Returns a value that can be carried through a loop: what isn't one here has no text of its own.
fn plain_value(written: &Written) -> Option<Written> {
    let kind = match &written.kind {
        Kind::None | Kind::Undefined => Kind::Any,
        Kind::Reading(_) => return Some(Written::atom(written.as_text(), Kind::Text)),
        Kind::Records => Kind::List,
        Kind::Record => Kind::Map,
        Kind::State(_)
        | Kind::States(_)
        | Kind::Fired(_)
        | Kind::Root(_)
        | Kind::Domain(_)
        | Kind::Namespace
        | Kind::Loop(..) => return None,
        plain => plain.clone(),
    };
    Some(Written::new(&*written.text, kind, written.level))
}

/// Returns `loop.…` of a loop that carries what it needs.
fn counted_loop(so_far: &str) -> Vec<(String, Written)> {
    let turn = format!("{so_far}.turn");
    let all = format!("{so_far}.all");
    let number = |text: String, level: u8| Written::new(text, Kind::Int, level);
    let same = |text: String| Written::new(text, Kind::Bool, level::COMPARE);
    [
        ("loop.index", number(format!("{turn} + 1"), level::SUM)),
        ("loop.index0", number(turn.clone(), level::ATOM)),
        ("loop.length", number(all.clone(), level::ATOM)),
        ("loop.revindex", number(format!("{all} - {turn}"), level::SUM)),
        ("loop.first", same(format!("{turn} == 0"))),
        ("loop.last", same(format!("{turn} + 1 == {all}"))),
    ]
    .map(|(name, written)| (name.to_owned(), written))
    .into()
}
