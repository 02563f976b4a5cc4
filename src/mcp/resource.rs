//! Resources and resource templates as lists show them, and the result of reading one.
//!
//! Not their contents (`content`) nor the matching of URIs (`template`).

use serde_json::value::RawValue;

use super::content::{Annotations, Icon, ResourceContents};
use super::json::{self, Object};
use super::result::{CacheHint, Dialect};
use super::revision::Revision;
use super::template::{TemplateError, UriTemplate};

/// A resource that can be read.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Where to read it.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// Its name for people, since 2025-06-18.
    pub title: Option<String>,
    /// What it holds.
    pub description: Option<String>,
    /// Its media type.
    pub mime_type: Option<String>,
    /// Bytes before any encoding, if known.
    pub size_bytes: Option<u64>,
    /// For whom, how important, how old.
    pub annotations: Option<Box<Annotations>>,
    /// Pictures of it.
    pub icons: Vec<Icon>,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

impl Resource {
    /// A resource with what is required.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Resource {
        Resource {
            uri: uri.into(),
            name: name.into(),
            ..Resource::default()
        }
    }

    /// The same with a title.
    pub fn title(mut self, title: impl Into<String>) -> Resource {
        self.title = Some(title.into());
        self
    }

    /// The same with a description.
    pub fn description(mut self, description: impl Into<String>) -> Resource {
        self.description = Some(description.into());
        self
    }

    /// The same with a media type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Resource {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Writes the object as `resources/list` shows it.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |resource| self.write_members(resource, revision));
    }

    /// Adds the members; a resource link has a `type` before them.
    pub(super) fn write_members(&self, resource: &mut Object<'_>, revision: Revision) {
        resource.string("uri", &self.uri);
        resource.string("name", &self.name);
        if revision.has_titles() {
            resource.optional_string("title", self.title.as_deref());
        }
        resource.optional_string("description", self.description.as_deref());
        resource.optional_string("mimeType", self.mime_type.as_deref());
        if let Some(size) = self.size_bytes {
            resource.unsigned("size", size);
        }
        write_common(
            resource,
            revision,
            self.annotations.as_deref(),
            &self.icons,
            self.meta.as_deref(),
        );
    }
}

/// A family of resources, one for each value of the variables in its URI.
#[derive(Clone, Debug)]
pub struct ResourceTemplate {
    /// The URI with variables.
    pub uri: UriTemplate,
    /// Its name.
    pub name: String,
    /// Its name for people, since 2025-06-18.
    pub title: Option<String>,
    /// What such a resource holds.
    pub description: Option<String>,
    /// The media type, if all have the same.
    pub mime_type: Option<String>,
    /// For whom, how important, how old.
    pub annotations: Option<Box<Annotations>>,
    /// Pictures of it.
    pub icons: Vec<Icon>,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

impl ResourceTemplate {
    /// A template with what is required; refused if the URI template is not one we can match.
    pub fn new(uri: &str, name: impl Into<String>) -> Result<ResourceTemplate, TemplateError> {
        Ok(ResourceTemplate {
            uri: UriTemplate::parse(uri)?,
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        })
    }

    /// The same with a title.
    pub fn title(mut self, title: impl Into<String>) -> ResourceTemplate {
        self.title = Some(title.into());
        self
    }

    /// The same with a description.
    pub fn description(mut self, description: impl Into<String>) -> ResourceTemplate {
        self.description = Some(description.into());
        self
    }

    /// The same with a media type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> ResourceTemplate {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Writes the object as `resources/templates/list` shows it.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |template| {
            template.string("uriTemplate", self.uri.as_str());
            template.string("name", &self.name);
            if revision.has_titles() {
                template.optional_string("title", self.title.as_deref());
            }
            template.optional_string("description", self.description.as_deref());
            template.optional_string("mimeType", self.mime_type.as_deref());
            write_common(
                template,
                revision,
                self.annotations.as_deref(),
                &self.icons,
                self.meta.as_deref(),
            );
        });
    }
}

/// The result of `resources/read`.
#[derive(Clone, Debug, Default)]
pub struct ReadResult {
    /// One entry, or several where the URI stands for a collection. Never empty: an unknown URI is
    /// an error.
    pub contents: Vec<ResourceContents>,
    /// How long it stays fresh.
    pub cache: CacheHint,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

impl ReadResult {
    /// Writes the result.
    pub fn write(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        dialect.complete_with_meta(out, self.meta.as_deref(), |result| {
            result.array("contents", |array| {
                for contents in &self.contents {
                    contents.write(array.element(), dialect.revision);
                }
            });
            self.cache.write(result, dialect.revision);
        });
    }
}

impl From<ResourceContents> for ReadResult {
    fn from(contents: ResourceContents) -> ReadResult {
        ReadResult {
            contents: vec![contents],
            ..ReadResult::default()
        }
    }
}

fn write_common(
    of: &mut Object<'_>,
    revision: Revision,
    annotations: Option<&Annotations>,
    icons: &[Icon],
    meta: Option<&RawValue>,
) {
    if let Some(annotations) = annotations {
        annotations.write(of.key("annotations"), revision);
    }
    if revision.has_icons() {
        Icon::write_all(icons, of);
    }
    if revision.has_meta_on_items() {
        of.optional_raw("_meta", meta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_by_revision() {
        let mut resource = Resource::new("a:b", "n")
            .title("T")
            .description("d")
            .mime_type("x/y");
        resource.size_bytes = Some(7);
        resource.icons.push(Icon::new("data:,"));
        let written = |revision| {
            let mut out = Vec::new();
            resource.write(&mut out, revision);
            String::from_utf8(out).unwrap()
        };
        let plain = r#"{"uri":"a:b","name":"n","description":"d","mimeType":"x/y","size":7}"#;
        assert_eq!(written(Revision::V2025_03_26), plain);
        assert_eq!(
            written(Revision::LATEST),
            r#"{"uri":"a:b","name":"n","title":"T","description":"d","mimeType":"x/y","size":7,"icons":[{"src":"data:,"}]}"#
        );
    }

    #[test]
    fn a_template() {
        let template = ResourceTemplate::new("t://{id}/d", "n").unwrap().title("T");
        let mut out = Vec::new();
        template.write(&mut out, Revision::V2025_06_18);
        assert_eq!(
            out,
            br#"{"uriTemplate":"t://{id}/d","name":"n","title":"T"}"#
        );
        assert!(ResourceTemplate::new("t://{id", "n").is_err());
    }

    #[test]
    fn a_read() {
        let result = ReadResult::from(ResourceContents::text("a:b", "c"));
        let mut out = Vec::new();
        result.write(
            &mut out,
            &Dialect {
                revision: Revision::LATEST_LEGACY,
                server_info: "x",
            },
        );
        assert_eq!(out, br#"{"contents":[{"uri":"a:b","text":"c"}]}"#);
        let mut out = Vec::new();
        result.write(
            &mut out,
            &Dialect {
                revision: Revision::LATEST,
                server_info: "",
            },
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"resultType":"complete","contents":[{"uri":"a:b","text":"c"}],"ttlMs":0,"cacheScope":"private"}"#
        );
    }
}
