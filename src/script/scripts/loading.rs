//! Loads scripts: compiles them, finds what they import, and runs each once to collect its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use rhai::{Caches, EvalAltResult, EvalContext, Expr, Module, Scope, Shared, StmtBlock};

use crate::model::PlacedText;

use super::check::ScriptChecker;
use super::engine::ScriptEngine;
use super::error::{ScriptError, ScriptErrorKind as Kind};
use super::given::GivenRule;
use super::script::{Script, offset_in};
use super::script_file::ScriptFile;
use super::syntax_error::explain_script;
use crate::script::evaluation::deep_stack::on_deep_stack;
use crate::script::evaluation::failure::Failure;
use crate::script::evaluation::sandbox::Sandbox;
use crate::script::expression::mention::{CalendarMention, PastMention};
use crate::script::source::file_tokens::FileTokens;
use crate::script::source::token::TokenKind;

/// How many bytes a script may have.
const LARGEST: usize = 256 << 10;

/// What a script said when it was loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadedScript {
    /// The rules that it made, in their order. None of a library.
    pub rules: Vec<GivenRule>,
    /// What it asks of the past of topics.
    pub past: Vec<PastMention>,
    /// The calendars that it names.
    pub calendars: Vec<CalendarMention>,
    /// Why it doesn't load.
    pub errors: Vec<ScriptError>,
}

/// Whether a script loads.
enum State {
    /// It is being loaded: who imports it now imports itself.
    Loading,
    Loaded(Arc<Script>),
    Broken,
}

/// Loads the scripts of a home.
struct Loader<'a> {
    sandbox: &'a Sandbox,
    scripts: &'a ScriptEngine,
    files: BTreeMap<&'a str, &'a ScriptFile>,
    states: BTreeMap<&'a str, State>,
    loaded: BTreeMap<&'a str, LoadedScript>,
}

impl Sandbox {
    /// Loads scripts: each is run once, and what it gives to `rule(key, map)` is collected. Returns what each said,
    /// by its stem.
    #[must_use]
    pub fn load_scripts(&self, files: &[ScriptFile]) -> BTreeMap<Arc<str>, LoadedScript> {
        let by_stem = files.iter().map(|file| (&*file.stem, file)).collect();
        let mut loader = Loader {
            sandbox: self,
            scripts: self.scripts(),
            files: by_stem,
            states: BTreeMap::new(),
            loaded: BTreeMap::new(),
        };
        for file in files {
            loader.load(file);
        }
        loader.loaded.into_iter().map(|(stem, loaded)| (Arc::from(stem), loaded)).collect()
    }
}

impl<'a> Loader<'a> {
    fn load(&mut self, file: &'a ScriptFile) {
        if self.states.contains_key(&*file.stem) {
            return;
        }
        self.states.insert(&file.stem, State::Loading);
        let mut loaded = LoadedScript::default();
        let state = match self.read(file, &mut loaded) {
            Ok(script) => State::Loaded(script),
            Err(errors) => {
                if file.stem.starts_with("lib/") {
                    self.sandbox.libraries.add_broken(&file.stem);
                }
                loaded = LoadedScript { errors, ..LoadedScript::default() };
                State::Broken
            }
        };
        self.states.insert(&file.stem, state);
        self.loaded.insert(&file.stem, loaded);
    }

    fn read(&mut self, file: &'a ScriptFile, loaded: &mut LoadedScript) -> Result<Arc<Script>, Vec<ScriptError>> {
        let text = &*file.text;
        if text.len() > LARGEST {
            let message = format!("the script has {} KiB, and {} are the most", text.len() >> 10, LARGEST >> 10);
            return Err(vec![error(file, Kind::TooLarge, 0..0, message)]);
        }
        let imports = self.imports(file)?;
        let source = PlacedText::whole_file(text, &file.file);
        let lines: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        let mut ast = self.scripts.engine.compile(text).map_err(|refusal| {
            let offset = offset_in(text, &lines, refusal.position());
            vec![explain_script(&refusal, file, offset)]
        })?;
        ast.set_source(&*file.file);
        let script = Arc::new(Script::new(Arc::clone(&file.stem), source, &ast, imports));
        let (errors, past, calendars) = ScriptChecker::check(file, &script, &ast);
        loaded.past = past;
        loaded.calendars = calendars;
        if !errors.iter().all(ScriptError::may_run) {
            return Err(errors);
        }
        let run = || self.run(file, &script, &ast, loaded);
        let done = on_deep_stack(script.may_nest(), run);
        let done = done.unwrap_or_else(|message| Err(error(file, Kind::Failed, 0..0, message)));
        match done {
            Ok(()) => {
                loaded.errors = errors;
                Ok(script)
            }
            Err(error) => Err(errors.into_iter().chain([error]).collect()),
        }
    }

    /// Loads what a script imports.
    fn imports(&mut self, file: &'a ScriptFile) -> Result<BTreeMap<String, Arc<Script>>, Vec<ScriptError>> {
        let mut imports = BTreeMap::new();
        let mut errors = Vec::new();
        for (path, at) in import_paths(&file.text) {
            let refuse = |message: String| error(file, Kind::BadImport, at.clone(), message);
            let Some(path) = path else {
                errors.push(refuse("an import names its file in quotes: `import \"lib/name\" as name;`".to_owned()));
                continue;
            };
            if let Err(message) = check_path(&path) {
                errors.push(refuse(message).help(IMPORTS));
                continue;
            }
            let Some(imported) = self.files.get(path.as_str()).copied() else {
                let known: BTreeSet<&str> =
                    self.files.keys().copied().filter(|stem| stem.starts_with("lib/")).collect();
                let near = crate::model::nearest(&path, known.iter().copied());
                let mut error = refuse(format!("there is no `rules/{path}.rhai`"));
                error.help = Some(near.map_or(IMPORTS.to_owned(), |near| format!("did you mean `{near}`?")));
                errors.push(error);
                continue;
            };
            self.load(imported);
            match self.states.get(&*imported.stem) {
                Some(State::Loaded(script)) => {
                    imports.insert(path, Arc::clone(script));
                }
                Some(State::Loading) => {
                    errors.push(refuse(format!("`{path}` imports itself, directly or by what it imports")));
                }
                Some(State::Broken) | None => errors.push(refuse(format!("`{path}` doesn't load"))),
            }
        }
        if errors.is_empty() { Ok(imports) } else { Err(errors) }
    }

    /// Runs a script once, statement by statement.
    fn run(
        &self,
        file: &ScriptFile,
        script: &Arc<Script>,
        ast: &rhai::AST,
        loaded: &mut LoadedScript,
    ) -> Result<(), ScriptError> {
        let is_library = file.stem.starts_with("lib/");
        let engine = &self.scripts.engine;
        let collector = &self.scripts.collector;
        let mut global = engine.new_global_runtime_state();
        global.source = Some((&*file.file).into());
        global.lib.push(ast.shared_lib().clone());
        let mut scope = Scope::new();
        self.sandbox.meter.begin();
        if !is_library {
            collector.begin(script);
        }
        let mut result = Ok(());
        for statement in ast.statements() {
            collector.at_statement(statement.position());
            let block = StmtBlock::new([statement.clone()], statement.position(), statement.position());
            let mut caches = Caches::new();
            let mut context = EvalContext::new(engine, &mut global, &mut caches, &mut scope, None);
            let block = Expr::Stmt(Box::new(block));
            #[expect(deprecated, reason = "volatile, says Rhai, and its version is pinned")]
            let done = context.eval_expression_tree_raw(&(&block).into(), false);
            if let Err(refusal) = done {
                result = Err(refusal);
                break;
            }
        }
        self.sandbox.meter.end();
        let collected = collector.end();
        if let Some((at, message)) = collected.error {
            return Err(error(file, Kind::Failed, at, message));
        }
        result.map_err(|refusal| self.failed(file, script, &refusal))?;
        loaded.rules = collected.rules;
        if is_library {
            let module = Module::eval_ast_as_new(Scope::new(), ast, engine);
            let module = module.map_err(|refusal| self.failed(file, script, &refusal))?;
            let module: Shared<Module> = module.into();
            self.scripts.modules.add(&file.stem, Shared::clone(&module));
            self.sandbox.libraries.add(script, module);
        }
        let is_deep =
            |(_, _, value): (&str, bool, rhai::Dynamic)| crate::script::evaluation::convert::is_too_deep(&value);
        if scope.iter().any(is_deep) {
            return Err(error(file, Kind::Failed, 0..0, "a variable of the file is nested too deep"));
        }
        // Set once: nobody else has this script yet.
        let _ = script.state.set(global);
        Ok(())
    }

    fn failed(&self, file: &ScriptFile, script: &Arc<Script>, refusal: &EvalAltResult) -> ScriptError {
        let failure = Failure::in_script(refusal, script, 0, &self.sandbox.limits);
        let at_file = failure.place.as_ref().map_or(Arc::clone(&file.file), |place| Arc::clone(&place.file));
        if at_file == file.file {
            return error(file, Kind::Failed, failure.at, failure.message);
        }
        // The mistake is in a library: it is shown where the file calls it, with its own place.
        let place = failure.place.map(|place| format!(" (at {place})")).unwrap_or_default();
        let at = script.offset(outer_position(refusal)).unwrap_or(0);
        error(file, Kind::Failed, script.token_at(at), format!("{}{place}", failure.message))
    }
}

const IMPORTS: &str = "a script imports files of rules/lib, named without their ending: `import \"lib/name\" as name;`";

impl ScriptError {
    fn help(mut self, help: &str) -> ScriptError {
        self.help = Some(help.to_owned());
        self
    }
}

fn error(file: &ScriptFile, kind: Kind, at: Range<usize>, message: impl Into<String>) -> ScriptError {
    ScriptError { kind, file: Arc::clone(&file.file), at, message: message.into(), help: None }
}

/// Returns where the script itself stands in the chain of calls that failed.
fn outer_position(refusal: &EvalAltResult) -> rhai::Position {
    match refusal {
        EvalAltResult::ErrorInFunctionCall(_, _, _, position) => *position,
        other => other.position(),
    }
}

/// Returns whether a path may be imported.
fn check_path(path: &str) -> Result<(), String> {
    let is_inside = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let is_plain = !path.contains(['\\', ':', '\0']);
    if path.starts_with("lib/") && is_inside && is_plain {
        return Ok(());
    }
    Err(format!("`{path}` can't be imported: it isn't in rules/lib"))
}

/// Returns what the imports of `text` name, with where; `None` where that isn't written out.
fn import_paths(text: &str) -> Vec<(Option<String>, Range<usize>)> {
    let tokens = FileTokens::new(text);
    let is_import = |index: &usize| tokens.text(*index) == "import" && tokens.kind(*index) == Some(TokenKind::Word);
    let path = |index: usize| {
        let written = tokens.text(index + 1);
        let is_text = tokens.kind(index + 1) == Some(TokenKind::Text) && !written.contains("${");
        let path = is_text.then(|| written.trim_matches(['"', '`']).to_owned());
        (path, tokens.range(index + 1))
    };
    (0..tokens.len()).filter(is_import).map(path).collect()
}
