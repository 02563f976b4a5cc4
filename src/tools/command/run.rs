//! A call: arguments into an argument vector, the child's output into a result.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::template::{Template, present, text_of};
use super::text::{cleaned, excerpt};
use super::{CommandTool, Element, Output};
use crate::mcp::json::from_bytes;
use crate::mcp::tool::ToolResult;
use crate::rt::process::{Children, Command, Exit, Head, SpawnError, Tail};
use crate::rt::{now, timeout};
use crate::tools::{CallError, Context};

/// What holds where the table says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// How long a command may take.
    pub timeout: Duration,
    /// How much of its output is kept, in bytes.
    pub output_bytes_max: usize,
}

/// How much of the error output is kept. Its last lines say what went wrong.
const STDERR_BYTES_MAX: usize = 8 * 1024;
/// How much output a failure shows.
const FAILURE_BYTES_MAX: usize = 4 * 1024;
/// Longest line sent as progress.
const LINE_BYTES_MAX: usize = 500;
/// Lines between these are left out: a client is shown that something happens, not sent a log.
const LINE_INTERVAL: Duration = Duration::from_millis(100);
/// All arguments together. Linux allows 128 KiB for one, and no less for all.
const ARGUMENT_BYTES_MAX: usize = 120 * 1024;

impl CommandTool {
    /// Runs the command for `arguments`, which have been checked. Dropping the future kills it.
    ///
    /// # Errors
    /// Arguments that may not be passed on; a failed, a stopped or a missing command, as a text for the model.
    pub async fn run(
        &self,
        context: &Context,
        children: &Children,
        arguments: &Map<String, Value>,
        defaults: Defaults,
    ) -> Result<ToolResult, CallError> {
        let command = self.command(arguments)?;
        let child = children
            .spawn(&command)
            .map_err(|error| self.not_started(&error))?;
        let output_bytes_max = self.output_bytes_max.unwrap_or(defaults.output_bytes_max);
        let stdout = RefCell::new(Head::new(output_bytes_max));
        let stderr = RefCell::new(Tail::new(STDERR_BYTES_MAX));
        let mut lines = self.has_progress.then(|| Lines::new(context));
        let limit = self.timeout.unwrap_or(defaults.timeout);
        let ended = {
            let mut take_output = |bytes: &[u8]| {
                stdout.borrow_mut().add(bytes);
                if let Some(lines) = &mut lines {
                    lines.add(bytes);
                }
            };
            let mut take_errors = |bytes: &[u8]| stderr.borrow_mut().add(bytes);
            // Out of time, the child is dropped here, and killed by that.
            timeout(limit, child.run(&mut take_output, &mut take_errors)).await
        };
        let stdout = stdout.into_inner();
        let errors = excerpt(&stderr.into_inner().into_bytes(), &self.environment);
        let how = match ended {
            Ok(Exit::Status(status)) if self.success.contains(&status) => {
                return self.result(&stdout);
            }
            Ok(exit) => format!("ended with {exit}"),
            Err(_) => format!(
                "was stopped after {} ms, the `timeout` of this tool",
                limit.as_millis()
            ),
        };
        Err(CallError::Failed(self.failure(&how, &stdout, &errors)))
    }

    /// The command for these arguments.
    pub(super) fn command(&self, arguments: &Map<String, Value>) -> Result<Command, CallError> {
        let owner = self.user.as_ref().map(super::user::User::owner).transpose();
        Ok(Command {
            program: self.program.clone(),
            arguments: self.vector(arguments).map_err(CallError::Arguments)?,
            environment: self.environment.clone(),
            directory: self.directory.clone(),
            input: self
                .input
                .as_ref()
                .and_then(|input| input.fill(arguments))
                .map(String::into_bytes),
            owner: owner.map_err(CallError::Failed)?,
            memory_bytes_max: self.memory_bytes_max,
        })
    }

    fn vector(&self, arguments: &Map<String, Value>) -> Result<Vec<String>, String> {
        for (name, pattern) in &self.patterns {
            let values = present(arguments, name).into_iter().flat_map(each);
            for value in values {
                if !pattern.fits(&text_of(value)) {
                    return Err(format!("`{name}`: does not match `{}`", pattern.source()));
                }
            }
        }
        let mut vector = Vector {
            tool: self,
            arguments,
            texts: Vec::new(),
            is_past_options: false,
        };
        for element in &self.arguments {
            match element {
                Element::One(template) => vector.add(template)?,
                Element::All(templates) => {
                    let mut names = templates.iter().flat_map(Template::references);
                    if names.all(|name| present(arguments, name).is_some()) {
                        vector.add_all(templates)?;
                    }
                }
                Element::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    let holds = present(arguments, condition)
                        .is_some_and(|value| *value != Value::Bool(false));
                    vector.add_all(if holds { then } else { otherwise })?;
                }
            }
        }
        let bytes: usize = (vector.texts.iter())
            .map(|text| text.len().saturating_add(1))
            .sum();
        match bytes > ARGUMENT_BYTES_MAX {
            true => Err(format!(
                "arguments: come to {bytes} bytes, more than the {ARGUMENT_BYTES_MAX} a command takes"
            )),
            false => Ok(vector.texts),
        }
    }

    fn not_started(&self, error: &SpawnError) -> CallError {
        let hint = match (error, &self.user) {
            (SpawnError::Program(_, error), Some(_))
                if error.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                "; the server must be root to run it as another `user`"
            }
            _ => "",
        };
        CallError::Failed(format!("{error}{hint}"))
    }

    fn result(&self, stdout: &Head) -> Result<ToolResult, CallError> {
        if self.output == Output::Json {
            if stdout.is_cut() {
                return Err(CallError::Failed(format!(
                    "`{}` printed {} bytes of JSON, of which {} are kept; ask for less",
                    self.program,
                    stdout.total(),
                    stdout.bytes().len()
                )));
            }
            return match from_bytes::<Value>(stdout.bytes()) {
                Ok(value) => Ok(ToolResult::structured(&value)),
                Err(error) => Err(CallError::Failed(format!(
                    "`{}` printed no JSON: {error}",
                    self.program
                ))),
            };
        }
        let mut text = cleaned(stdout.bytes()).trim_end().to_owned();
        if text.is_empty() {
            text.push_str("done; the command printed nothing");
        }
        if stdout.is_cut() {
            text.push_str(&format!(
                "\n[the first {} of {} bytes]",
                stdout.bytes().len(),
                stdout.total()
            ));
        }
        Ok(ToolResult::text(text))
    }

    fn failure(&self, how: &str, stdout: &Head, errors: &str) -> String {
        let mut text = format!("`{}` {how}", self.program);
        if !errors.is_empty() {
            text.push_str(&format!("; its error output ends with:\n{errors}"));
        }
        let output = stdout.bytes();
        let output = cleaned(output.get(..FAILURE_BYTES_MAX).unwrap_or(output));
        if !output.trim().is_empty() {
            text.push_str(&format!("\nIts output begins with:\n{}", output.trim_end()));
        }
        text
    }
}

/// The arguments of the program, as they come together.
struct Vector<'a> {
    tool: &'a CommandTool,
    arguments: &'a Map<String, Value>,
    texts: Vec<String>,
    is_past_options: bool,
}

impl Vector<'_> {
    fn add_all(&mut self, templates: &[Template]) -> Result<(), String> {
        templates.iter().try_for_each(|template| self.add(template))
    }

    fn add(&mut self, template: &Template) -> Result<(), String> {
        if let Some(name) = template.sole_reference() {
            let values = present(self.arguments, name).into_iter().flat_map(each);
            return values
                .map(text_of)
                .try_for_each(|text| self.push(text, Some(name)));
        }
        let Some(text) = template.fill(self.arguments) else {
            return Ok(());
        };
        let begins_with = match template.parts.first() {
            Some(super::template::Part::Reference(name)) => Some(name.as_str()),
            _ => None,
        };
        self.is_past_options |= template.literal() == Some("--");
        self.push(text, begins_with)
    }

    /// `begins_with` names the argument whose value the text begins with.
    fn push(&mut self, text: String, begins_with: Option<&str>) -> Result<(), String> {
        if text.contains('\0') {
            return Err("arguments: a command takes no zero byte".to_owned());
        }
        if let Some(name) = begins_with.filter(|_| text.starts_with('-') && !self.is_past_options)
            && !self.tool.patterns.contains_key(name)
        {
            return Err(format!(
                "`{name}`: begins with `-`, which `{}` would take as an option",
                self.tool.program
            ));
        }
        self.texts.push(text);
        Ok(())
    }
}

/// The elements of a list, or the one value.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    }
    .iter()
}

/// Whole lines on their way to the client.
struct Lines<'a> {
    context: &'a Context,
    /// The line that has not ended yet, or its beginning.
    line: Vec<u8>,
    count: f64,
    sent_at: Option<Instant>,
}

impl Lines<'_> {
    fn new(context: &Context) -> Lines<'_> {
        Lines {
            context,
            line: Vec::new(),
            count: 0.0,
            sent_at: None,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let mut last = None;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
            let content = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.line
                .extend_from_slice(content.get(..room).unwrap_or(content));
            if content.len() < piece.len() {
                self.count += 1.0;
                last = Some(std::mem::take(&mut self.line));
            }
        }
        let is_due = self
            .sent_at
            .is_none_or(|sent_at| now().duration_since(sent_at) >= LINE_INTERVAL);
        if let Some(line) = last.filter(|_| is_due) {
            self.sent_at = Some(now());
            self.context
                .progress_message(self.count, None, &cleaned(&line));
        }
    }
}
