//! `recommend`: pages that go with a page.

use serde::Serialize;
use serde_json::Value;

use crate::client::Request;
use crate::mcp::logging::Level;
use crate::mcp::tool::ToolResult;
use crate::tools::Context;

use super::arguments::Arguments;
use super::fetch::FetchError;
use super::read::json_block;
use super::{Answer, AwsDocs, Failure, address};

const RECOMMENDATIONS_URL: &str = "https://api.contentrecs.docs.aws.com/v1/recommendations";

#[derive(Serialize)]
struct Recommendation {
    url: String,
    title: String,
    context: Option<String>,
}

#[derive(Serialize)]
struct Recommendations {
    result: Vec<Recommendation>,
}

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
                vec![Recommendation {
                    url: String::new(),
                    title: text,
                    context: None,
                }]
            }
        };
        let blocks = result.iter().map(json_block).collect();
        let structured = ToolResult::structured(&Recommendations { result });
        Ok(ToolResult {
            content: blocks,
            ..structured
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

/// The three kinds, in this order.
fn read(answer: &Value) -> Result<Vec<Recommendation>, BadShape> {
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
            all.push(recommendation(page, context.clone())?);
        }
    }
    for item in items(answer, "new") {
        let date = item.get("dateCreated").and_then(Value::as_str);
        let context = date.map_or_else(
            || "New content".to_owned(),
            |date| format!("New content added on {date}"),
        );
        all.push(recommendation(item, Some(context))?);
    }
    for item in items(answer, "similar") {
        let context = match item.get("abstract") {
            Some(given) => given.as_str(),
            None => Some("Similar content"),
        };
        all.push(recommendation(item, context.map(str::to_owned))?);
    }
    Ok(all)
}

fn items<'a>(answer: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    let items = answer.get(kind).and_then(|kind| kind.get("items"));
    items.and_then(Value::as_array).into_iter().flatten()
}

fn recommendation(page: &Value, context: Option<String>) -> Result<Recommendation, BadShape> {
    let text = |name| match page.get(name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(BadShape),
    };
    Ok(Recommendation {
        url: text("url")?,
        title: text("assetTitle")?,
        context,
    })
}
