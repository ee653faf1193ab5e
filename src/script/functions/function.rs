//! A function that expressions or scripts may call.

/// The function that puts a text with `${…}` together. No user can write its name.
pub(in crate::script) const JOIN: &str = "__join";

/// The function that gives a variable's value: in its place where a closure reads the variable while another
/// function works on it, which Rhai takes for a race.
pub(in crate::script) const COPY: &str = "__copy";

/// A function.
#[derive(Debug)]
pub(in crate::script) struct Function {
    /// Its name.
    pub(in crate::script) name: &'static str,
    /// How many arguments it takes, the one before the `.` included.
    pub(in crate::script) arity: Arity,
    /// How it is written.
    pub(in crate::script) usage: &'static str,
    /// Whether it reads the world.
    pub(in crate::script) reads_world: bool,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy)]
pub(in crate::script) struct Arity {
    /// At least so many.
    pub(in crate::script) least: usize,
    /// At most so many.
    pub(in crate::script) most: usize,
}

/// Returns a function of homerule, which reads the world.
pub(in crate::script) const fn home(name: &'static str, least: usize, most: usize, usage: &'static str) -> Function {
    Function { name, arity: Arity { least, most }, usage, reads_world: true }
}

/// Returns a function of its arguments alone.
pub(in crate::script) const fn plain(name: &'static str, least: usize, most: usize, usage: &'static str) -> Function {
    Function { name, arity: Arity { least, most }, usage, reads_world: false }
}

impl Arity {
    /// Returns whether so many arguments may be given.
    pub(in crate::script) fn allows(self, given: usize) -> bool {
        (self.least..=self.most).contains(&given)
    }
}

/// Returns in words how many arguments a function takes.
pub(in crate::script) fn arities(arity: Arity) -> String {
    let plural = |number: usize| if number == 1 { "argument" } else { "arguments" };
    match (arity.least, arity.most) {
        (0, 0) => "no arguments".to_owned(),
        (least, most) if least == most => format!("{least} {}", plural(least)),
        (0, 1) => "at most 1 argument".to_owned(),
        (least, most) if most == least + 1 => format!("{least} or {most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}
