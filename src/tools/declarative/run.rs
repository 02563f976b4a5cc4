//! One call: arguments checked, what comes before, the request, its pages or its fallback, and the result.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::decode::{Decode, decode};
use super::filter::text_of;
use super::pages::{Next, Page, PagesSpec};
use super::request::{Outgoing, RequestSpec};
use super::service::{Failure, Service};
use super::shape::{Document, ResponseError};
use super::steps::{AnswerSpec, BeforeSpec};
use super::template::{Scope, Template, Unfit};
use super::tool::HttpSpec;
use super::words::{message, one_line};
use crate::client::Response;
use crate::mcp::json::from_bytes;
use crate::mcp::tool::ToolResult;
use crate::sorted::SortedSet;
use crate::tools::command::CommandTool;
use crate::tools::schema::{self, Schema};
use crate::tools::{CallError, Context};

/// What a call takes beside its request.
const REST: Duration = Duration::from_secs(1);

/// A tool as it runs.
pub(super) struct HttpTool {
    pub name: Box<str>,
    pub schema: Schema,
    pub spec: HttpSpec,
    pub service: Rc<Service>,
}

/// The values of one call.
struct Values<'t> {
    arguments: Map<String, Value>,
    befores: Vec<(&'t str, Value)>,
}

impl HttpTool {
    /// Runs it with the text of an `arguments` object.
    pub(super) async fn call(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<ToolResult, CallError> {
        let arguments = self.arguments(text)?;
        match self.run(context, arguments).await {
            Ok(result) => Ok(result),
            Err(Failure::Text(text)) => Err(CallError::failed(format!("{}: {text}", self.name))),
            Err(Failure::Unfit(unfit)) => {
                let name = unfit.name.split('/').next().unwrap_or_default();
                let is_argument = self
                    .schema
                    .names()
                    .is_some_and(|mut names| names.any(|known| known == name));
                let text = one_line(&self.service.masked(&unfit.to_string()));
                Err(match is_argument {
                    true => CallError::arguments(text),
                    false => CallError::failed(format!("{}: {text}", self.name)),
                })
            }
        }
    }

    fn arguments(&self, text: &str) -> Result<Map<String, Value>, CallError> {
        arguments(&self.schema, &self.spec.times, text)
    }

    async fn run(
        &self,
        context: &Context,
        arguments: Map<String, Value>,
    ) -> Result<ToolResult, Failure> {
        let mut values = Values {
            arguments,
            befores: Vec::new(),
        };
        for before in &self.spec.befores {
            self.prepare(before, &mut values).await?;
        }
        if let Some(pages) = &self.spec.pages {
            return self.all_pages(pages, &values).await;
        }
        let outgoing = self.build(&self.spec.request, &self.spec.answer, &values)?;
        // A container may take its time to stop; the limit of the call gives way to what was asked for.
        if let Some(ms) = outgoing.timeout_ms {
            context.extend(Duration::from_millis(ms).saturating_add(REST));
        }
        let response_bytes_max = self.spec.answer.response.max_response;
        let response = self.service.exchange(outgoing, response_bytes_max).await?;
        let Some(fallback) = &self.spec.fallback else {
            return self.finish(&self.spec.answer, &response, &values);
        };
        if !fallback
            .on
            .iter()
            .any(|status| status.matches(response.status))
        {
            return self.finish(&self.spec.answer, &response, &values);
        }
        let answer = fallback.answer.as_ref().unwrap_or(&self.spec.answer);
        let outgoing = self.build(&fallback.request, answer, &values)?;
        let response = self
            .service
            .exchange(outgoing, answer.response.max_response)
            .await?;
        self.finish(answer, &response, &values)
    }

    fn scope<'a>(&'a self, values: &'a Values<'a>) -> Scope<'a> {
        Scope {
            arguments: &values.arguments,
            befores: &values.befores,
            options: self.service.options(),
            result: None,
            token: None,
            login: None,
            now_ms: self.service.now_ms(),
        }
    }

    fn build(
        &self,
        request: &RequestSpec,
        answer: &AnswerSpec,
        values: &Values<'_>,
    ) -> Result<Outgoing, Failure> {
        let mut outgoing = request.build(&self.scope(values))?;
        outgoing.accept = accept(answer.response.decode);
        Ok(outgoing)
    }

    // --- before -------------------------------------------------------------------------------

    /// Sends what comes before, and keeps what it brings.
    async fn prepare<'t>(
        &'t self,
        before: &'t BeforeSpec,
        values: &mut Values<'t>,
    ) -> Result<(), Failure> {
        if let Some(when) = &before.when {
            let value = when.value(&self.scope(values))?;
            if matches!(value, None | Some(Value::Null | Value::Bool(false))) {
                return Ok(());
            }
        }
        let is_absent = |name: &str| !values.arguments.contains_key(name);
        if !before.fills.is_empty() && !before.fills.iter().any(|(name, _)| is_absent(name)) {
            return Ok(());
        }
        let mut outgoing = before.request.build(&self.scope(values))?;
        outgoing.accept = accept(before.decode);
        let response = self.service.exchange(outgoing, None).await?;
        let status = response.status;
        if !before
            .expect
            .iter()
            .any(|expected| expected.matches(status))
        {
            return Err(match before.errors.of(status).flatten() {
                Some(template) => Failure::Text(self.text(template, &self.scope(values))?),
                None if matches!(status, 200..300) => Failure::Text(format!(
                    "{} answered {status}, which is not what was expected before the call",
                    self.service.title()
                )),
                None => Failure::Text(self.service.refusal(&response, &self.service.spec.error_at)),
            });
        }
        if before.name.is_none() && before.fills.is_empty() {
            return Ok(());
        }
        let media_type = response.headers.value("content-type");
        let decoded = decode(before.decode, &response.body, media_type)
            .map_err(|error| self.unreadable(&ResponseError::from(error)))?;
        let mut value = decoded.value;
        let Some(found) = value.pointer_mut(&before.at).map(Value::take) else {
            let missing = ResponseError::Missing {
                at: vec![before.at.to_string()],
            };
            return Err(self.unreadable(&missing));
        };
        let mut value = found;
        for (name, pointer) in &before.fills {
            if values.arguments.contains_key(&**name) {
                continue;
            }
            let found = value.pointer(pointer).filter(|found| !found.is_null());
            let Some(found) = found else {
                return Err(Failure::Unfit(Unfit {
                    name: name.to_string(),
                    text: format!("{} has none to choose; name one", self.service.title()),
                }));
            };
            values.arguments.insert(name.to_string(), found.clone());
        }
        if let (Some(pick), Value::Object(members)) = (&before.pick, &mut value) {
            members.retain(|name, _| pick.iter().any(|kept| **kept == **name));
        }
        if let Some(name) = &before.name {
            values.befores.push((name, value));
        }
        Ok(())
    }

    // --- answers ------------------------------------------------------------------------------

    fn finish(
        &self,
        answer: &AnswerSpec,
        response: &Response,
        values: &Values<'_>,
    ) -> Result<ToolResult, Failure> {
        if let Some(text) = self.judge(answer, response, values)? {
            return Ok(ToolResult::text(text));
        }
        let media_type = response.headers.value("content-type");
        let mut document = answer
            .response
            .read(&response.body, media_type)
            .map_err(|error| self.unreadable(&error))?;
        add_headers(&mut document, answer, response);
        let shaped = answer.response.shape(document, &values.arguments);
        Ok(answer.response.render(shaped, &values.arguments))
    }

    /// Whether an answer is one, by its status and by what it says of itself. A text stands for all of it.
    fn judge(
        &self,
        answer: &AnswerSpec,
        response: &Response,
        values: &Values<'_>,
    ) -> Result<Option<String>, Failure> {
        let scope = self.scope(values);
        let status = response.status;
        let error_at = answer
            .error_at
            .as_ref()
            .unwrap_or(&self.service.spec.error_at);
        if let Some(template) = answer.errors.of(status).flatten() {
            return Err(Failure::Text(self.text(template, &scope)?));
        }
        match answer.status.of(status) {
            Some(Some(template)) => return Ok(Some(self.text(template, &scope)?)),
            Some(None) => (),
            None if matches!(status, 200..300) => (),
            None => return Err(Failure::Text(self.service.refusal(response, error_at))),
        }
        if answer.fail_at.is_empty() {
            return Ok(None);
        }
        let value: Value = from_bytes(&response.body).unwrap_or_default();
        let has_failed = (answer.fail_at.iter()).any(|(pointer, bad)| {
            value
                .pointer(pointer)
                .is_some_and(|found| is_bad(found, bad))
        });
        if !has_failed {
            return Ok(None);
        }
        let said = message(&response.body, error_at).unwrap_or_else(|| "it failed".to_owned());
        let text = format!("{} says: {said}", self.service.title());
        Err(Failure::Text(one_line(&self.service.masked(&text))))
    }

    fn text(&self, template: &Template, scope: &Scope<'_>) -> Result<String, Unfit> {
        let mut text = String::new();
        // What has no value says nothing; a missing word is better than a missing message.
        for part in template.parts() {
            match part {
                super::template::Part::Text(fixed) => text.push_str(fixed),
                super::template::Part::Reference(reference) => {
                    if let Some(value) = reference.value(scope)? {
                        text.push_str(&text_of(&value));
                    }
                }
            }
        }
        Ok(one_line(&self.service.masked(&text)))
    }

    fn unreadable(&self, error: &ResponseError) -> Failure {
        let text = format!("{}: {error}", self.service.title());
        Failure::Text(one_line(&self.service.masked(&text)))
    }

    // --- pages --------------------------------------------------------------------------------

    /// All pages as one list, as far as is wanted.
    async fn all_pages(
        &self,
        pages: &PagesSpec,
        values: &Values<'_>,
    ) -> Result<ToolResult, Failure> {
        let answer = &self.spec.answer;
        let items_max = pages.items_max(&self.scope(values))?;
        let mut outgoing = self.build(&self.spec.request, answer, values)?;
        pages.prepare(&mut outgoing);
        let mut all: Option<Document> = None;
        let mut note = None;
        for index in 0..pages.pages_max {
            let response_bytes_max = answer.response.max_response;
            let response = self
                .service
                .exchange(outgoing.clone(), response_bytes_max)
                .await?;
            if let Some(text) = self.judge(answer, &response, values)? {
                return Ok(ToolResult::text(text));
            }
            let media_type = response.headers.value("content-type");
            let decoded = decode(answer.response.decode, &response.body, media_type)
                .map_err(|error| self.unreadable(&error.into()))?;
            let pointed = pages.pointed(&decoded.value);
            let mut value = decoded.value;
            if let Some(pointer) = &pages.items {
                value = value
                    .pointer_mut(pointer)
                    .map(Value::take)
                    .unwrap_or_default();
            }
            let mut document = answer
                .response
                .document(value)
                .map_err(|error| self.unreadable(&error))?;
            add_headers(&mut document, answer, &response);
            let total = pages
                .total_header()
                .and_then(|name| response.headers.value(name));
            let total = total.and_then(|text| text.trim().parse::<u64>().ok());
            if let Some(total) = total {
                document.set_total(total);
            }
            let items_len = document.items_len().unwrap_or_default();
            match &mut all {
                None => all = Some(document),
                Some(all) => all.append(document),
            }
            let items_total = all
                .as_ref()
                .and_then(Document::items_len)
                .unwrap_or_default();
            let next = pages.next(Page {
                pointed,
                items_len,
                items_total,
                index,
                last: pages
                    .last_header()
                    .and_then(|name| response.headers.value(name)),
                total,
            });
            match &next {
                Next::End => break,
                _ if items_total >= items_max => {
                    note = Some(format!("only the first {items_max} items were read"));
                    break;
                }
                _ if index.saturating_add(1) == pages.pages_max => {
                    note = Some(format!(
                        "only the first {} pages were read",
                        pages.pages_max
                    ));
                    break;
                }
                Next::Parameter(value) => pages.advance(&mut outgoing, value.clone()),
                Next::Url(link) => self
                    .service
                    .follow(&mut outgoing, &response.url, link)
                    .map_err(|text| Failure::Text(one_line(&self.service.masked(&text))))?,
            }
        }
        let mut document = all.unwrap_or_default();
        document.truncate(items_max);
        let mut shaped = answer.response.shape(document, &values.arguments);
        if let Some(note) = note {
            shaped.note(note);
        }
        Ok(answer.response.render(shaped, &values.arguments))
    }
}

/// A program as it runs.
pub(super) struct ProgramTool {
    pub schema: Schema,
    pub command: CommandTool,
    pub service: Rc<Service>,
}

impl ProgramTool {
    /// Runs it with the text of an `arguments` object.
    pub(super) async fn call(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<ToolResult, CallError> {
        let arguments = arguments(&self.schema, &SortedSet::new(), text)?;
        let world = self.service.world();
        self.command
            .run(context, &world.children, &arguments, world.commands)
            .await
    }
}

/// The arguments of a call, checked and completed. `times` are those that are read as a time or a duration.
fn arguments(
    schema: &Schema,
    times: &SortedSet<String>,
    text: &str,
) -> Result<Map<String, Value>, CallError> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut arguments: Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| CallError::arguments("arguments: expected a JSON object"))?;
    // Models write `null` for what they leave out. A name nobody knows stays, to be refused.
    if let Some(names) = schema.names() {
        arguments
            .retain(|name, value| !(value.is_null() && names.clone().any(|known| known == name)));
    }
    // A time is a text that may be a number, and unix seconds are written as one. Nothing is lost by that.
    for name in times.iter() {
        if let Some(value) = arguments.get_mut(name).filter(|value| value.is_number()) {
            *value = value.to_string().into();
        }
    }
    schema
        .check(arguments)
        .map_err(|problems| CallError::arguments(schema::describe(&problems)))
}

/// Whether a value is one of those that mean failure; `*` is any that says something.
fn is_bad(found: &Value, bad: &Value) -> bool {
    match bad {
        Value::Array(several) => several.iter().any(|bad| is_bad(found, bad)),
        Value::String(any) if any == "*" => match found {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(true) | Value::Number(_) => true,
        },
        bad => text_of(found) == text_of(bad),
    }
}

/// Puts the headers beside the result that the pack wants there.
fn add_headers(document: &mut Document, answer: &AnswerSpec, response: &Response) {
    for (member, header) in answer.response.headers() {
        if let Some(text) = response.headers.value(header) {
            document.put_beside(member, text.into());
        }
    }
}

/// What we can read of an answer, unless the pack says it otherwise.
fn accept(kind: Decode) -> &'static str {
    match kind {
        Decode::Json | Decode::PromApi | Decode::GrafanaFrames => "application/json",
        _ => "*/*",
    }
}
