//! The sandbox: compiles expressions and evaluates them within limits, with nothing of the machine in reach.
//!
//! Of Rhai's functions only those can be called that [`crate::script::functions`] has: each of them changes nothing, and
//! costs no more than the limits on sizes allow.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, Engine, EvalContext, OptimizationLevel, Scope, Shared};

use crate::model::{PlacedText, RuleId, Value};

use super::convert::{from_dynamic, to_dynamic};
use super::deep_stack::on_deep_stack;
use super::failure::Failure;
use super::limits::{DEEPEST_EXPRESSION, Limits};
use super::loan::{Lent, Loan};
use super::meter::{Interrupter, Meter};
use super::moment;
use super::moment::{Moment, SunNow};
use super::operators;
use super::reads::Reads;
use super::world::World;
use crate::script::devices::inputs;
use crate::script::expression::check::{Checker, Found};
use crate::script::expression::code::{Code, Input};
use crate::script::expression::compiled::Expression;
use crate::script::expression::error::ExpressionError;
use crate::script::expression::names::Names;
use crate::script::expression::rewrite::Rewritten;
use crate::script::expression::simple::Simple;
use crate::script::expression::syntax_error::explain;
use crate::script::expression::template::Template;
use crate::script::functions::internal;
use crate::script::functions::table::in_expressions;
use crate::script::scripts::engine::ScriptEngine;
use crate::script::scripts::libraries::Libraries;

/// Whose evaluation it is, and what it may read beside the world.
pub struct Frame<'a> {
    /// The rule that asks.
    pub rule: &'a RuleId,
    /// The variables of the moment, by name. A name without a value gives `()`.
    pub variables: &'a dyn Fn(&str) -> Value,
    /// What `random()` depends on: the seed, the rule, the message.
    pub entropy: u64,
    /// Takes what the evaluation reads.
    pub reads: &'a mut Reads,
}

/// Compiles and evaluates. Building one takes a fifth of a millisecond: keep it.
pub struct Sandbox {
    pub(in crate::script) limits: Limits,
    engine: Engine,
    pub(in crate::script) loan: Loan,
    pub(in crate::script) meter: Arc<Meter>,
    workspace: Mutex<Workspace>,
    scripts: OnceLock<ScriptEngine>,
    /// What expressions may call of rules/lib.
    pub(in crate::script) libraries: Libraries,
}

/// What evaluations use one after the other, so that it need not be made anew.
#[derive(Default)]
struct Workspace {
    scope: Scope<'static>,
    /// Which function a call means, for the types of its arguments.
    caches: rhai::Caches,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Returns a sandbox with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Sandbox {
        let loan = Loan::default();
        let meter = Arc::new(Meter::new(limits.operations));
        let engine = bounded_engine(&limits, &loan, &meter);
        Sandbox {
            limits,
            engine,
            loan,
            meter,
            workspace: Mutex::default(),
            scripts: OnceLock::new(),
            libraries: Libraries::default(),
        }
    }

    /// Returns what runs scripts. Most homes have none: it is made when it is asked for first.
    pub(in crate::script) fn scripts(&self) -> &ScriptEngine {
        self.scripts.get_or_init(|| {
            let engine = bounded_engine(&self.limits, &self.loan, &self.meter);
            ScriptEngine::new(engine, &self.loan, &self.limits)
        })
    }

    /// Returns what ends an evaluation that takes too long: for a watchdog on another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.meter.interrupter()
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// When it doesn't parse, does what an expression may not, or reads a name that can't exist.
    pub fn compile(&self, source: &PlacedText, names: &Names) -> Result<Expression, ExpressionError> {
        let text = source.as_str();
        let rewritten = Rewritten::new(text)?;
        let ast = self.engine.compile(&rewritten.text).map_err(|error| explain(&error, text, &rewritten))?;
        let (expression, found) = Checker::check(text, &rewritten, names, &self.libraries, &ast)?;
        let inputs = inputs(&found);
        let Found {
            variables,
            rules,
            calendars,
            past,
            devices,
            inputs: named_inputs,
            libraries,
            doubts,
            reads_world,
            has_closures,
            bodies,
            ..
        } = found;
        let code = Code {
            simple: Simple::of(&expression),
            expression,
            closures: has_closures.then(|| ast.shared_lib().clone()),
            bodies,
            variables,
            inputs,
            rules,
            calendars,
            past,
            devices,
            named_inputs,
            doubts,
            libraries: libraries.into_values().collect(),
            reads_world,
            text: OnceLock::new(),
            offsets: rewritten.into_offsets(),
        };
        Ok(Expression { source: source.clone(), code: Arc::new(code) })
    }

    /// Compiles a text that may hold `${EXPR}`; `$${` stands for `${`.
    ///
    /// # Errors
    /// As [`Sandbox::compile`], with the place in the whole text.
    pub fn compile_text(&self, source: &PlacedText, names: &Names) -> Result<Template, ExpressionError> {
        Template::compile(source, |expression| self.compile(expression, names))
    }

    /// Evaluates an expression in `world`, which is lent to it and is the same afterwards.
    ///
    /// # Errors
    /// When it fails or reaches a limit. What it read is in `frame.reads` all the same.
    pub fn evaluate(
        &self,
        world: &mut World,
        expression: &Expression,
        frame: &mut Frame<'_>,
    ) -> Result<Value, Failure> {
        self.draw(world, expression, frame, &mut 0)
    }

    /// Renders a template in `world`.
    ///
    /// # Errors
    /// As [`Sandbox::evaluate`]; if there is `()` within text (docs/language/actions.md); and if the value is too large.
    pub fn render(&self, world: &mut World, template: &Template, frame: &mut Frame<'_>) -> Result<Value, Failure> {
        let mut draws = 0;
        let value =
            template.render(self.limits.text, &mut |expression| self.draw(world, expression, frame, &mut draws))?;
        match self.limits.value().check([&value]) {
            Ok(()) => Ok(value),
            Err(error) => {
                let message = format!("the value is too large: {error}");
                Err(template.expressions().first().map_or_else(
                    || Failure::plain(&message),
                    |expression| Failure::of_expression(expression, &message),
                ))
            }
        }
    }

    /// Evaluates an expression after so many draws of `random()`.
    fn draw(
        &self,
        world: &mut World,
        expression: &Expression,
        frame: &mut Frame<'_>,
        draws: &mut u64,
    ) -> Result<Value, Failure> {
        let code = &*expression.code;
        if let Some(value) = code.simple.as_ref().and_then(|simple| simple.value(frame.variables)) {
            frame.reads.memory |= code.reads_memory();
            return Ok(value);
        }
        let mut reads = Reads::default();
        // The variables may be computed by other evaluations, which need the workspace too: they come first.
        let variables = self.variables(world, expression, frame, &mut reads);
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match variables {
            Err(failure) => Err(failure),
            Ok(variables) if code.reads_world => {
                self.loan.give(Lent {
                    world: std::mem::take(world),
                    reads,
                    rule: frame.rule.clone(),
                    entropy: frame.entropy,
                    draws: *draws,
                    call: None,
                });
                let result = self.run(&mut workspace, expression, variables);
                let lent = self.loan.take();
                reads = Reads::default();
                if let Some(lent) = lent {
                    *world = lent.world;
                    *draws = lent.draws;
                    reads = lent.reads;
                }
                result
            }
            Ok(variables) => self.run(&mut workspace, expression, variables),
        };
        drop(workspace);
        let without_value = reads.without_value.clone();
        frame.reads.merge(reads);
        result.map_err(|failure| Failure { without_value, ..failure })
    }

    /// Returns how many items the variable `name` may have.
    pub(in crate::script) fn most_items(&self, name: &str) -> usize {
        if name == "memory" { usize::MAX } else { self.limits.items }
    }

    /// Returns the values of the variables that the expression reads, in their order.
    fn variables(
        &self,
        world: &World,
        expression: &Expression,
        frame: &Frame<'_>,
        reads: &mut Reads,
    ) -> Result<Vec<Dynamic>, Failure> {
        reads.memory |= expression.code.reads_memory();
        let mut value = |input: &Input| {
            Ok(match input.name.as_ref() {
                "now" => {
                    reads.clock = true;
                    Dynamic::from(Moment(world.local()))
                }
                "sun" => {
                    reads.clock = true;
                    reads.sun = true;
                    Dynamic::from(SunNow { now: world.now, calendar: Arc::new(world.calendar.clone()) })
                }
                "inputs" => to_dynamic(&inputs::values(world, input.keys.as_deref(), reads), None, usize::MAX)
                    .map_err(|error| Failure::of(&expression.source, format!("can't read `inputs`: {error}")))?,
                // What is too large to be remembered was refused when it was to be stored.
                name => to_dynamic(&(frame.variables)(name), input.keys.as_deref(), self.most_items(name))
                    .map_err(|error| Failure::of(&expression.source, format!("can't read `{name}`: {error}")))?,
            })
        };
        expression.code.inputs.iter().map(&mut value).collect()
    }

    /// Evaluates with these values of the variables.
    fn run(
        &self,
        workspace: &mut Workspace,
        expression: &Expression,
        variables: Vec<Dynamic>,
    ) -> Result<Value, Failure> {
        let code = &*expression.code;
        workspace.scope.clear();
        for (input, value) in code.inputs.iter().zip(variables) {
            workspace.scope.push_dynamic(input.name.as_ref(), value);
        }
        self.meter.begin();
        // What libraries are written in is understood by the engine of scripts alone.
        let engine = if code.libraries.is_empty() { &self.engine } else { &self.scripts().engine };
        let run = move || {
            let mut global = engine.new_global_runtime_state();
            for library in &code.libraries {
                global.push_import(&*library.name, Shared::clone(&library.module));
            }
            // A closure is found in its expression's own library: what is known of other expressions must not reach it.
            let mut own = rhai::Caches::new();
            let caches = match &code.closures {
                Some(closures) => {
                    global.lib.push(closures.clone());
                    &mut own
                }
                None if !code.libraries.is_empty() => &mut own,
                None => &mut workspace.caches,
            };
            let mut context = EvalContext::new(engine, &mut global, caches, &mut workspace.scope, None);
            let result = context.eval_expression_tree(&(&code.expression).into());
            let value = result.map_err(|error| Failure::from_refusal(&error, expression, &self.limits))?;
            from_dynamic(&value)
                .map_err(|error| Failure::of(&expression.source, format!("the expression gives no value: {error}")))
        };
        // Of what expressions may do, only `reduce` and libraries nest values without end.
        let may_nest = !code.libraries.is_empty() || expression.source.as_str().contains("reduce");
        let result = on_deep_stack(may_nest, run);
        self.meter.end();
        result.unwrap_or_else(|message| Err(Failure::of(&expression.source, message)))
    }
}

/// Returns an engine within `limits`, with the functions of expressions.
fn bounded_engine(limits: &Limits, loan: &Loan, meter: &Arc<Meter>) -> Engine {
    let mut engine = Engine::new_raw();
    StandardPackage::new().register_into_engine(&mut engine);
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_fast_operators(false)
        .set_allow_looping(false)
        .set_max_string_size(limits.text)
        .set_max_array_size(limits.items)
        .set_max_map_size(limits.items)
        .set_max_call_levels(limits.depth)
        .set_max_expr_depths(DEEPEST_EXPRESSION, DEEPEST_EXPRESSION);
    let progress = Arc::clone(meter);
    engine.on_progress(move |_| progress.count());
    operators::register(&mut engine);
    moment::register(&mut engine);
    internal::register(&mut engine, limits.text);
    for function in in_expressions() {
        function.register(&mut engine, loan, limits);
    }
    engine
}

/// Returns the variables that an expression reads, with the keys of those that are read by key alone.
fn inputs(found: &Found) -> Vec<Input> {
    let input = |name: &crate::model::Name| {
        let keys = found.properties.get(name).filter(|_| !found.whole.contains(name));
        Input { name: Arc::clone(name), keys: keys.map(|keys| keys.iter().cloned().collect()) }
    };
    found.variables.iter().map(input).collect()
}
