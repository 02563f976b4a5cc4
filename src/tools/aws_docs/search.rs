//! `search_documentation`: the documentation's own search.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Method, Request};
use crate::mcp::logging::Level;
use crate::tools::Context;

use super::arguments::Arguments;
use super::fetch::FetchError;
use super::read::object_answer;
use super::{Answer, AwsDocs, Failure, Search, address};

const SEARCH_URL: &str = "https://proxy.search.docs.aws.com/search";

/// Results, unless said otherwise, and at most.
const RESULTS: u64 = 10;
const RESULTS_MAX: u64 = 50;

// What is sent.

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    text_query: TextQuery<'a>,
    context_attributes: Vec<Attribute<'a>>,
    accept_suggestion_body: &'static str,
    locales: [&'static str; 1],
}

#[derive(Serialize)]
struct TextQuery<'a> {
    input: &'a str,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: &'a str,
}

// What is answered.

#[derive(Default, Serialize)]
struct Response {
    search_results: Vec<Found>,
    facets: Option<Facets>,
    query_id: String,
    metadata: Option<Metadata>,
}

#[derive(Default, Serialize)]
struct Found {
    rank_order: usize,
    url: String,
    title: String,
    context: Option<String>,
    recommended_sections: Option<Vec<String>>,
    sections: Option<Vec<String>>,
    metadata: Option<FoundMetadata>,
}

#[derive(Serialize)]
struct FoundMetadata {
    additional_urls: Vec<AdditionalUrl>,
}

#[derive(Serialize)]
struct Facets {
    #[serde(skip_serializing_if = "Option::is_none")]
    product_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guide_types: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Metadata {
    discovered_services: Option<Vec<Service>>,
    related_tasks: Option<Vec<Task>>,
    relationships: Option<Vec<Relationship>>,
}

// What is passed on as it is, known members alone.

#[derive(Deserialize, Serialize)]
struct AdditionalUrl {
    url: String,
    section_title: Option<String>,
    section_anchor: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Service {
    name: String,
    description: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Task {
    name: String,
    description: Option<String>,
    urls: Option<Vec<TaskUrl>>,
}

#[derive(Deserialize, Serialize)]
struct TaskUrl {
    url_name: String,
    url_description: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Relationship {
    relation: Option<String>,
    to: Option<String>,
    to_description: Option<String>,
    from: Option<String>,
}

/// Why there is no list of results.
enum Problem {
    /// Told as the only result, as the reference does.
    Told(String),
    /// The answer has a shape that nothing can be made of.
    Shape(&'static str),
}

impl AwsDocs {
    /// Searches.
    pub(super) async fn search(&self, context: &Context, arguments: &mut Arguments) -> Answer {
        let phrase = arguments.text("search_phrase");
        let intent = arguments.text_or_empty("search_intent");
        let limit = arguments.integer("limit", RESULTS, 1, RESULTS_MAX);
        let products = arguments.optional_list("product_types");
        let guides = arguments.optional_list("guide_types");
        arguments.finish()?;
        let answer = self.ask_search(&phrase, &intent, &products, &guides).await;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let response = match answer.and_then(|answer| Response::read(&answer, limit)) {
            Ok(response) => response,
            Err(Problem::Told(text)) => {
                context.log(Level::Error, &text);
                return Ok(object_answer(&Response::of_problem(text)));
            }
            Err(Problem::Shape(text)) => return Err(Failure::new(text).into()),
        };
        self.memory.remember(Search {
            query_id: response.query_id.clone(),
            urls: response
                .search_results
                .iter()
                .map(|found| found.url.clone())
                .collect(),
        });
        Ok(object_answer(&response))
    }

    async fn ask_search(
        &self,
        phrase: &str,
        intent: &str,
        products: &[String],
        guides: &[String],
    ) -> Result<Value, Problem> {
        let network =
            |error: FetchError| Problem::Told(format!("Error searching AWS docs: {error}"));
        let session = self.memory.session.as_str();
        let intent = form_encoded(intent);
        let mut parameters = vec![("session", session)];
        if !intent.is_empty() {
            parameters.push(("search_intent", &intent));
        }
        let url = address::with_parameters(SEARCH_URL, &parameters)
            .map_err(|error| network(FetchError::Url(error)))?;
        let body = serde_json::to_vec(&body(phrase, products, guides)).unwrap_or_default();
        let request = Request::new(Method::Post, url)
            .header("Content-Type", "application/json")
            .header("X-MCP-Session-Id", session)
            .body(body);
        let fetched = self.upstream.send(request).await.map_err(network)?;
        if fetched.status >= 400 {
            return Err(Problem::Told(format!(
                "Error searching AWS docs - status code {}",
                fetched.status
            )));
        }
        serde_json::from_str(&fetched.text)
            .map_err(|error| Problem::Told(format!("Error parsing search results: {error}")))
    }
}

fn body<'a>(phrase: &'a str, products: &'a [String], guides: &'a [String]) -> Body<'a> {
    let attribute = |key, value| Attribute { key, value };
    let mut attributes = vec![attribute("domain", "docs.aws.amazon.com")];
    if phrase.to_lowercase().contains("neuron") {
        attributes.push(attribute("domain", "awsdocs-neuron.readthedocs-hosted.com"));
    }
    attributes.extend(
        products
            .iter()
            .map(|product| attribute("aws-docs-search-product", product)),
    );
    attributes.extend(
        guides
            .iter()
            .map(|guide| attribute("aws-docs-search-guide", guide)),
    );
    Body {
        text_query: TextQuery { input: phrase },
        context_attributes: attributes,
        accept_suggestion_body: "RawText",
        locales: ["en_us"],
    }
}

/// On one line, as a form would send it.
fn form_encoded(intent: &str) -> String {
    let text = crate::html::space::collapse(intent);
    address::encode(&text, " ").replace(' ', "+")
}

impl Response {
    fn of_problem(text: String) -> Response {
        Response {
            search_results: vec![Found {
                rank_order: 1,
                title: text,
                ..Found::default()
            }],
            ..Response::default()
        }
    }

    fn read(answer: &Value, limit: usize) -> Result<Response, Problem> {
        let Value::Object(answer) = answer else {
            return Err(Problem::Shape(
                "the search answered with JSON that is not an object",
            ));
        };
        let suggestions = match answer.get("suggestions") {
            None => &[],
            Some(Value::Array(list)) => list.as_slice(),
            Some(_) => {
                return Err(Problem::Shape(
                    "the search answered with `suggestions` that are not a list",
                ));
            }
        };
        let mut results = Vec::new();
        for (at, suggestion) in suggestions.iter().take(limit).enumerate() {
            // What is skipped keeps its rank.
            if let Some(Value::Object(excerpt)) = suggestion.get("textExcerptSuggestion") {
                results.push(Found::read(at.saturating_add(1), excerpt)?);
            }
        }
        Ok(Response {
            search_results: results,
            facets: answer.get("facets").and_then(Facets::read),
            query_id: text(answer, "queryId")?,
            metadata: answer.get("metadata").and_then(Metadata::read),
        })
    }
}

impl Found {
    fn read(rank_order: usize, excerpt: &Map<String, Value>) -> Result<Found, Problem> {
        let metadata = match excerpt.get("metadata") {
            None => None,
            Some(Value::Object(metadata)) => Some(metadata),
            Some(_) => {
                return Err(Problem::Shape(
                    "the search answered with a `metadata` that is not an object",
                ));
            }
        };
        let member = |name| metadata.and_then(|metadata| metadata.get(name));
        // There, but empty, counts as there.
        let context = excerpt
            .get("summary")
            .or_else(|| excerpt.get("suggestionBody"));
        Ok(Found {
            rank_order,
            url: text(excerpt, "link")?,
            title: text(excerpt, "title")?,
            context: context.and_then(Value::as_str).map(str::to_owned),
            recommended_sections: member("recommended_sections").and_then(texts),
            sections: member("sections").and_then(texts),
            metadata: entries(member("additional_urls"))
                .ok()
                .flatten()
                .map(|additional_urls| FoundMetadata { additional_urls }),
        })
    }
}

impl Facets {
    fn read(facets: &Value) -> Option<Facets> {
        let facets = Facets {
            product_types: facets.get("aws-docs-search-product").and_then(texts),
            guide_types: facets.get("aws-docs-search-guide").and_then(texts),
        };
        (facets.product_types.is_some() || facets.guide_types.is_some()).then_some(facets)
    }
}

impl Metadata {
    /// One bad entry drops it whole.
    fn read(metadata: &Value) -> Option<Metadata> {
        let metadata = Metadata {
            discovered_services: entries(metadata.get("discovered_services")).ok()?,
            related_tasks: entries(metadata.get("related_tasks")).ok()?,
            relationships: entries(metadata.get("relationships")).ok()?,
        };
        let is_empty = metadata.discovered_services.is_none()
            && metadata.related_tasks.is_none()
            && metadata.relationships.is_none();
        (!is_empty).then_some(metadata)
    }
}

/// A text, empty if it is not there.
fn text(object: &Map<String, Value>, name: &'static str) -> Result<String, Problem> {
    match object.get(name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Problem::Shape(
            "the search answered with a title, link or query id that is not a text",
        )),
    }
}

/// The texts of a list that are not empty; none if there are none.
fn texts(list: &Value) -> Option<Vec<String>> {
    let texts = list
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| !text.is_empty());
    let texts: Vec<String> = texts.map(str::to_owned).collect();
    Some(texts).filter(|texts| !texts.is_empty())
}

/// The entries of a list; none if it is empty, null or not there.
fn entries<T: for<'de> Deserialize<'de>>(
    list: Option<&Value>,
) -> Result<Option<Vec<T>>, serde_json::Error> {
    let list: Option<Vec<T>> = list.map_or(Ok(None), Deserialize::deserialize)?;
    Ok(list.filter(|list| !list.is_empty()))
}
