//! The template engine, with Home Assistant's words and our bounds.

use std::cell::RefCell;
use std::io;

use minijinja::value::{Value as Jinja, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::convert::{text_of, to_jinja};
use super::{TemplateError, beginning, filters, methods};
use crate::model::Value;

/// The most steps of one rendering.
const STEPS: u64 = 10_000;

/// The most that one rendering may write, in bytes.
const OUTPUT: usize = 64 * 1024;

/// How many templates are kept compiled; beyond, they are compiled again when they are next needed.
const COMPILED: usize = 20_000;

thread_local! {
    // Only a cache: what a template gives depends on its text and its variables alone.
    static ENVIRONMENT: RefCell<(Environment<'static>, usize)> = RefCell::new((environment(), 0));
}

/// Checks that a template parses.
pub(super) fn check(source: &str) -> Result<(), TemplateError> {
    ENVIRONMENT.with_borrow_mut(|(environment, count)| compile(environment, count, source))
}

/// Renders a template with these variables.
pub(super) fn render(source: &str, variables: &[(&str, Value)]) -> Result<String, TemplateError> {
    ENVIRONMENT.with_borrow_mut(|(environment, count)| {
        if environment.get_template(source).is_err() {
            compile(environment, count, source)?;
        }
        let template = environment.get_template(source).map_err(|error| told(source, &error))?;
        let context: Jinja = variables.iter().map(|(name, value)| ((*name).to_owned(), to_jinja(value))).collect();
        let mut output = Bounded::default();
        match template.render_captured_to(context, &mut output) {
            Ok(_) => String::from_utf8(output.written).map_err(|_| TemplateError::NothingSaid),
            Err(_) if output.is_full => Err(TemplateError::TooMuch(beginning(source))),
            Err(error) => Err(told(source, &error)),
        }
    })
}

fn compile(environment: &mut Environment<'static>, count: &mut usize, source: &str) -> Result<(), TemplateError> {
    if environment.get_template(source).is_ok() {
        return Ok(());
    }
    if *count >= COMPILED {
        environment.clear_templates();
        *count = 0;
    }
    *count += 1;
    environment.add_template_owned(source.to_owned(), source.to_owned()).map_err(|error| TemplateError::Syntax {
        template: beginning(source),
        reason: error.detail().unwrap_or("it isn't Jinja").to_owned(),
    })
}

fn environment() -> Environment<'static> {
    let mut environment: Environment<'static> = Environment::new();
    environment.set_fuel(Some(STEPS));
    environment.set_recursion_limit(50);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(write);
    environment.set_unknown_method_callback(methods::call);
    filters::register(&mut environment);
    environment
}

/// Writes a value as Python does.
fn write(output: &mut Output<'_>, _: &State<'_, '_>, value: &Jinja) -> Result<(), Error> {
    // What is divided by nothing is no number.
    if value.kind() == ValueKind::Number && super::numbers::float(value).is_some_and(f64::is_infinite) {
        return Err(Error::new(ErrorKind::InvalidOperation, "a number beyond all bounds"));
    }
    let is_simple = matches!(value.kind(), ValueKind::String | ValueKind::Undefined);
    let written = if is_simple {
        output.write_str(value.as_str().unwrap_or_default())
    } else {
        output.write_str(&text_of(value))
    };
    written.map_err(Error::from)
}

/// Tells an error of the engine.
fn told(source: &str, error: &Error) -> TemplateError {
    let reason = || error.detail().unwrap_or("it can't be rendered").to_owned();
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::TooManySteps(beginning(source)),
        ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownTest => {
            TemplateError::Unknown { template: beginning(source), reason: reason() }
        }
        ErrorKind::SyntaxError => TemplateError::Syntax { template: beginning(source), reason: reason() },
        _ => TemplateError::NothingSaid,
    }
}

/// What a rendering wrote, up to its bound.
#[derive(Default)]
struct Bounded {
    written: Vec<u8>,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written.len() + bytes.len() > OUTPUT {
            self.is_full = true;
            return Err(io::Error::other("too much output"));
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
