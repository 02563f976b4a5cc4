//! `[tool.response]` as a whole: from [`ResponseSpec`] to [`Response`].

use toml::Spanned;

use super::compile::{Compiler, Operand, SpecProblem};
use super::condition::{self, Condition};
use super::look::Look;
use super::pick::Pick;
use super::redact::Redact;
use super::scalar::Scalar;
use super::sort::Sort;
use super::spec::ResponseSpec;
use super::template::Template;
use super::{MAX_OUTPUT, Response};
use crate::sorted::SortedSet;
use crate::tools::declarative::output::OutputLimits;

impl ResponseSpec {
    /// Checks everything and makes what runs. `is_argument` knows the tool's arguments.
    pub fn compile(
        &self,
        is_argument: &dyn Fn(&str) -> bool,
    ) -> Result<Response, Vec<SpecProblem>> {
        let mut compiler = Compiler {
            is_argument,
            arguments: SortedSet::new(),
            problems: Vec::new(),
        };
        let response = response(&mut compiler, self);
        match compiler.problems.is_empty() {
            true => Ok(Response {
                arguments: compiler.arguments,
                ..response
            }),
            false => Err(compiler.problems),
        }
    }
}

fn response(compiler: &mut Compiler<'_>, spec: &ResponseSpec) -> Response {
    let mut at = Vec::new();
    for text in spec.at.iter().flat_map(|at| &at.get_ref().0) {
        let span = spec.at.as_ref().map(Spanned::span).unwrap_or_default();
        at.extend(compiler.pointer("at", span, text));
    }
    let mut beside = Vec::new();
    for (name, pointer) in spec.beside.iter().flatten() {
        member(compiler, "beside", name.get_ref(), pointer);
        if let Some(found) = compiler.pointer("beside", pointer.span(), pointer.get_ref()) {
            beside.push((name.get_ref().clone(), found));
        }
    }
    let mut headers = Vec::new();
    for (name, header) in spec.headers.iter().flatten() {
        member(compiler, "headers", name.get_ref(), header);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if header.get_ref().is_empty() || !header.get_ref().chars().all(is_name) {
            let text = format!(
                "`headers`: `{header}` is no header name: write one such as `X-Total-Count`"
            );
            compiler.problem(header.span(), text);
        }
        headers.push((name.get_ref().clone(), header.get_ref().clone()));
    }
    let total = spec.total.as_ref();
    let total = total.and_then(|text| compiler.pointer("total", text.span(), text.get_ref()));
    let each = spec
        .each
        .as_ref()
        .and_then(|path| compiler.place("each", path));
    if let (Some(path), Some(written)) = (&each, &spec.each)
        && !path.is_many()
    {
        compiler.problem(
            written.span(),
            format!("`each`: `{written}` reaches one value: write `[]` where the elements are"),
        );
    }
    let drop = spec.drop.iter().filter_map(|path| {
        let found = compiler.place("drop", path)?;
        if found.is_item() {
            compiler.problem(
                path.span(),
                "`drop`: `.` is the item itself: use `where` to leave out items",
            );
        }
        Some(found)
    });
    let drop = drop.collect();
    let pick = Pick::compile(compiler, &spec.pick);
    if let (Some(full), true, true) = (&spec.full, spec.pick.is_empty(), spec.drop.is_empty()) {
        compiler.problem(
            full.span(),
            "`full`: nothing is left out without it: write `pick` or `drop`, or leave it away",
        );
    }
    let conditions = condition::compile(compiler, &spec.conditions);
    let limit = spec
        .limit
        .as_ref()
        .and_then(|limit| compiler.count("limit", limit));
    let is_list = spec.list
        || spec.lines
        || each.is_some()
        || spec.entries.is_some()
        || spec.sort.is_some()
        || spec.limit.is_some()
        || !spec.conditions.is_empty();
    let output = OutputLimits {
        max_output: size(compiler, "max_output", spec.max_output.as_ref(), 1 << 20)
            .unwrap_or(MAX_OUTPUT),
        keep: spec.keep,
        narrow: narrow(compiler, spec, &conditions, limit.as_ref()),
        structured: spec.structured.unwrap_or(true),
    };
    Response {
        decode: spec.decode,
        max_response: size(
            compiler,
            "max_response",
            spec.max_response.as_ref(),
            16 << 20,
        ),
        at,
        beside,
        headers,
        total,
        each,
        entries: spec.entries.as_ref().map(|name| name.get_ref().clone()),
        lines: spec.lines,
        is_list,
        conditions,
        sort: spec
            .sort
            .as_ref()
            .map_or_else(Sort::default, |sort| Sort::compile(compiler, sort)),
        limit,
        redact: spec
            .redact
            .as_ref()
            .map_or_else(Redact::default, |redact| Redact::compile(compiler, redact)),
        drop,
        pick,
        full: spec
            .full
            .as_ref()
            .and_then(|full| compiler.flag("full", full)),
        look: Look::compile(compiler, spec),
        text: spec
            .text
            .as_ref()
            .and_then(|text| Template::compile_result(compiler, "text", text)),
        output,
        arguments: SortedSet::new(),
    }
}

/// A member beside the result may not be called like those a list has.
fn member(compiler: &mut Compiler<'_>, key: &str, name: &str, written: &Spanned<String>) {
    if ["items", "note", "shown", "total"].contains(&name) {
        let text =
            format!("`{key}`: `{name}` is the name of something else in a result: choose another");
        compiler.problem(written.span(), text);
    }
}

/// The arguments by which a caller would see less.
fn narrow(
    compiler: &mut Compiler<'_>,
    spec: &ResponseSpec,
    conditions: &[Condition],
    limit: Option<&Operand>,
) -> Vec<String> {
    if let Some(written) = &spec.narrow {
        // They are named in a note and not used here, so that an argument that does nothing is still found.
        for name in written.get_ref() {
            if !(compiler.is_argument)(name) {
                compiler.problem(
                    written.span(),
                    format!(
                        "`narrow`: the tool has no argument `{name}`: declare it, or mend the name"
                    ),
                );
            }
        }
        return written.get_ref().clone();
    }
    let mut names: Vec<String> = limit
        .and_then(Operand::argument)
        .map(str::to_owned)
        .into_iter()
        .collect();
    for condition in conditions {
        condition.arguments(&mut |name| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        });
    }
    names
}

/// A number of bytes, as one or as `"2MiB"`, from 1 KiB to `max`.
fn size(
    compiler: &mut Compiler<'_>,
    key: &str,
    scalar: Option<&Spanned<Scalar>>,
    max: usize,
) -> Option<usize> {
    let scalar = scalar?;
    let bytes = match scalar.get_ref() {
        Scalar::Integer(bytes) => usize::try_from(*bytes).ok(),
        Scalar::Text(text) => {
            let (number, shift) = match text.strip_suffix("MiB") {
                Some(number) => (Some(number), 20),
                None => (text.strip_suffix("KiB"), 10),
            };
            let number = number.and_then(|number| number.trim_end().parse::<usize>().ok());
            number.and_then(|number| number.checked_mul(1 << shift))
        }
        Scalar::Bool(_) | Scalar::Float(_) => None,
    };
    let bytes = bytes.filter(|bytes| (1 << 10..=max).contains(bytes));
    if bytes.is_none() {
        let found = scalar.get_ref().to_value();
        let text = format!(
            "`{key}`: found {found}, expected 1024 to {max} bytes, as a number or as `\"32KiB\"` or `\"1MiB\"`"
        );
        compiler.problem(scalar.span(), text);
    }
    bytes
}
