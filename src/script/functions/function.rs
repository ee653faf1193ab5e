//! A function that expressions or scripts may call: its row says all there is to know of it.

use rhai::{Engine, Expr, RhaiNativeFunc, Variant};

use crate::script::evaluation::convert::Budget;
use crate::script::evaluation::limits::Limits;
use crate::script::evaluation::loan::Loan;

use super::arguments::{Argument, Call, Mistake};

/// A function. One name may have several rows, where its arguments decide what it does.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one thing whether the function does it")]
pub(in crate::script) struct Function {
    /// Its name.
    pub(in crate::script) name: &'static str,
    /// How many arguments it takes, the one before the `.` included.
    pub(in crate::script) arity: Arity,
    /// How it is written.
    pub(in crate::script) usage: &'static str,
    /// What it gives or does, in a sentence.
    pub(in crate::script) docs: &'static str,
    /// What it does beside giving a value.
    pub(in crate::script) effect: Effect,
    /// The kind of value that it gives whenever it gives one; `None` where that depends on its arguments.
    pub(in crate::script) gives: Option<Kind>,
    /// Whether a value may be nested deeper and deeper by what it calls.
    pub(in crate::script) may_nest: bool,
    /// Whether what it does is a step in the trace of the run, with the place where it was called.
    pub(in crate::script) leaves_step: bool,
    /// Whether it gives its first argument, changed, which in Rhai itself it changes in place.
    pub(in crate::script) gives_changed: bool,
    /// Whether expressions have it too.
    pub(in crate::script) is_in_expressions: bool,
    /// What its first arguments are, where that can be checked.
    takes: &'static [Argument],
    /// Finds what else can't be among arguments that are written out.
    check: fn(Call<'_>) -> Vec<Mistake>,
    /// Registers it; nothing where it is Rhai's own.
    register: fn(&mut Registry<'_>),
}

/// What a function does beside giving a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum Effect {
    /// Nothing: it depends on its arguments alone.
    None,
    /// It reads the home.
    Reads,
    /// It changes its first argument.
    Changes,
    /// It does something in the home.
    Acts,
    /// It makes a rule.
    MakesRules,
}

impl Effect {
    /// Returns whether something outside of the evaluation changes.
    pub(in crate::script) fn acts(self) -> bool {
        match self {
            Effect::None | Effect::Reads | Effect::Changes => false,
            Effect::Acts | Effect::MakesRules => true,
        }
    }
}

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum Kind {
    Text,
    Number,
    Boolean,
    List,
    Map,
    Time,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy)]
pub(in crate::script) struct Arity {
    least: usize,
    most: usize,
}

/// Returns a row for a function that depends on its arguments alone.
pub(in crate::script) const fn function(
    name: &'static str,
    least: usize,
    most: usize,
    usage: &'static str,
    docs: &'static str,
) -> Function {
    Function {
        name,
        arity: Arity { least, most },
        usage,
        docs,
        effect: Effect::None,
        gives: None,
        may_nest: false,
        leaves_step: true,
        gives_changed: false,
        is_in_expressions: true,
        takes: &[],
        check: |_| Vec::new(),
        register: |_| {},
    }
}

impl Function {
    /// It reads the home.
    pub(in crate::script) const fn reads(mut self) -> Function {
        self.effect = Effect::Reads;
        self
    }

    /// It changes its first argument, which only scripts may do.
    pub(in crate::script) const fn changes(mut self) -> Function {
        self.effect = Effect::Changes;
        self.only_in_scripts()
    }

    /// It acts, which only closures may do.
    pub(in crate::script) const fn acts(mut self) -> Function {
        self.effect = Effect::Acts;
        self.only_in_scripts()
    }

    /// It makes a rule, which only a file may do that loads.
    pub(in crate::script) const fn makes_rules(mut self) -> Function {
        self.effect = Effect::MakesRules;
        self.only_in_scripts()
    }

    /// What it does is no step of its own in a trace, with the place where it was called.
    pub(in crate::script) const fn leaves_no_step(mut self) -> Function {
        self.leaves_step = false;
        self
    }

    /// It gives its first argument, changed. In Rhai itself it changes it in place.
    pub(in crate::script) const fn gives_changed(mut self) -> Function {
        self.gives_changed = true;
        self
    }

    /// Only scripts have it.
    pub(in crate::script) const fn only_in_scripts(mut self) -> Function {
        self.is_in_expressions = false;
        self
    }

    /// It gives nothing but values of this kind.
    pub(in crate::script) const fn gives(mut self, kind: Kind) -> Function {
        self.gives = Some(kind);
        self
    }

    /// It may nest a value deeper and deeper.
    pub(in crate::script) const fn may_nest(mut self) -> Function {
        self.may_nest = true;
        self
    }

    /// Its first arguments are these.
    pub(in crate::script) const fn takes(mut self, arguments: &'static [Argument]) -> Function {
        self.takes = arguments;
        self
    }

    /// Arguments that are written out are checked by `check`.
    pub(in crate::script) const fn checked(mut self, check: fn(Call<'_>) -> Vec<Mistake>) -> Function {
        self.check = check;
        self
    }

    /// It is ours, and `register` says what it does.
    pub(in crate::script) const fn by(mut self, register: fn(&mut Registry<'_>)) -> Function {
        self.register = register;
        self
    }

    /// Returns whether its first argument names topics that it reads.
    #[cfg(test)]
    pub(in crate::script) fn reads_topics(&self) -> bool {
        self.effect == Effect::Reads && matches!(self.takes.first(), Some(Argument::Topic | Argument::Filter))
    }

    /// Returns whether a text that it is given is sent or looked up, so that a `${…}` in it is meant to be put in.
    pub(in crate::script) fn takes_texts(&self) -> bool {
        matches!(self.effect, Effect::Reads | Effect::Acts)
    }

    /// Returns what can't be among arguments that are written out.
    pub(in crate::script) fn mistakes(&self, arguments: &[Expr]) -> Vec<Mistake> {
        let call = Call { name: self.name, arguments };
        let typed = self.takes.iter().enumerate().filter_map(|(index, argument)| argument.mistake(call, index));
        typed.chain((self.check)(call)).collect()
    }

    /// Registers it with `engine`.
    pub(in crate::script) fn register(&self, engine: &mut Engine, loan: &Loan, limits: &Limits) {
        (self.register)(&mut Registry { engine, name: self.name, loan, limits });
    }
}

/// Where a function is registered.
pub(in crate::script) struct Registry<'a> {
    engine: &'a mut Engine,
    name: &'static str,
    loan: &'a Loan,
    limits: &'a Limits,
}

impl Registry<'_> {
    /// Registers a version of the function.
    pub(in crate::script) fn add<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        version: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self {
        self.engine.register_fn(self.name, version);
        self
    }

    /// Returns its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns where the function finds what it reads, or acts on.
    pub(in crate::script) fn loan(&self) -> Loan {
        self.loan.clone()
    }

    /// Returns how many bytes a text may have.
    pub(in crate::script) fn text(&self) -> usize {
        self.limits.text
    }

    /// Returns how many items a value may have.
    pub(in crate::script) fn items(&self) -> usize {
        self.limits.items
    }

    /// Returns how much several values may hold together.
    pub(in crate::script) fn budget(&self) -> Budget {
        Budget::of(self.limits)
    }

    /// Returns what it is registered with, for what isn't called by a name.
    pub(in crate::script) fn engine(&mut self) -> &mut Engine {
        self.engine
    }
}

impl Arity {
    /// Returns whether so many arguments may be given.
    pub(in crate::script) fn allows(self, given: usize) -> bool {
        (self.least..=self.most).contains(&given)
    }

    /// Returns in words how many arguments these are.
    pub(in crate::script) fn in_words(self) -> String {
        let plural = |number: usize| if number == 1 { "argument" } else { "arguments" };
        match (self.least, self.most) {
            (0, 0) => "no arguments".to_owned(),
            (least, most) if least == most => format!("{least} {}", plural(least)),
            (0, 1) => "at most 1 argument".to_owned(),
            (least, most) if most == least + 1 => format!("{least} or {most} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        }
    }
}
