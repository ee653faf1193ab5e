//! Decodes the actions that decide what else runs: `wait`, `if`, `choose`, `repeat`, `parallel`.

use crate::lang::reader::fields::Fields;
use crate::lang::reader::file_span;
use crate::lang::reader::foreign::Place;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::lang::{Applies, Code};
use crate::model::Value;
use crate::rules::{ActionKind, Branch, Case, OnTimeout, RepeatKind, Until, Wait, WaitFor};

use crate::lang::rule_file::action::awaited::Awaited;
use crate::lang::rule_file::conditions::CONDITION_WORDS;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::trigger::{TRIGGER_WORDS, optional};

impl Decoder<'_> {
    /// Returns the action `wait`.
    pub(in crate::lang::rule_file) fn wait(&mut self, fields: &mut Fields<'_>, path: &str) -> Option<ActionKind> {
        let entry = fields.take_entry("wait")?;
        let (node, word) = (&entry.value, file_span(&entry.key, 0..entry.key.as_str().len()));
        let word = (self.text.get(word.clone()) == "wait").then_some(word);
        let path_of_wait = format!("{path}.wait");
        let what = match node.get("until") {
            Some(until) => {
                let mut inner = Fields::of(node, "`wait`", &self.reader.text, &mut self.reader.findings)?;
                inner.allow(&["until"]);
                inner.finish(&mut self.reader.findings);
                self.until(until, &format!("{path_of_wait}.until")).map(|until| match until {
                    Until::Condition(condition) => WaitFor::Until(condition),
                    Until::Triggers(triggers) => WaitFor::Triggers(triggers),
                    Until::Formed(formed) => WaitFor::Formed(formed),
                })
            }
            None if is_duration(node) => {
                let text = node.as_scalar().map_or("", |scalar| scalar.text.as_str()).to_owned();
                let span = self.mark(node);
                let found =
                    self.findings.error(Code::WRONG_TYPE, span, "`wait` waits for a trigger, not for a duration");
                found.help(format!("write `delay: {text}`"));
                if let Some(word) = word {
                    found.fix(word, "delay", Applies::Safe);
                }
                None
            }
            None => self.awaited(node, &path_of_wait).map(|awaited| match awaited {
                Awaited::Fixed(triggers) => WaitFor::Triggers(triggers),
                Awaited::Formed(formed) => WaitFor::Formed(formed),
            }),
        };
        let timeout = fields.take("timeout").map(|node| self.duration_template(node));
        let on_timeout = fields.take_entry("on_timeout").map(|entry| {
            if timeout.is_none() {
                let message = "`on_timeout` has no effect without `timeout`";
                self.findings.warning(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            }
            self.on_timeout(&entry.value, path)
        });
        Some(ActionKind::Wait(Wait {
            what: what?,
            timeout: optional(timeout)?,
            on_timeout: optional(on_timeout)?.unwrap_or_default(),
        }))
    }

    fn on_timeout(&mut self, node: &Node, path: &str) -> Option<OnTimeout> {
        if node.as_scalar().is_some() {
            return self.word(node, &[("stop", OnTimeout::Stop), ("continue", OnTimeout::Continue)]);
        }
        self.block(node, &format!("{path}.on_timeout")).map(OnTimeout::Do)
    }

    /// Returns what `until` says: text is an expression, and a map is a trigger unless it can only be a condition.
    fn until(&mut self, node: &Node, path: &str) -> Option<Until> {
        let is_trigger = |node: &Node| {
            node.as_map().is_some_and(|entries| {
                let is = |words: &[&str]| entries.iter().any(|entry| words.contains(&entry.key.as_str()));
                let is_sun_up = node.get("sun").is_some_and(|sun| {
                    sun.as_scalar().is_some_and(|scalar| matches!(scalar.text.as_str(), "up" | "down"))
                });
                is(&TRIGGER_WORDS) && !is_sun_up || !is(&CONDITION_WORDS)
            })
        };
        let has_triggers = match &node.kind {
            NodeKind::Scalar(_) | NodeKind::Closure(_) => false,
            NodeKind::Map(_) => is_trigger(node),
            NodeKind::List(items) => items.iter().any(is_trigger),
        };
        if has_triggers {
            return self.awaited(node, path).map(|awaited| match awaited {
                Awaited::Fixed(triggers) => Until::Triggers(triggers),
                Awaited::Formed(formed) => Until::Formed(formed),
            });
        }
        self.condition(node, path).map(Until::Condition)
    }

    /// Returns the action `if`.
    pub(in crate::lang::rule_file) fn if_action(&mut self, fields: &mut Fields<'_>, path: &str) -> Option<ActionKind> {
        let condition = fields.take("if").and_then(|node| self.condition(node, &format!("{path}.if")));
        let then = fields.need("then", &self.reader.text);
        let then = then.and_then(|node| self.block(node, &format!("{path}.then")));
        let otherwise = fields.take("else").map(|node| self.block(node, &format!("{path}.else")));
        Some(ActionKind::If { condition: condition?, then: then?, otherwise: optional(otherwise)? })
    }

    /// Returns the action `choose`, in both of its forms.
    pub(in crate::lang::rule_file) fn choose(&mut self, fields: &mut Fields<'_>, path: &str) -> Option<ActionKind> {
        let node = fields.take("choose")?;
        let kind = match &node.kind {
            NodeKind::List(items) => {
                let each = items.iter().enumerate();
                let branches: Vec<_> =
                    each.map(|(index, item)| self.branch(item, &format!("{path}.choose[{index}]"))).collect();
                let branches = branches.into_iter().collect::<Option<Vec<_>>>();
                branches.map(|branches| ActionKind::Choose { branches, otherwise: None })
            }
            NodeKind::Scalar(_) => {
                let on = self.expression(node);
                let cases = fields.need("cases", &self.reader.text);
                let cases = cases.and_then(|node| self.cases(node, path));
                on.and_then(|on| Some(ActionKind::ChooseCase { on, cases: cases?, otherwise: None }))
            }
            NodeKind::Map(_) | NodeKind::Closure(_) => {
                self.wrong_type(node, "a list of `{ if: …, then: … }`, or an expression with `cases` next to it");
                None
            }
        };
        let block = fields.take("else").map(|node| self.block(node, &format!("{path}.else")));
        let block = optional(block)?;
        match kind? {
            ActionKind::Choose { branches, .. } => Some(ActionKind::Choose { branches, otherwise: block }),
            ActionKind::ChooseCase { on, cases, .. } => Some(ActionKind::ChooseCase { on, cases, otherwise: block }),
            other => Some(other),
        }
    }

    fn branch(&mut self, node: &Node, path: &str) -> Option<Branch> {
        let mut fields =
            Fields::of(node, "a branch of `choose`", &self.reader.text, &mut self.reader.findings)?.at(Place::Action);
        let condition = fields.need("if", &self.reader.text);
        let condition = condition.and_then(|node| self.condition(node, &format!("{path}.if")));
        let then = fields.need("then", &self.reader.text);
        let then = then.and_then(|node| self.block(node, &format!("{path}.then")));
        fields.finish(&mut self.reader.findings);
        Some(Branch { condition: condition?, then: then? })
    }

    fn cases(&mut self, node: &Node, path: &str) -> Option<Vec<Case>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of values to actions (`cases: { ON: …, OFF: … }`)");
            return None;
        };
        let cases: Vec<_> = entries
            .iter()
            .map(|entry| {
                let then = self.block(&entry.value, &format!("{path}.cases.{}", entry.key.as_str()))?;
                Some(Case { value: entry.key_value.clone(), then })
            })
            .collect();
        cases.into_iter().collect()
    }

    /// Returns the action `repeat`.
    pub(in crate::lang::rule_file) fn repeat(&mut self, fields: &mut Fields<'_>, path: &str) -> Option<ActionKind> {
        let node = fields.take("repeat")?;
        let body = fields.need("do", &self.reader.text);
        if node.as_map().is_none() {
            self.wrong_type(node, "a map: `{ times: 3 }` (or `while`, `until`, `each`, `every`)");
            return None;
        }
        let kind = self.repeat_kind(node, &format!("{path}.repeat"));
        let body = body.and_then(|node| self.block(node, &format!("{path}.do")));
        Some(ActionKind::Repeat { kind: kind?, body: body? })
    }

    fn repeat_kind(&mut self, node: &Node, path: &str) -> Option<RepeatKind> {
        let mut fields = Fields::of(node, "`repeat`", &self.reader.text, &mut self.reader.findings)?.at(Place::Action);
        let given: Vec<&str> =
            ["times", "while", "each", "every", "until"].into_iter().filter(|word| fields.has(word)).collect();
        let kind = match given.as_slice() {
            ["times"] => fields.take("times").and_then(|node| self.times(node)),
            ["while"] => {
                let condition = fields.take("while").and_then(|node| self.condition(node, &format!("{path}.while")));
                condition.map(RepeatKind::While)
            }
            ["until"] => {
                let condition = fields.take("until").and_then(|node| self.condition(node, &format!("{path}.until")));
                condition.map(RepeatKind::Until)
            }
            ["each"] => fields.take("each").and_then(|node| self.list_template(node)),
            ["every", ..] if given.iter().all(|word| matches!(*word, "every" | "until")) => {
                let interval = fields.take("every").and_then(|node| self.duration_template(node));
                let until = fields.need("until", &self.reader.text);
                let until = until.and_then(|node| self.until(node, &format!("{path}.until")));
                interval.and_then(|interval| Some(RepeatKind::Every { interval, until: until? }))
            }
            [] => {
                let span = self.mark(node);
                let message = "`repeat` needs one of `times`, `while`, `until`, `each` and `every`";
                self.findings.error(Code::MISSING_KEY, span, message);
                None
            }
            [first, second, ..] => {
                let help = "a `repeat` has one of them; only `every` and `until` go together";
                fields.conflict(first, second, help, &mut self.reader.findings);
                None
            }
            [_] => None,
        };
        fields.allow(&["times", "while", "until", "each", "every"]);
        fields.finish(&mut self.reader.findings);
        kind
    }

    fn times(&mut self, node: &Node) -> Option<RepeatKind> {
        let template = self.template(node)?;
        match template.as_constant() {
            None => Some(RepeatKind::Times(template)),
            Some(_) => {
                self.integer(node, 0..u64::MAX)?;
                Some(RepeatKind::Times(template))
            }
        }
    }

    fn list_template(&mut self, node: &Node) -> Option<RepeatKind> {
        let template = self.template(node)?;
        if template.as_constant().is_some_and(|value| !matches!(value, Value::List(_))) {
            self.wrong_type(node, "a list, or `\"${…}\"` that returns one");
            return None;
        }
        Some(RepeatKind::Each(template))
    }

    /// Returns the action `parallel`.
    pub(in crate::lang::rule_file) fn parallel(&mut self, fields: &mut Fields<'_>, path: &str) -> Option<ActionKind> {
        let node = fields.take("parallel")?;
        let NodeKind::List(items) = &node.kind else {
            self.wrong_type(node, "a list of lists of actions");
            return None;
        };
        let each = items.iter().enumerate();
        let blocks: Vec<_> = each.map(|(index, item)| self.block(item, &format!("{path}.parallel[{index}]"))).collect();
        blocks.into_iter().collect::<Option<_>>().map(ActionKind::Parallel)
    }
}

fn is_duration(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| crate::model::parse_duration(scalar.text.as_str()).is_ok())
}
