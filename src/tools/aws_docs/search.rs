//! `search_documentation`: the documentation's own search.

use serde_json::{Map, Value};

use crate::client::{Method, Request};
use crate::mcp::json::{self, Object};
use crate::mcp::logging::Level;
use crate::mcp::tool::ToolResult;
use crate::tools::Context;

use super::arguments::Arguments;
use super::fetch::FetchError;
use super::output::{text_or_null, texts_or_null};
use super::read::object_answer;
use super::{Answer, AwsDocs, Failure, Search, address};

const SEARCH_URL: &str = "https://proxy.search.docs.aws.com/search";

/// Results, unless said otherwise, and at most.
const RESULTS: u64 = 10;
const RESULTS_MAX: u64 = 50;

/// What is answered: texts of the host's answer, or our own.
#[derive(Default)]
struct Response<'a> {
    search_results: Vec<Found<'a>>,
    facets: Option<Facets<'a>>,
    query_id: &'a str,
    metadata: Option<Metadata<'a>>,
}

#[derive(Default)]
struct Found<'a> {
    rank_order: u64,
    url: &'a str,
    title: &'a str,
    context: Option<&'a str>,
    recommended_sections: Option<Vec<&'a str>>,
    sections: Option<Vec<&'a str>>,
    additional_urls: Option<&'a [Value]>,
}

struct Facets<'a> {
    product_types: Option<Vec<&'a str>>,
    guide_types: Option<Vec<&'a str>>,
}

struct Metadata<'a> {
    discovered_services: Option<&'a [Value]>,
    related_tasks: Option<&'a [Value]>,
    relationships: Option<&'a [Value]>,
}

// What is passed on as it is, known members alone.

/// A member of an entry: its name and what it holds.
type Member = (&'static str, Kind);

#[derive(Clone, Copy)]
enum Kind {
    Text,
    OptionalText,
    OptionalList(&'static [Member]),
}

const ADDITIONAL_URL: &[Member] = &[
    ("url", Kind::Text),
    ("section_title", Kind::OptionalText),
    ("section_anchor", Kind::OptionalText),
];

const SERVICE: &[Member] = &[("name", Kind::Text), ("description", Kind::OptionalText)];

const TASK: &[Member] = &[
    ("name", Kind::Text),
    ("description", Kind::OptionalText),
    ("urls", Kind::OptionalList(TASK_URL)),
];

const TASK_URL: &[Member] = &[
    ("url_name", Kind::Text),
    ("url_description", Kind::OptionalText),
];

const RELATIONSHIP: &[Member] = &[
    ("relation", Kind::OptionalText),
    ("to", Kind::OptionalText),
    ("to_description", Kind::OptionalText),
    ("from", Kind::OptionalText),
];

/// The answer has a shape that nothing can be made of.
struct BadShape(&'static str);

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
        let response = match &answer {
            Ok(answer) => Response::read(answer, limit),
            Err(text) => {
                context.log(Level::Error, text);
                return Ok(Response::of_problem(text).answer());
            }
        };
        let response = response.map_err(|BadShape(text)| Failure::new(text))?;
        let urls = response.search_results.iter();
        self.memory.remember(Search {
            query_id: response.query_id.to_owned(),
            urls: urls.map(|found| found.url.to_owned()).collect(),
        });
        Ok(response.answer())
    }

    /// Asks. What goes wrong is told as the only result, as the reference does.
    async fn ask_search(
        &self,
        phrase: &str,
        intent: &str,
        products: &[String],
        guides: &[String],
    ) -> Result<Value, String> {
        let network = |error: FetchError| format!("Error searching AWS docs: {error}");
        let session = self.memory.session.as_str();
        let intent = form_encoded(intent);
        let mut parameters = vec![("session", session)];
        if !intent.is_empty() {
            parameters.push(("search_intent", &intent));
        }
        let url = address::with_parameters(SEARCH_URL, &parameters)
            .map_err(|error| network(FetchError::Url(error)))?;
        let body = body(phrase, products, guides);
        let request = Request::new(Method::Post, url)
            .header("Content-Type", "application/json")
            .header("X-MCP-Session-Id", session)
            .body(body);
        let fetched = self.upstream.send(request).await.map_err(network)?;
        if fetched.status >= 400 {
            return Err(format!(
                "Error searching AWS docs - status code {}",
                fetched.status
            ));
        }
        serde_json::from_str(&fetched.text)
            .map_err(|error| format!("Error parsing search results: {error}"))
    }
}

fn body(phrase: &str, products: &[String], guides: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |body| {
        body.object("textQuery", |query| query.string("input", phrase));
        body.array("contextAttributes", |attributes| {
            let mut attribute = |key, value: &str| {
                attributes.object(|attribute| {
                    attribute.string("key", key);
                    attribute.string("value", value);
                });
            };
            attribute("domain", "docs.aws.amazon.com");
            if phrase.to_lowercase().contains("neuron") {
                attribute("domain", "awsdocs-neuron.readthedocs-hosted.com");
            }
            for product in products {
                attribute("aws-docs-search-product", product);
            }
            for guide in guides {
                attribute("aws-docs-search-guide", guide);
            }
        });
        body.string("acceptSuggestionBody", "RawText");
        body.strings("locales", &["en_us"]);
    });
    out
}

/// On one line, as a form would send it.
fn form_encoded(intent: &str) -> String {
    let text = crate::html::space::collapse(intent);
    address::encode(&text, " ").replace(' ', "+")
}

impl<'a> Response<'a> {
    fn of_problem(text: &'a str) -> Response<'a> {
        Response {
            search_results: vec![Found {
                rank_order: 1,
                title: text,
                ..Found::default()
            }],
            ..Response::default()
        }
    }

    fn read(answer: &'a Value, limit: usize) -> Result<Response<'a>, BadShape> {
        let Value::Object(answer) = answer else {
            return Err(BadShape(
                "the search answered with JSON that is not an object",
            ));
        };
        let suggestions = match answer.get("suggestions") {
            None => &[],
            Some(Value::Array(list)) => list.as_slice(),
            Some(_) => {
                return Err(BadShape(
                    "the search answered with `suggestions` that are not a list",
                ));
            }
        };
        let mut results = Vec::new();
        for (rank, suggestion) in (1..).zip(suggestions.iter().take(limit)) {
            // What is skipped keeps its rank.
            if let Some(Value::Object(excerpt)) = suggestion.get("textExcerptSuggestion") {
                results.push(Found::read(rank, excerpt)?);
            }
        }
        Ok(Response {
            search_results: results,
            facets: answer.get("facets").and_then(Facets::read),
            query_id: text(answer, "queryId")?,
            metadata: answer.get("metadata").and_then(Metadata::read),
        })
    }

    fn answer(&self) -> ToolResult {
        let mut out = Vec::new();
        json::object(&mut out, |object| {
            object.array("search_results", |results| {
                for found in &self.search_results {
                    results.object(|object| found.write(object));
                }
            });
            match &self.facets {
                Some(facets) => object.object("facets", |object| facets.write(object)),
                None => object.raw("facets", "null"),
            }
            object.string("query_id", self.query_id);
            match &self.metadata {
                Some(metadata) => object.object("metadata", |object| metadata.write(object)),
                None => object.raw("metadata", "null"),
            }
        });
        object_answer(out)
    }
}

impl<'a> Found<'a> {
    fn read(rank_order: u64, excerpt: &'a Map<String, Value>) -> Result<Found<'a>, BadShape> {
        let metadata = match excerpt.get("metadata") {
            None => None,
            Some(Value::Object(metadata)) => Some(metadata),
            Some(_) => {
                return Err(BadShape(
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
            context: context.and_then(Value::as_str),
            recommended_sections: member("recommended_sections").and_then(texts),
            sections: member("sections").and_then(texts),
            additional_urls: entries(member("additional_urls"), ADDITIONAL_URL).unwrap_or(None),
        })
    }

    fn write(&self, object: &mut Object<'_>) {
        object.unsigned("rank_order", self.rank_order);
        object.string("url", self.url);
        object.string("title", self.title);
        text_or_null(object, "context", self.context);
        let recommended = self.recommended_sections.as_deref();
        texts_or_null(object, "recommended_sections", recommended);
        texts_or_null(object, "sections", self.sections.as_deref());
        match self.additional_urls {
            None => object.raw("metadata", "null"),
            urls => object.object("metadata", |object| {
                write_entries(object, "additional_urls", urls, ADDITIONAL_URL);
            }),
        }
    }
}

impl<'a> Facets<'a> {
    fn read(facets: &'a Value) -> Option<Facets<'a>> {
        let facets = Facets {
            product_types: facets.get("aws-docs-search-product").and_then(texts),
            guide_types: facets.get("aws-docs-search-guide").and_then(texts),
        };
        (facets.product_types.is_some() || facets.guide_types.is_some()).then_some(facets)
    }

    fn write(&self, object: &mut Object<'_>) {
        if let Some(types) = &self.product_types {
            object.strings("product_types", types);
        }
        if let Some(types) = &self.guide_types {
            object.strings("guide_types", types);
        }
    }
}

impl<'a> Metadata<'a> {
    /// One bad entry drops it whole.
    fn read(metadata: &'a Value) -> Option<Metadata<'a>> {
        let metadata = Metadata {
            discovered_services: entries(metadata.get("discovered_services"), SERVICE).ok()?,
            related_tasks: entries(metadata.get("related_tasks"), TASK).ok()?,
            relationships: entries(metadata.get("relationships"), RELATIONSHIP).ok()?,
        };
        let is_empty = metadata.discovered_services.is_none()
            && metadata.related_tasks.is_none()
            && metadata.relationships.is_none();
        (!is_empty).then_some(metadata)
    }

    fn write(&self, object: &mut Object<'_>) {
        let services = self.discovered_services;
        write_entries(object, "discovered_services", services, SERVICE);
        write_entries(object, "related_tasks", self.related_tasks, TASK);
        write_entries(object, "relationships", self.relationships, RELATIONSHIP);
    }
}

/// A text, empty if it is not there.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, BadShape> {
    match object.get(name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(BadShape(
            "the search answered with a title, link or query id that is not a text",
        )),
    }
}

/// The texts of a list that are not empty; none if there are none.
fn texts(list: &Value) -> Option<Vec<&str>> {
    let texts = list.as_array()?.iter().filter_map(Value::as_str);
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    Some(texts).filter(|texts| !texts.is_empty())
}

/// An entry that lacks a member, or has one of another kind.
struct BadEntry;

/// The entries of a list; none if it is empty, null or not there.
fn entries<'a>(
    list: Option<&'a Value>,
    members: &[Member],
) -> Result<Option<&'a [Value]>, BadEntry> {
    match list {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.iter().all(|entry| fits(entry, members)) => {
            Ok(Some(list.as_slice()).filter(|list| !list.is_empty()))
        }
        Some(_) => Err(BadEntry),
    }
}

fn fits(entry: &Value, members: &[Member]) -> bool {
    let Value::Object(entry) = entry else {
        return false;
    };
    members
        .iter()
        .all(|(name, kind)| match (kind, entry.get(*name)) {
            (Kind::Text | Kind::OptionalText, Some(Value::String(_))) => true,
            (Kind::OptionalList(members), Some(Value::Array(list))) => {
                list.iter().all(|entry| fits(entry, members))
            }
            (Kind::OptionalText | Kind::OptionalList(_), None | Some(Value::Null)) => true,
            _ => false,
        })
}

/// Writes a list of entries that fit, or null.
fn write_entries(object: &mut Object<'_>, name: &str, list: Option<&[Value]>, members: &[Member]) {
    let Some(list) = list else {
        return object.raw(name, "null");
    };
    object.array(name, |array| {
        for entry in list {
            array.object(|object| {
                for (name, kind) in members {
                    match (kind, entry.get(name)) {
                        (Kind::OptionalList(members), Some(Value::Array(list))) => {
                            write_entries(object, name, Some(list), members);
                        }
                        (_, text) => text_or_null(object, name, text.and_then(Value::as_str)),
                    }
                }
            });
        }
    });
}
