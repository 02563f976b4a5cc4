//! `recommend`: pages that go with a page.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::Request;
use crate::mcp::content::Content;
use crate::mcp::json;
use crate::mcp::logging::Level;
use crate::mcp::tool::ToolResult;
use crate::tools::Context;

use super::arguments::Arguments;
use super::fetch::FetchError;
use super::output::{indented, text_or_null};
use super::{Answer, AwsDocs, Failure, address};

const RECOMMENDATIONS_URL: &str = "https://api.contentrecs.docs.aws.com/v1/recommendations";

/// The answer has a shape that nothing can be made of.
struct BadShape;

impl AwsDocs {
    /// Recommends. The URL must be one of the documentation: the reference sends whatever it is given to the service.
    pub(super) async fn recommend(&self, context: &Context, arguments: &mut Arguments) -> Answer {
        let url = arguments.text("url");
        arguments.finish()?;
        if !self.partition.allows(&url) {
            let problem = "URL must be from list of supported domains";
            return Err(Failure {
                text: problem.to_owned(),
                logged: format!("Invalid URL: {url}. {problem}"),
            }
            .into());
        }
        let result = match self.ask_recommendations(&url).await {
            Ok(answer) => read(&answer).map_err(|BadShape| {
                Failure::new("the recommendations came in a shape that nothing can be made of")
            })?,
            Err(text) => {
                context.log(Level::Error, &text);
                vec![write("", &text, None)]
            }
        };
        let structured = format!(r#"{{"result":[{}]}}"#, result.join(","));
        let blocks = result.iter().map(|json| Content::text(indented(json)));
        Ok(ToolResult {
            content: blocks.collect(),
            structured: RawValue::from_string(structured).ok(),
            ..ToolResult::default()
        })
    }

    async fn ask_recommendations(&self, url: &str) -> Result<Value, String> {
        let network = |error: FetchError| format!("Error getting recommendations: {error}");
        let path = address::encode(url, ":/");
        let parameters = [("path", path.as_str()), ("session", &self.memory.session)];
        let request = address::with_parameters(RECOMMENDATIONS_URL, &parameters);
        let request = Request::get(request.map_err(|error| network(FetchError::Url(error)))?);
        let fetched = self.upstream.send(request).await.map_err(network)?;
        if fetched.status >= 400 {
            return Err(format!(
                "Error getting recommendations - status code {}",
                fetched.status
            ));
        }
        serde_json::from_str(&fetched.text)
            .map_err(|error| format!("Error parsing recommendations: {error}"))
    }
}

/// The three kinds, in this order, each recommendation as JSON.
fn read(answer: &Value) -> Result<Vec<String>, BadShape> {
    if !answer.is_object() {
        return Err(BadShape);
    }
    let mut all = Vec::new();
    for item in items(answer, "journey") {
        let intent = item.get("intent").and_then(Value::as_str);
        let context = intent.map(|intent| format!("Intent: {intent}"));
        for page in item
            .get("urls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            all.push(recommendation(page, context.as_deref())?);
        }
    }
    for item in items(answer, "new") {
        let date = item.get("dateCreated").and_then(Value::as_str);
        let context = date.map_or_else(
            || "New content".to_owned(),
            |date| format!("New content added on {date}"),
        );
        all.push(recommendation(item, Some(&context))?);
    }
    for item in items(answer, "similar") {
        let context = match item.get("abstract") {
            Some(given) => given.as_str(),
            None => Some("Similar content"),
        };
        all.push(recommendation(item, context)?);
    }
    Ok(all)
}

fn items<'a>(answer: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    let items = answer.get(kind).and_then(|kind| kind.get("items"));
    items.and_then(Value::as_array).into_iter().flatten()
}

fn recommendation(page: &Value, context: Option<&str>) -> Result<String, BadShape> {
    let text = |name| match page.get(name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(BadShape),
    };
    Ok(write(text("url")?, text("assetTitle")?, context))
}

fn write(url: &str, title: &str, context: Option<&str>) -> String {
    let mut out = Vec::new();
    json::object(&mut out, |object| {
        object.string("url", url);
        object.string("title", title);
        text_or_null(object, "context", context);
    });
    String::from_utf8_lossy(&out).into_owned()
}
