//! Constants: names whose values are known when the rules load, from a file's `let` and from `each`.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::model::{Name, RuleId, Value};
use crate::script::{Expression, Failure, Frame, Names, Reads, Sandbox, Template, TextPart, World};

/// Names and their values, in the order in which they were defined.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::lang) struct Constants {
    values: IndexMap<Name, Value>,
    /// Those whose value has a mistake, which is reported: what reads them makes no second one.
    broken: BTreeSet<Name>,
}

impl Constants {
    /// Adds a constant, which hides an earlier one with the same name.
    pub(in crate::lang) fn add(&mut self, name: Name, value: Value) {
        self.values.shift_remove(&name);
        self.broken.remove(&name);
        self.values.insert(name, value);
    }

    /// Adds a constant whose value has a mistake.
    pub(in crate::lang) fn add_broken(&mut self, name: Name) {
        self.add(name.clone(), Value::Null);
        self.broken.insert(name);
    }

    /// Returns whether `template` reads a constant whose value has a mistake.
    pub(in crate::lang) fn breaks(&self, template: &Template) -> bool {
        let mut is_broken = false;
        visit(template, &mut |expression| {
            is_broken |= expression.variables().iter().any(|name| self.broken.contains(name));
        });
        is_broken
    }

    /// Returns the value of `name`.
    pub(in crate::lang) fn find(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Returns them all, in order.
    pub(in crate::lang) fn iter(&self) -> impl Iterator<Item = (&Name, &Value)> {
        self.values.iter()
    }

    /// Returns them all, in order, for a rule to keep.
    pub(in crate::lang) fn pairs(&self) -> Vec<(Name, Value)> {
        self.values.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns the names that an expression may read that only has constants.
    pub(in crate::lang) fn names(&self) -> Names {
        let mut names = Names::default();
        names.variables.extend(self.values.keys().cloned());
        names
    }

    /// Returns the first variable that `template` reads and that isn't a constant.
    pub(in crate::lang) fn first_unknown(&self, template: &Template) -> Option<Name> {
        let mut unknown = None;
        visit(template, &mut |expression| {
            let found = expression.variables().iter().find(|name| self.find(name).is_none());
            unknown = unknown.take().or(found.cloned());
        });
        unknown
    }

    /// Returns whether the value of `template` is known when the rules load.
    pub(in crate::lang) fn fix(&self, sandbox: &Sandbox, template: &Template) -> bool {
        self.first_unknown(template).is_none() && !matches!(self.render(sandbox, template), Err(Unfixed::ReadsHome(_)))
    }

    /// Evaluates a template that only reads constants, in an empty home.
    ///
    /// # Errors
    /// When it fails, and when it asks the home for something.
    pub(in crate::lang) fn render(&self, sandbox: &Sandbox, template: &Template) -> Result<Value, Unfixed> {
        let rule = RuleId::from_text("");
        let mut reads = Reads::default();
        let variables = |name: &str| self.find(name).cloned().unwrap_or_default();
        let mut frame = Frame { rule: &rule, variables: &variables, entropy: 0, reads: &mut reads };
        let value = sandbox.render(&mut World::default(), template, &mut frame);
        match what_is_read(&reads) {
            Some(what) => Err(Unfixed::ReadsHome(what)),
            None => value.map_err(Unfixed::Fails),
        }
    }
}

/// Why a text has no value that is known when the rules load.
#[derive(Debug, Clone)]
pub(in crate::lang) enum Unfixed {
    /// Evaluating it fails.
    Fails(Failure),
    /// It asks for this, which an empty home doesn't have.
    ReadsHome(String),
}

/// Returns what was read from the home first, in words.
fn what_is_read(reads: &Reads) -> Option<String> {
    let topic = reads.topics.iter().map(|topic| format!("the state of `{topic}`"));
    let filter = reads.filters.iter().map(|filter| format!("the state of `{filter}`"));
    let rule = reads.holds.iter().chain(&reads.running).map(|rule| format!("what `{rule}` does"));
    let others = [(reads.clock, "the time"), (reads.sun, "where the sun is"), (reads.random, "what `random()` gives")];
    let others = others.into_iter().filter(|(is_read, _)| *is_read).map(|(_, what)| what.to_owned());
    topic.chain(filter).chain(rule).chain(others).next()
}

/// Calls `found` with each expression of `template`.
pub(in crate::lang) fn visit(template: &Template, found: &mut dyn FnMut(&Expression)) {
    match template {
        Template::Constant(_) => {}
        Template::Expression(expression) => found(expression),
        Template::Text(parts) => {
            for part in parts {
                if let TextPart::Expression(expression) = part {
                    found(expression);
                }
            }
        }
        Template::List(items) => items.iter().for_each(|item| visit(item, found)),
        Template::Map(entries) => {
            for (key, value) in entries {
                visit(key, found);
                visit(value, found);
            }
        }
    }
}
