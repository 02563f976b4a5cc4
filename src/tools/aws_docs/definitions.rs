//! What clients are told of the tools: names, descriptions, schemas, and instructions for the server as a whole.
//!
//! Names and schemas are those of the reference, member for member; the words are ours. `tests/it/aws_docs.rs` compares them.

use crate::mcp::tool::{Tool, ToolAnnotations};

use super::Partition;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The services of a partition.
    GetAvailableServices,
    /// One page, part by part.
    ReadDocumentation,
    /// Some sections of a page.
    ReadSections,
    /// Pages that go with a page.
    Recommend,
    /// Pages for a phrase.
    SearchDocumentation,
    /// Rows of a page's tables.
    SearchTable,
}

impl Name {
    /// As it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::GetAvailableServices => "get_available_services",
            Name::ReadDocumentation => "read_documentation",
            Name::ReadSections => "read_sections",
            Name::Recommend => "recommend",
            Name::SearchDocumentation => "search_documentation",
            Name::SearchTable => "search_table",
        }
    }
}

/// What `tools/list` says of one.
struct Definition {
    name: Name,
    title: &'static str,
    description: &'static str,
    input_schema: &'static str,
    output_schema: &'static str,
}

impl Partition {
    /// The tools of a partition, in the order they are listed.
    pub fn tools(self) -> impl Iterator<Item = (Name, Tool)> {
        let definitions: &[Definition] = match self {
            Partition::Aws => &AWS,
            Partition::AwsCn => &AWS_CN,
        };
        definitions
            .iter()
            .map(|definition| (definition.name, definition.tool()))
    }

    /// How to use them together, for the model.
    pub fn instructions(self) -> &'static str {
        match self {
            Partition::Aws => AWS_INSTRUCTIONS,
            Partition::AwsCn => AWS_CN_INSTRUCTIONS,
        }
    }
}

impl Definition {
    fn tool(&self) -> Tool {
        Tool::new(self.name.as_str())
            .title(self.title)
            .description(self.description)
            .input_schema_json(self.input_schema)
            .output_schema_json(self.output_schema)
            .annotations(ToolAnnotations {
                read_only: Some(true),
                destructive: Some(false),
                idempotent: Some(true),
                open_world: Some(true),
            })
    }
}

const AWS_INSTRUCTIONS: &str = "\
AWS documentation.

Start with `search_documentation` unless you have the address of a page already: put the names of services and features into the \
phrase, and try other words before you conclude that something is not documented. An answer's `facets` hold the names by which to \
narrow the next search.

A result lists the sections of its page. If you know which ones you need, `read_sections` is the shortest way; `read_documentation` \
reads from the beginning, part by part, and says with which `start_index` to go on. Stop as soon as you have the answer.

Large tables (quotas, endpoints, actions, error codes) are shortened in what you read. Look rows up with `search_table`, with few and \
telling words; every word must be in the row.

`recommend` finds pages around one that you have read, new ones and those that others read next.

Name the address of each page an answer rests on, and do not put in what is not there.";

const AWS_CN_INSTRUCTIONS: &str = "\
Documentation of AWS in China.

`get_available_services` lists the services of these regions with the addresses of their guides: what is missing there is not \
offered. `read_documentation` reads a page under https://docs.amazonaws.cn/ from the beginning, part by part, and says with which \
`start_index` to go on. Stop as soon as you have the answer.

Names, endpoints and features differ from those of other regions; rely on these pages alone, and name the address of each page an \
answer rests on.";

const AWS: [Definition; 5] = [
    Definition {
        name: Name::ReadDocumentation,
        title: "Read AWS documentation",
        description: "Reads one page of the AWS documentation as Markdown.

Takes addresses under https://docs.aws.amazon.com/ and https://awsdocs-neuron.readthedocs-hosted.com/ that end in `.html`. Long \
pages come in parts of `max_length` characters; each part ends with the `start_index` of the next. Links in the text may be read in \
turn. Tables with more than 20 rows are shortened: `search_table` finds their rows.",
        input_schema: r##"{"properties":{"url":{"title":"Url","type":"string","description":"Address of the page; ends in `.html`."},"max_length":{"default":5000,"exclusiveMaximum":1000000,"exclusiveMinimum":0,"title":"Max Length","type":"integer","description":"Most characters to return."},"start_index":{"default":0,"minimum":0,"title":"Start Index","type":"integer","description":"Character to begin at: 0 at first, then the number the last answer named."}},"required":["url"],"type":"object","title":"read_documentationArguments"}"##,
        output_schema: r##"{"properties":{"result":{"title":"Result","type":"string"}},"required":["result"],"type":"object","title":"read_documentationOutput"}"##,
    },
    Definition {
        name: Name::ReadSections,
        title: "Read sections of AWS documentation",
        description: "Reads only certain sections of a page of the AWS documentation, as Markdown.

Use it when you know the titles, from a search result or a table of contents: it saves reading the rest. Sections are those under \
second-level headings, with everything below them. Titles that the page does not have are named at the end; if it has none of them, \
the failure lists those it has.",
        input_schema: r##"{"properties":{"url":{"title":"Url","type":"string","description":"Address of the page; ends in `.html`."},"section_titles":{"items":{"type":"string"},"title":"Section Titles","type":"array","description":"Titles of the wanted sections (second-level headings), in any case."}},"required":["url","section_titles"],"type":"object","title":"read_sectionsArguments"}"##,
        output_schema: r##"{"properties":{"result":{"title":"Result","type":"string"}},"required":["result"],"type":"object","title":"read_sectionsOutput"}"##,
    },
    Definition {
        name: Name::SearchTable,
        title: "Search tables of AWS documentation",
        description: "Finds rows in the tables of a page of the AWS documentation: quotas, endpoints, instance types, API actions, \
error codes.

A row is found if all words of the query are in it; words of four letters and more also match the beginnings of longer ones. Rows \
with matches in the first column come first. Where cells span several rows, the rows under them come together, as one group. Without \
`section_title` all tables of the page are searched. If nothing is found, `hint` says why.",
        input_schema: r##"{"properties":{"url":{"title":"Url","type":"string","description":"Address of the page; ends in `.html`."},"section_title":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Section Title","description":"Heading of the part of the page to search; leave out to search all tables."},"query":{"title":"Query","type":"string","description":"Words that must all be in a row."},"max_rows":{"default":20,"maximum":100,"minimum":1,"title":"Max Rows","type":"integer","description":"Most rows to return of one table."}},"required":["url","query"],"type":"object","title":"search_tableArguments"}"##,
        output_schema: r##"{"properties":{"url":{"title":"Url","type":"string"},"section_title":{"title":"Section Title","type":"string"},"query":{"title":"Query","type":"string"},"tables_searched":{"title":"Tables Searched","type":"integer"},"tables_with_matches":{"title":"Tables With Matches","type":"integer"},"results":{"items":{"$ref":"#/$defs/TableResult"},"title":"Results","type":"array"},"hint":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Hint"}},"required":["url","section_title","query","tables_searched","tables_with_matches","results"],"type":"object","$defs":{"TableResult":{"properties":{"table_heading":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Table Heading"},"columns":{"items":{"type":"string"},"title":"Columns","type":"array"},"parent_columns":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Parent Columns"},"child_columns":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Child Columns"},"total_rows":{"title":"Total Rows","type":"integer"},"matched_rows":{"title":"Matched Rows","type":"integer"},"showing":{"title":"Showing","type":"integer"},"rows":{"items":{"additionalProperties":true,"type":"object"},"title":"Rows","type":"array"}},"required":["columns","total_rows","matched_rows","showing","rows"],"title":"TableResult","type":"object"}},"title":"SearchTableResponse"}"##,
    },
    Definition {
        name: Name::SearchDocumentation,
        title: "Search AWS documentation",
        description: "Searches the AWS documentation: user and developer guides, API references, announcements, blogs and more.

Use the terms of the documentation, with the name of the service; quotation marks keep words together. Each result has an address, a \
summary and, where known, the sections of its page and those that fit best: read them with `read_sections`. `facets` lists products \
and kinds of guides to narrow the search by. What the search itself reports as a problem comes as a result without an address.",
        input_schema: r##"{"properties":{"search_phrase":{"title":"Search Phrase","type":"string","description":"What to look for: service names and terms, as in the documentation."},"search_intent":{"default":"","title":"Search Intent","type":"string","description":"What the user wants to achieve, in a sentence without names or other personal data."},"limit":{"default":10,"maximum":50,"minimum":1,"title":"Limit","type":"integer","description":"Most results."},"product_types":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Product Types","description":"Only pages of these products, spelled as in `facets` of an earlier answer."},"guide_types":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Guide Types","description":"Only guides of these kinds, spelled as in `facets` of an earlier answer."}},"required":["search_phrase"],"type":"object","title":"search_documentationArguments"}"##,
        output_schema: r##"{"properties":{"search_results":{"items":{"$ref":"#/$defs/SearchResult"},"title":"Search Results","type":"array"},"facets":{"anyOf":[{"additionalProperties":{"items":{"type":"string"},"type":"array"},"type":"object"},{"type":"null"}],"default":null,"title":"Facets"},"query_id":{"title":"Query Id","type":"string"},"metadata":{"anyOf":[{"$ref":"#/$defs/ResponseMetadata"},{"type":"null"}],"default":null}},"required":["search_results","query_id"],"type":"object","$defs":{"AdditionalUrl":{"properties":{"url":{"title":"Url","type":"string"},"section_title":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Section Title"},"section_anchor":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Section Anchor"}},"required":["url"],"title":"AdditionalUrl","type":"object"},"DiscoveredService":{"properties":{"name":{"title":"Name","type":"string"},"description":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Description"}},"required":["name"],"title":"DiscoveredService","type":"object"},"RelatedTask":{"properties":{"name":{"title":"Name","type":"string"},"description":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Description"},"urls":{"anyOf":[{"items":{"$ref":"#/$defs/RelatedTaskUrl"},"type":"array"},{"type":"null"}],"default":null,"title":"Urls"}},"required":["name"],"title":"RelatedTask","type":"object"},"RelatedTaskUrl":{"properties":{"url_name":{"title":"Url Name","type":"string"},"url_description":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Url Description"}},"required":["url_name"],"title":"RelatedTaskUrl","type":"object"},"Relationship":{"properties":{"relation":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Relation"},"to":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"To"},"to_description":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"To Description"},"from":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"From"}},"title":"Relationship","type":"object"},"ResponseMetadata":{"properties":{"discovered_services":{"anyOf":[{"items":{"$ref":"#/$defs/DiscoveredService"},"type":"array"},{"type":"null"}],"default":null,"title":"Discovered Services"},"related_tasks":{"anyOf":[{"items":{"$ref":"#/$defs/RelatedTask"},"type":"array"},{"type":"null"}],"default":null,"title":"Related Tasks"},"relationships":{"anyOf":[{"items":{"$ref":"#/$defs/Relationship"},"type":"array"},{"type":"null"}],"default":null,"title":"Relationships"}},"title":"ResponseMetadata","type":"object"},"SearchResult":{"properties":{"rank_order":{"title":"Rank Order","type":"integer"},"url":{"title":"Url","type":"string"},"title":{"title":"Title","type":"string"},"context":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Context"},"recommended_sections":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Recommended Sections"},"sections":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Sections"},"metadata":{"anyOf":[{"$ref":"#/$defs/SearchResultMetadata"},{"type":"null"}],"default":null}},"required":["rank_order","url","title"],"title":"SearchResult","type":"object"},"SearchResultMetadata":{"properties":{"additional_urls":{"anyOf":[{"items":{"$ref":"#/$defs/AdditionalUrl"},"type":"array"},{"type":"null"}],"default":null,"title":"Additional Urls"}},"title":"SearchResultMetadata","type":"object"}},"title":"SearchResponse"}"##,
    },
    Definition {
        name: Name::Recommend,
        title: "Recommend AWS documentation",
        description: "Recommends pages of the AWS documentation that go with one you have: what others read next and why, what is \
new in the same service, and what is similar.

Helps to get to know a service, or to find recent features: give it the address of the service's start page and look at those marked \
as new.",
        input_schema: r##"{"properties":{"url":{"title":"Url","type":"string","description":"Address of a page of the documentation."}},"required":["url"],"type":"object","title":"recommendArguments"}"##,
        output_schema: r##"{"properties":{"result":{"items":{"$ref":"#/$defs/RecommendationResult"},"title":"Result","type":"array"}},"required":["result"],"type":"object","$defs":{"RecommendationResult":{"properties":{"url":{"title":"Url","type":"string"},"title":{"title":"Title","type":"string"},"context":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Context"}},"required":["url","title"],"title":"RecommendationResult","type":"object"}},"title":"recommendOutput"}"##,
    },
];

const AWS_CN: [Definition; 2] = [
    Definition {
        name: Name::ReadDocumentation,
        title: "Read AWS China documentation",
        description: "Reads one page of the documentation of AWS in China as Markdown.

Takes addresses under https://docs.amazonaws.cn/ that end in `.html`. Long pages come in parts of `max_length` characters; each part \
ends with the `start_index` of the next. Links in the text may be read in turn.",
        input_schema: r##"{"properties":{"url":{"anyOf":[{"format":"uri","minLength":1,"type":"string"},{"type":"string"}],"title":"Url","description":"Address of the page; ends in `.html`."},"max_length":{"default":5000,"exclusiveMaximum":1000000,"exclusiveMinimum":0,"title":"Max Length","type":"integer","description":"Most characters to return."},"start_index":{"default":0,"minimum":0,"title":"Start Index","type":"integer","description":"Character to begin at: 0 at first, then the number the last answer named."}},"required":["url"],"type":"object","title":"read_documentationArguments"}"##,
        output_schema: r##"{"properties":{"result":{"title":"Result","type":"string"}},"required":["result"],"type":"object","title":"read_documentationOutput"}"##,
    },
    Definition {
        name: Name::GetAvailableServices,
        title: "Services of AWS in China",
        description: "Lists the services that AWS offers in its regions in China, with the addresses of their documentation.",
        input_schema: r##"{"properties":{},"type":"object","title":"get_available_servicesArguments"}"##,
        output_schema: r##"{"properties":{"result":{"title":"Result","type":"string"}},"required":["result"],"type":"object","title":"get_available_servicesOutput"}"##,
    },
];
