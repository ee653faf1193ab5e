//! Constants: names whose values are known when the rules load, from a file's `let` and from `each`.

use crate::model::{Name, RuleId, Value};
use crate::script::{Expression, Failure, Frame, Names, Reads, Sandbox, Template, TextPart, World};

/// Names with their values, in the order in which they were defined.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Constants(Vec<(Name, Value)>);

impl Constants {
    /// Adds a constant; it hides an earlier one of the same name.
    pub(super) fn add(&mut self, name: Name, value: Value) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
    }

    /// Returns the value of `name`.
    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    /// Returns them all, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Name, Value)> {
        self.0.iter()
    }

    /// Returns the names that an expression of constants may read.
    pub(super) fn names(&self) -> Names {
        let mut names = Names::default();
        names.variables.extend(self.0.iter().map(|(name, _)| name.clone()));
        names
    }

    /// Returns the first variable that `template` reads and that is no constant.
    pub(super) fn first_unknown(&self, template: &Template) -> Option<Name> {
        let mut unknown = None;
        visit(template, &mut |expression| {
            let found = expression.variables().iter().find(|name| self.find(name).is_none());
            unknown = unknown.take().or(found.cloned());
        });
        unknown
    }

    /// Evaluates a template that reads nothing but constants, in an empty home.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn render(&self, sandbox: &Sandbox, template: &Template) -> Result<Value, Failure> {
        let rule = RuleId::from_text("");
        let mut reads = Reads::default();
        let variables = |name: &str| self.find(name).cloned().unwrap_or_default();
        let mut frame = Frame { rule: &rule, variables: &variables, entropy: 0, reads: &mut reads };
        sandbox.render(&mut World::default(), template, &mut frame)
    }
}

/// Calls `found` with each expression of `template`.
pub(super) fn visit(template: &Template, found: &mut dyn FnMut(&Expression)) {
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
