//! The words of scripts that stand for what is read anew wherever they stand (`memory`, `now`, `sun`), and what is done
//! with `()` in their texts.

use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString};

use crate::model::Value;
use crate::script::devices::inputs;
use crate::script::evaluation::convert::to_dynamic;
use crate::script::evaluation::loan::Loan;
use crate::script::evaluation::moment::{Moment, SunNow};
use crate::script::evaluation::refusal::{Refusal, refuse};

/// Registers them.
pub(in crate::script) fn register(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    engine.register_fn("to_string", move |(): ()| -> Result<ImmutableString, Refusal> {
        // An expression has no call: its texts are put together elsewhere.
        let _ = lent.with_call(|call| {
            call.has_gap = true;
            Ok(())
        });
        Ok(ImmutableString::new())
    });
    register_globals(engine, loan);
}

/// No closure captures them.
fn register_globals(engine: &mut Engine, loan: &Loan) {
    let lent = loan.clone();
    global(engine, "memory", move || {
        lent.with(|lent| {
            lent.reads.memory = true;
            Ok(())
        })?;
        let memory = lent.with_call(|call| Ok(Value::Map(Arc::clone(&call.memory))))?;
        to_dynamic(&memory, None, usize::MAX).map_err(|error| refuse(&format!("can't read `memory`: {error}")))
    });
    let lent = loan.clone();
    global(engine, "now", move || {
        lent.with(|lent| {
            lent.reads.clock = true;
            Ok(Dynamic::from(Moment(lent.world.local())))
        })
    });
    let lent = loan.clone();
    global(engine, "inputs", move || {
        lent.with(|lent| {
            let values = inputs::values(&lent.world, None, &mut lent.reads);
            to_dynamic(&values, None, usize::MAX).map_err(|error| refuse(&format!("can't read `inputs`: {error}")))
        })
    });
    let lent = loan.clone();
    global(engine, "sun", move || {
        lent.with(|lent| {
            (lent.reads.clock, lent.reads.sun) = (true, true);
            let sun = SunNow { now: lent.world.now, calendar: Arc::new(lent.world.calendar.clone()) };
            Ok(Dynamic::from(sun))
        })
    });
}

/// Makes `name` a word of the language that gives what `read` gives.
fn global(
    engine: &mut Engine,
    name: &'static str,
    read: impl Fn() -> Result<Dynamic, Refusal> + Send + Sync + 'static,
) {
    let registered = engine.register_custom_syntax([name], false, move |_, _| read());
    debug_assert!(registered.is_ok(), "`{name}` can be a word");
}
