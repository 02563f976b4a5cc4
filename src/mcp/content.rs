//! Content blocks, what is inside a resource, icons and annotations.
//!
//! Called by tool results, prompt messages and resource reads. A block of a type that a revision's
//! union lacks is written as text that says what it was: a strict old client would refuse the
//! whole result otherwise.

use serde_json::value::RawValue;

use super::json::{self, Object};
use super::resource::Resource;
use super::revision::Revision;
use crate::base64;

/// One block of content.
#[derive(Clone, Debug)]
pub struct Content {
    /// What it is.
    pub body: Body,
    /// For whom, how important, how old.
    pub annotations: Option<Box<Annotations>>,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

/// The types of content.
#[derive(Clone, Debug)]
pub enum Body {
    /// `text`.
    Text(String),
    /// `image`.
    Image {
        /// Standard Base64.
        base64: String,
        /// Such as `image/png`.
        mime_type: String,
    },
    /// `audio`, since 2025-03-26.
    Audio {
        /// Standard Base64.
        base64: String,
        /// Such as `audio/wav`.
        mime_type: String,
    },
    /// `resource_link`, since 2025-06-18: a resource to read if wanted.
    ResourceLink(Box<Resource>),
    /// `resource`: a resource with its contents.
    Resource(Box<ResourceContents>),
}

impl Content {
    /// Text.
    pub fn text(text: impl Into<String>) -> Content {
        Body::Text(text.into()).into()
    }

    /// An image from its bytes.
    pub fn image(bytes: &[u8], mime_type: impl Into<String>) -> Content {
        Content::image_base64(base64::encode(bytes), mime_type)
    }

    /// An image that is Base64 already.
    pub fn image_base64(base64: impl Into<String>, mime_type: impl Into<String>) -> Content {
        Body::Image {
            base64: base64.into(),
            mime_type: mime_type.into(),
        }
        .into()
    }

    /// Sound from its bytes.
    pub fn audio(bytes: &[u8], mime_type: impl Into<String>) -> Content {
        Content::audio_base64(base64::encode(bytes), mime_type)
    }

    /// Sound that is Base64 already.
    pub fn audio_base64(base64: impl Into<String>, mime_type: impl Into<String>) -> Content {
        Body::Audio {
            base64: base64.into(),
            mime_type: mime_type.into(),
        }
        .into()
    }

    /// A resource that can be read under its URI.
    pub fn resource_link(resource: Resource) -> Content {
        Body::ResourceLink(Box::new(resource)).into()
    }

    /// A resource with its contents.
    pub fn resource(contents: ResourceContents) -> Content {
        Body::Resource(Box::new(contents)).into()
    }

    /// The same block with annotations.
    pub fn annotated(mut self, annotations: Annotations) -> Content {
        self.annotations = Some(Box::new(annotations));
        self
    }

    /// How many bytes it takes on the wire, but for what stands around them, for output limits.
    pub fn size_bytes(&self) -> usize {
        match &self.body {
            Body::Text(text) => json::escaped_len(text),
            Body::Image { base64, .. } | Body::Audio { base64, .. } => base64.len(),
            Body::ResourceLink(resource) => {
                let name_len = json::escaped_len(&resource.name);
                json::escaped_len(&resource.uri).saturating_add(name_len)
            }
            Body::Resource(contents) => contents.size_bytes(),
        }
    }

    /// Writes the block.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        match &self.body {
            Body::Text(text) => self.write_text(out, revision, text),
            Body::Image { base64, mime_type } => {
                self.write_binary(out, revision, "image", base64, mime_type);
            }
            Body::Audio { base64, mime_type } if revision.has_audio() => {
                self.write_binary(out, revision, "audio", base64, mime_type);
            }
            Body::Audio { base64, mime_type } => {
                let bytes = (base64.len() / 4).saturating_mul(3);
                let note =
                    format!("[audio, `{mime_type}`, about {bytes} bytes: not part of {revision}]");
                self.write_text(out, revision, &note);
            }
            Body::ResourceLink(resource) if revision.has_resource_links() => {
                json::object(out, |block| {
                    block.string("type", "resource_link");
                    resource.write_members(block, revision);
                });
            }
            Body::ResourceLink(resource) => {
                let note = format!("{}: {}", resource.name, resource.uri);
                self.write_text(out, revision, &note);
            }
            Body::Resource(contents) => json::object(out, |block| {
                block.string("type", "resource");
                contents.write(block.key("resource"), revision);
                self.write_extras(block, revision);
            }),
        }
    }

    fn write_text(&self, out: &mut Vec<u8>, revision: Revision, text: &str) {
        json::object(out, |block| {
            json::string(block.known(r#""type":"text","text":"#), text);
            self.write_extras(block, revision);
        });
    }

    fn write_binary(
        &self,
        out: &mut Vec<u8>,
        revision: Revision,
        kind: &str,
        base64: &str,
        mime_type: &str,
    ) {
        json::object(out, |block| {
            block.string("type", kind);
            block.string("data", base64);
            block.string("mimeType", mime_type);
            self.write_extras(block, revision);
        });
    }

    fn write_extras(&self, block: &mut Object<'_>, revision: Revision) {
        if let Some(annotations) = &self.annotations {
            annotations.write(block.key("annotations"), revision);
        }
        if revision.has_meta_on_items() {
            block.optional_raw("_meta", self.meta.as_deref());
        }
    }
}

impl From<Body> for Content {
    fn from(body: Body) -> Content {
        Content {
            body,
            annotations: None,
            meta: None,
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content::text(text)
    }
}

/// What is inside a resource.
#[derive(Clone, Debug)]
pub struct ResourceContents {
    /// Where it was read.
    pub uri: String,
    /// Its media type.
    pub mime_type: Option<String>,
    /// Text or bytes.
    pub data: ResourceData,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

/// Text or bytes.
#[derive(Clone, Debug)]
pub enum ResourceData {
    /// `text`.
    Text(String),
    /// `blob`: standard Base64.
    Blob(String),
}

impl ResourceContents {
    /// A text resource.
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> ResourceContents {
        ResourceContents {
            uri: uri.into(),
            mime_type: None,
            data: ResourceData::Text(text.into()),
            meta: None,
        }
    }

    /// A binary resource from its bytes.
    pub fn blob(uri: impl Into<String>, bytes: &[u8]) -> ResourceContents {
        ResourceContents::blob_base64(uri, base64::encode(bytes))
    }

    /// A binary resource that is Base64 already.
    pub fn blob_base64(uri: impl Into<String>, base64: impl Into<String>) -> ResourceContents {
        ResourceContents {
            uri: uri.into(),
            mime_type: None,
            data: ResourceData::Blob(base64.into()),
            meta: None,
        }
    }

    /// The same with a media type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> ResourceContents {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// The same for the contents of a resource.
    pub fn size_bytes(&self) -> usize {
        let data_len = match &self.data {
            ResourceData::Text(text) => json::escaped_len(text),
            ResourceData::Blob(base64) => base64.len(),
        };
        json::escaped_len(&self.uri).saturating_add(data_len)
    }

    /// Writes the object.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |contents| {
            contents.string("uri", &self.uri);
            contents.optional_string("mimeType", self.mime_type.as_deref());
            match &self.data {
                ResourceData::Text(text) => contents.string("text", text),
                ResourceData::Blob(base64) => contents.string("blob", base64),
            }
            if revision.has_meta_on_items() {
                contents.optional_raw("_meta", self.meta.as_deref());
            }
        });
    }
}

/// Most resources are one piece.
impl From<ResourceContents> for Vec<ResourceContents> {
    fn from(contents: ResourceContents) -> Vec<ResourceContents> {
        vec![contents]
    }
}

/// Who speaks in a prompt message, or for whom content is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The model.
    Assistant,
    /// The person.
    User,
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Assistant => "assistant",
            Role::User => "user",
        }
    }
}

/// Hints for a client that shows or weighs content.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    /// For whom; empty means unsaid.
    pub audience: Vec<Role>,
    /// From 0 (optional) to 1 (required).
    pub priority: Option<f64>,
    /// ISO 8601, since 2025-06-18.
    pub last_modified: Option<String>,
}

impl Annotations {
    /// Writes the object; a priority is brought into 0 to 1, which the schemas insist on.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |annotations| {
            if !self.audience.is_empty() {
                let audience: Vec<&str> = self.audience.iter().map(|role| role.as_str()).collect();
                annotations.strings("audience", &audience);
            }
            if let Some(priority) = self.priority {
                annotations.number("priority", priority.clamp(0.0, 1.0));
            }
            if revision.has_last_modified() {
                annotations.optional_string("lastModified", self.last_modified.as_deref());
            }
        });
    }
}

/// A picture of a tool, prompt, resource or program, since 2025-11-25.
#[derive(Clone, Debug, Default)]
pub struct Icon {
    /// An `https:` or `data:` URI.
    pub src: String,
    /// Its media type.
    pub mime_type: Option<String>,
    /// Such as `48x48` or `any`.
    pub sizes: Vec<String>,
    /// The background it is made for.
    pub theme: Option<Theme>,
}

/// The background an icon is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// A dark one.
    Dark,
    /// A light one.
    Light,
}

impl Icon {
    /// An icon with nothing but its source.
    pub fn new(src: impl Into<String>) -> Icon {
        Icon {
            src: src.into(),
            ..Icon::default()
        }
    }

    /// Adds the member `icons` if there are any.
    pub fn write_all(icons: &[Icon], of: &mut Object<'_>) {
        if icons.is_empty() {
            return;
        }
        of.array("icons", |array| {
            for icon in icons {
                array.object(|object| icon.write_members(object));
            }
        });
    }

    fn write_members(&self, icon: &mut Object<'_>) {
        icon.string("src", &self.src);
        icon.optional_string("mimeType", self.mime_type.as_deref());
        if !self.sizes.is_empty() {
            icon.strings("sizes", &self.sizes);
        }
        if let Some(theme) = self.theme {
            let theme = match theme {
                Theme::Dark => "dark",
                Theme::Light => "light",
            };
            icon.string("theme", theme);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &Content, revision: Revision, expected: &str) {
        let mut out = Vec::new();
        content.write(&mut out, revision);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn plain_blocks_are_the_same_everywhere() {
        for revision in Revision::ALL {
            check(
                &Content::text("a\"b"),
                revision,
                r#"{"type":"text","text":"a\"b"}"#,
            );
            check(
                &Content::image(b"foo", "image/png"),
                revision,
                r#"{"type":"image","data":"Zm9v","mimeType":"image/png"}"#,
            );
            check(
                &Content::resource(ResourceContents::text("a:b", "c").mime_type("text/plain")),
                revision,
                r#"{"type":"resource","resource":{"uri":"a:b","mimeType":"text/plain","text":"c"}}"#,
            );
        }
    }

    #[test]
    fn audio_becomes_text_before_it_existed() {
        let audio = Content::audio(b"foobar", "audio/wav");
        check(
            &audio,
            Revision::V2024_11_05,
            r#"{"type":"text","text":"[audio, `audio/wav`, about 6 bytes: not part of 2024-11-05]"}"#,
        );
        check(
            &audio,
            Revision::V2025_03_26,
            r#"{"type":"audio","data":"Zm9vYmFy","mimeType":"audio/wav"}"#,
        );
    }

    #[test]
    fn links_become_text_before_they_existed() {
        let link = Content::resource_link(Resource::new("a:b", "n"));
        check(
            &link,
            Revision::V2025_03_26,
            r#"{"type":"text","text":"n: a:b"}"#,
        );
        check(
            &link,
            Revision::V2025_06_18,
            r#"{"type":"resource_link","uri":"a:b","name":"n"}"#,
        );
    }

    #[test]
    fn extras() {
        let mut content = Content::text("t").annotated(Annotations {
            audience: vec![Role::User, Role::Assistant],
            priority: Some(7.0),
            last_modified: Some("2025-01-01T00:00:00Z".into()),
        });
        content.meta = RawValue::from_string("{\"a\":\n1}".into()).ok();
        check(
            &content,
            Revision::V2024_11_05,
            r#"{"type":"text","text":"t","annotations":{"audience":["user","assistant"],"priority":1}}"#,
        );
        check(
            &content,
            Revision::LATEST,
            r#"{"type":"text","text":"t","annotations":{"audience":["user","assistant"],"priority":1,"lastModified":"2025-01-01T00:00:00Z"},"_meta":{"a":1}}"#,
        );
    }

    #[test]
    fn blobs_and_icons() {
        let mut out = Vec::new();
        ResourceContents::blob("a:b", b"foo").write(&mut out, Revision::LATEST);
        assert_eq!(out, br#"{"uri":"a:b","blob":"Zm9v"}"#);
        let mut icon = Icon::new("data:,x");
        icon.theme = Some(Theme::Dark);
        icon.sizes = vec!["any".into()];
        let mut out = Vec::new();
        json::object(&mut out, |o| Icon::write_all(&[icon], o));
        assert_eq!(
            out,
            br#"{"icons":[{"src":"data:,x","sizes":["any"],"theme":"dark"}]}"#
        );
        let mut out = Vec::new();
        json::object(&mut out, |o| Icon::write_all(&[], o));
        assert_eq!(out, b"{}");
    }
}
