//! From the table as it is written to a command that can be run; all problems at once.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::spec::{CommandSpec, ElementSpec, Texts};
use super::template::Template;
use super::user::User;
use super::{CommandTool, Element, SpecProblem};
use crate::nearest::nearest;
use crate::sorted::{SortedMap, SortedSet};
use crate::tools::schema::{Pattern, Schema};
use crate::tools::written::FreeTable;

/// The longest a command may be given.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// The most output that can be kept.
const OUTPUT_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Less address space than this starts no program.
const MEMORY_BYTES_MIN: u64 = 1024 * 1024;

/// What every command gets. No `HOME`: what a program finds there is not part of a tool.
const ENVIRONMENT: [(&str, &str); 4] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LANG", "C.UTF-8"),
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
];

/// Programs that take code as an argument, and the options by which they do.
const INTERPRETERS: [&str; 16] = [
    "ash", "awk", "bash", "busybox", "csh", "dash", "fish", "ksh", "lua", "node", "perl", "php",
    "python", "ruby", "sh", "zsh",
];

impl CommandSpec {
    /// Checks the table against the tool's arguments.
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub fn compile(&self, schema: &Schema) -> Result<CommandTool, Vec<SpecProblem>> {
        let mut compiler = Compiler {
            schema,
            patterns: SortedMap::new(),
            used: SortedSet::new(),
            problems: Vec::new(),
        };
        compiler.read_patterns(&self.patterns);
        compiler.check_program(&self.program);
        let arguments = compiler.read_arguments(self);
        let input = self
            .stdin
            .as_ref()
            .and_then(|text| compiler.read_template(text));
        let tool = CommandTool {
            program: self.program.get_ref().clone(),
            arguments,
            environment: compiler.read_environment(&self.env),
            directory: compiler.read_directory(self.dir.as_ref()).into(),
            input,
            timeout: self
                .timeout
                .as_ref()
                .and_then(|text| compiler.read_timeout(text)),
            output_bytes_max: compiler.read_output_max(self.max_output.as_ref()),
            memory_bytes_max: compiler.read_memory(self.memory.as_ref()),
            user: self.user.as_ref().and_then(|text| compiler.read_user(text)),
            success: compiler.read_success(self.success.as_ref()),
            output: self.output,
            has_progress: self.progress,
            patterns: compiler.patterns,
            used: compiler.used,
        };
        match compiler.problems.is_empty() {
            true => Ok(tool),
            false => Err(compiler.problems),
        }
    }
}

struct Compiler<'a> {
    schema: &'a Schema,
    patterns: SortedMap<String, Pattern>,
    used: SortedSet<String>,
    problems: Vec<SpecProblem>,
}

impl Compiler<'_> {
    fn problem(&mut self, span: Range<usize>, text: impl Into<String>) {
        let text = text.into();
        self.problems.push(SpecProblem { span, text });
    }

    fn check_program(&mut self, program: &Spanned<String>) {
        let name = program.get_ref();
        let problem = if name.is_empty() || name.contains('\0') {
            "`program` is empty, expected an absolute path or a name".to_owned()
        } else if name.contains(['{', '}']) {
            format!(
                "`program` is `{name}`; which program runs is never for a client to say, write one tool for each"
            )
        } else if name.starts_with('-') || (name.contains('/') && !name.starts_with('/')) {
            format!("`program` is `{name}`, expected an absolute path or a name")
        } else if name.contains(char::is_whitespace) {
            format!(
                "`program` is `{name}`; there is no shell, arguments go into `args`, each by itself"
            )
        } else {
            return;
        };
        self.problem(program.span(), problem);
    }

    fn read_patterns(&mut self, patterns: &FreeTable<Spanned<String>>) {
        for (name, source) in patterns {
            self.check_name(name.get_ref(), name.span());
            match Pattern::compile_whole(source.get_ref()) {
                Ok(pattern) => {
                    self.patterns.insert(name.get_ref().clone(), pattern);
                }
                Err(problem) => self.problem(source.span(), format!("the pattern {problem}")),
            }
        }
    }

    /// Whether there is such an argument; it counts as used.
    fn check_name(&mut self, name: &str, span: Range<usize>) {
        self.used.insert(name.to_owned());
        let Some(known) = self.schema.names() else {
            return;
        };
        if known.clone().any(|known| known == name) {
            return;
        }
        let guess = nearest(name, known)
            .map_or(String::new(), |guess| format!(", did you mean `{guess}`?"));
        self.problem(span, format!("the tool has no argument `{name}`{guess}"));
    }

    fn read_template(&mut self, text: &Spanned<String>) -> Option<Template> {
        match Template::parse(text.get_ref()) {
            Ok(template) => {
                for name in template.references() {
                    self.check_name(name, text.span());
                }
                Some(template)
            }
            Err(problem) => {
                self.problem(text.span(), format!("`{}` {problem}", text.get_ref()));
                None
            }
        }
    }

    fn read_arguments(&mut self, spec: &CommandSpec) -> Vec<Element> {
        let mut line = Line {
            interpreter: interpreter(spec.program.get_ref()),
            is_remote: base_name(spec.program.get_ref()) == "ssh",
            ..Line::default()
        };
        let mut elements = Vec::with_capacity(spec.args.len());
        for element in &spec.args {
            let span = element.span();
            elements.push(match element.get_ref() {
                ElementSpec::One(text) => {
                    let text = Spanned::new(span, text.clone());
                    let Some(template) = self.read_argument(&text, &mut line) else {
                        continue;
                    };
                    Element::One(template)
                }
                ElementSpec::All(texts) => {
                    let is_past_options = line.is_past_options;
                    let templates = self.read_texts(texts, &mut line);
                    // A `--` that is not always there protects nothing behind it.
                    line.is_past_options = is_past_options;
                    Element::All(templates)
                }
                ElementSpec::If(choice) => {
                    let Some(template) = self.read_template(&choice.condition) else {
                        continue;
                    };
                    let Some(name) = template.sole_reference() else {
                        let text = "`$if` is one reference, such as `{all}`";
                        self.problem(choice.condition.span(), text);
                        continue;
                    };
                    let (Texts(then), Texts(otherwise)) = (&choice.then, &choice.otherwise);
                    let mut other = line.clone();
                    let then = self.read_texts(then, &mut line);
                    let otherwise = self.read_texts(otherwise, &mut other);
                    line.join(&other);
                    Element::If {
                        condition: name.to_owned(),
                        then,
                        otherwise,
                    }
                }
            });
        }
        if let (Some(interpreter), false, Some(input)) =
            (line.interpreter, line.has_operand, &spec.stdin)
            && input.get_ref().contains('{')
        {
            let text = format!(
                "`stdin` is what `{interpreter}` runs, so nothing of a client's may be in it"
            );
            self.problem(input.span(), text);
        }
        elements
    }

    fn read_texts(&mut self, texts: &[Spanned<String>], line: &mut Line) -> Vec<Template> {
        texts
            .iter()
            .filter_map(|text| self.read_argument(text, line))
            .collect()
    }

    fn read_argument(&mut self, text: &Spanned<String>, line: &mut Line) -> Option<Template> {
        let template = self.read_template(text)?;
        let shown = text.get_ref();
        if shown.contains('\0') {
            self.problem(text.span(), "an argument cannot hold a zero byte");
        }
        for name in template.references() {
            let is_confined = self.patterns.contains_key(name) || self.schema.is_scalar(name);
            if is_confined {
                continue;
            }
            let interpreter = line
                .interpreter
                .filter(|_| line.takes_code || !line.has_operand);
            if let Some(interpreter) = interpreter {
                let text_of = format!(
                    "`{shown}` makes `{name}` what `{interpreter}` runs; let fixed code take it as an argument (`$1`) from behind it, or give it a pattern in `patterns`"
                );
                self.problem(text.span(), text_of);
            } else if line.is_remote {
                self.problem(text.span(), format!(
                    "`{shown}` is read by a shell at the other end of `ssh`; give `{name}` a pattern in `patterns`"
                ));
            } else if !line.is_past_options && is_in_option_name(&template) {
                self.problem(text.span(), format!(
                    "`{shown}` makes an option of `{name}`; write `--option={{{name}}}`, put `--` before it, or give it a pattern in `patterns`"
                ));
            }
        }
        line.go_past(&template);
        Some(template)
    }

    fn read_environment(&mut self, given: &FreeTable<Spanned<String>>) -> Vec<(String, String)> {
        let mut environment: SortedMap<String, String> = ENVIRONMENT
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        for (name, value) in given {
            let is_name = !name.get_ref().is_empty() && !name.get_ref().contains(['=', '\0']);
            if !is_name {
                self.problem(
                    name.span(),
                    format!("`{}` cannot name a variable", name.get_ref()),
                );
            }
            if value.get_ref().contains('\0') {
                self.problem(value.span(), "a variable cannot hold a zero byte");
            }
            environment.insert(name.get_ref().clone(), value.get_ref().clone());
        }
        environment.into_iter().collect()
    }

    fn read_directory(&mut self, dir: Option<&Spanned<String>>) -> String {
        let Some(dir) = dir else {
            return "/".to_owned();
        };
        if !dir.get_ref().starts_with('/') || dir.get_ref().contains('\0') {
            let text = format!("`dir` is `{}`, expected an absolute path", dir.get_ref());
            self.problem(dir.span(), text);
        }
        dir.get_ref().clone()
    }

    fn read_timeout(&mut self, text: &Spanned<String>) -> Option<Duration> {
        let timeout = duration(text.get_ref()).filter(|timeout| *timeout <= TIMEOUT_MAX);
        if timeout.is_none() {
            let text_of = text.get_ref();
            self.problem(
                text.span(),
                format!("`timeout` is `{text_of}`, expected a time such as `500ms`, `30s` or `5m`, at most `24h`"),
            );
        }
        timeout
    }

    fn read_output_max(&mut self, max: Option<&Spanned<u32>>) -> Option<usize> {
        let max = max?;
        if *max.get_ref() > OUTPUT_BYTES_MAX {
            let text = format!(
                "`max_output` is {}, at most {OUTPUT_BYTES_MAX} bytes can be kept",
                max.get_ref()
            );
            self.problem(max.span(), text);
        }
        usize::try_from(*max.get_ref()).ok()
    }

    fn read_memory(&mut self, memory: Option<&Spanned<u64>>) -> Option<u64> {
        let memory = memory?;
        if *memory.get_ref() < MEMORY_BYTES_MIN {
            let text = format!(
                "`memory` is {} bytes, expected at least {MEMORY_BYTES_MIN}",
                memory.get_ref()
            );
            self.problem(memory.span(), text);
        }
        Some(*memory.get_ref())
    }

    fn read_user(&mut self, text: &Spanned<String>) -> Option<User> {
        User::parse(text.get_ref())
            .map_err(|problem| self.problem(text.span(), format!("`user` {problem}")))
            .ok()
    }

    fn read_success(&mut self, success: Option<&Spanned<Vec<i32>>>) -> Vec<i32> {
        let Some(success) = success else {
            return vec![0];
        };
        let statuses = success.get_ref();
        if statuses.is_empty() || statuses.iter().any(|status| !(0..=255).contains(status)) {
            self.problem(
                success.span(),
                "`success` is a list of statuses from 0 to 255",
            );
        }
        statuses.clone()
    }
}

/// What the arguments before one say of it.
#[derive(Clone, Debug, Default)]
struct Line {
    interpreter: Option<&'static str>,
    /// The next argument is code.
    takes_code: bool,
    /// The interpreter has its code or its file; what follows are arguments to that.
    has_operand: bool,
    is_past_options: bool,
    is_remote: bool,
}

impl Line {
    fn go_past(&mut self, template: &Template) {
        let literal = template.literal();
        let is_option = literal.is_some_and(|text| text.starts_with('-'));
        self.takes_code = is_option
            && self.interpreter.is_some()
            && literal.is_some_and(|text| text.ends_with(['c', 'e', 'r']) || text == "--eval");
        self.is_past_options |= literal == Some("--");
        let Some(text) = literal.filter(|_| !is_option) else {
            return;
        };
        self.is_remote |= base_name(text) == "ssh";
        if matches!(self.interpreter, None | Some("busybox")) {
            // `sudo sh -c …`, `env python3 …`, `busybox sh …`
            self.interpreter = interpreter(text);
        } else {
            self.has_operand = true;
        }
    }

    /// After two ways that may have been gone.
    fn join(&mut self, other: &Line) {
        self.interpreter = self.interpreter.or(other.interpreter);
        self.takes_code |= other.takes_code;
        self.has_operand &= other.has_operand;
        self.is_past_options &= other.is_past_options;
        self.is_remote |= other.is_remote;
    }
}

/// The interpreter this is, whatever its version.
fn interpreter(program: &str) -> Option<&'static str> {
    let name = base_name(program).trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.into_iter().find(|known| *known == name)
}

fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Whether a value could become part of an option's name: `-{x}`, `--{x}`, `-n{x}`, `--no-{x}`; not `--name={x}`.
fn is_in_option_name(template: &Template) -> bool {
    match template.parts.first() {
        Some(super::template::Part::Literal(text)) if text.starts_with('-') => {
            !(text.starts_with("--") && text.contains('='))
        }
        _ => false,
    }
}

/// `500ms`, `30s`, `5m`, `1h`; more than nothing.
fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        _ => return None,
    };
    unit.checked_mul(number)
}
