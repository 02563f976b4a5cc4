//! What is checked of a tool's schemas at load: their shape, and the `x-mcp-header` rules.
//!
//! A client must drop a tool that breaks those rules, so a server had better notice first
//! (2026-07-28 basic/transports/streamable-http, "Custom Headers from Tool Parameters"). Whether
//! arguments satisfy a schema is not decided here.

use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::mcp::json;

/// An argument that a client repeats in an HTTP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParam {
    /// The whole header name, `Mcp-Param-…`.
    pub header: String,
    /// The property names from the root of the arguments down to the value.
    pub path: Vec<String>,
    /// The type of the value.
    pub kind: HeaderParamKind,
}

/// The types a mirrored argument may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderParamKind {
    /// `true` or `false`.
    Boolean,
    /// Decimal, within ±(2^53 − 1).
    Integer,
    /// Any text, encoded if need be.
    String,
}

/// Which rule a schema breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// Not JSON.
    Json {
        /// The parser's words.
        problem: String,
    },
    /// Not a JSON object.
    NotAnObject,
    /// An input schema whose `type` is not `object`.
    Type,
    /// A header name that is not a token.
    HeaderName {
        /// The name.
        header: String,
    },
    /// Two header names that differ in case at most.
    HeaderTwice {
        /// The second.
        header: String,
    },
    /// A header on something that is not a string, integer or boolean.
    HeaderType {
        /// Where, as a dotted path.
        path: String,
    },
    /// A header on something not reached by `properties` alone.
    HeaderPlace {
        /// Where, as a dotted path.
        path: String,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaError::Json { problem } => write!(f, "not JSON: {problem}"),
            SchemaError::NotAnObject => f.write_str("not a JSON object"),
            SchemaError::Type => f.write_str("`type` must be `object`"),
            SchemaError::HeaderName { header } => write!(
                f,
                "`x-mcp-header` value `{header}` must be a header name: letters, digits and `!#$%&'*+-.^_`|~`"
            ),
            SchemaError::HeaderTwice { header } => {
                write!(
                    f,
                    "`x-mcp-header` value `{header}` stands twice, ignoring case"
                )
            }
            SchemaError::HeaderType { path } => write!(
                f,
                "`x-mcp-header` on `{path}`, whose `type` is not `string`, `integer` or `boolean`"
            ),
            SchemaError::HeaderPlace { path } => write!(
                f,
                "`x-mcp-header` on `{path}`, which is not reached from the root by `properties` alone"
            ),
        }
    }
}

impl HeaderParam {
    /// A param of this header, unless the name is no token or taken by one of `others`.
    pub(super) fn new(
        header: &str,
        path: Vec<String>,
        kind: HeaderParamKind,
        others: &[HeaderParam],
    ) -> Result<HeaderParam, SchemaError> {
        if header.is_empty() || !header.bytes().all(is_token_char) {
            return Err(SchemaError::HeaderName {
                header: header.to_owned(),
            });
        }
        let name = format!("Mcp-Param-{header}");
        if others
            .iter()
            .any(|other| other.header.eq_ignore_ascii_case(&name))
        {
            return Err(SchemaError::HeaderTwice {
                header: header.to_owned(),
            });
        }
        Ok(HeaderParam {
            header: name,
            path,
            kind,
        })
    }
}

/// Reads an input schema: compacted, with the arguments it wants in headers.
pub(super) fn parse_input(text: &str) -> Result<(Box<RawValue>, Vec<HeaderParam>), SchemaError> {
    let (json, schema) = parse_object(text)?;
    if schema.get("type") != Some(&Value::from("object")) {
        return Err(SchemaError::Type);
    }
    let mut params = Vec::new();
    collect(&schema, &mut Vec::new(), true, &mut params)?;
    Ok((json, params))
}

/// Reads an output schema: compacted, and whether it describes an object.
pub(super) fn parse_output(text: &str) -> Result<(Box<RawValue>, bool), SchemaError> {
    let (json, schema) = parse_object(text)?;
    let is_of_object = schema.get("type") == Some(&Value::from("object"));
    Ok((json, is_of_object))
}

fn parse_object(text: &str) -> Result<(Box<RawValue>, Value), SchemaError> {
    let not_json = |error: serde_json::Error| SchemaError::Json {
        problem: error.to_string(),
    };
    let json = json::compact(text).map_err(not_json)?;
    let schema: Value = serde_json::from_str(json.get()).map_err(not_json)?;
    if !schema.is_object() {
        return Err(SchemaError::NotAnObject);
    }
    Ok((json, schema))
}

/// Walks every place where a schema may stand. `is_reachable` holds as long as only `properties`
/// led here. Values that are data (`enum`, `const`, `default`, `examples`) are not looked into.
fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    is_reachable: bool,
    params: &mut Vec<HeaderParam>,
) -> Result<(), SchemaError> {
    let Some(schema) = schema.as_object() else {
        return Ok(());
    };
    if let Some(header) = schema.get("x-mcp-header") {
        let shown = if path.is_empty() {
            "the root".to_owned()
        } else {
            path.join(".")
        };
        if !is_reachable || path.is_empty() {
            return Err(SchemaError::HeaderPlace { path: shown });
        }
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => HeaderParamKind::Boolean,
            Some("integer") => HeaderParamKind::Integer,
            Some("string") => HeaderParamKind::String,
            _ => return Err(SchemaError::HeaderType { path: shown }),
        };
        let Some(header) = header.as_str() else {
            return Err(SchemaError::HeaderName {
                header: header.to_string(),
            });
        };
        params.push(HeaderParam::new(header, path.clone(), kind, params)?);
    }
    for (keyword, value) in schema {
        match keyword.as_str() {
            "properties" => collect_members(value, path, is_reachable, params)?,
            "$defs" | "definitions" | "dependentSchemas" | "patternProperties" => {
                collect_members(value, path, false, params)?;
            }
            "const" | "default" | "enum" | "examples" => (),
            _ => {
                for inner in value.as_array().into_iter().flatten().chain([value]) {
                    path.push(keyword.clone());
                    collect(inner, path, false, params)?;
                    path.pop();
                }
            }
        }
    }
    Ok(())
}

fn collect_members(
    members: &Value,
    path: &mut Vec<String>,
    is_reachable: bool,
    params: &mut Vec<HeaderParam>,
) -> Result<(), SchemaError> {
    for (name, schema) in members.as_object().into_iter().flatten() {
        path.push(name.clone());
        collect(schema, path, is_reachable, params)?;
        path.pop();
    }
    Ok(())
}

/// RFC 9110 section 5.6.2, `tchar`.
fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_along_properties() {
        let (_, params) = parse_input(
            r#"{"type":"object","properties":{
                "region":{"type":"string","x-mcp-header":"Region"},
                "x-mcp-header":{"type":"string","default":{"x-mcp-header":1}},
                "deep":{"type":"object","properties":{
                    "n":{"type":"integer","x-mcp-header":"N"},
                    "b":{"type":"boolean","x-mcp-header":"b"}}}}}"#,
        )
        .unwrap();
        let find = |header: &str| params.iter().find(|param| param.header == header).unwrap();
        assert_eq!(params.len(), 3);
        assert_eq!(find("Mcp-Param-Region").path, ["region"]);
        assert_eq!(find("Mcp-Param-N").path, ["deep", "n"]);
        assert_eq!(find("Mcp-Param-b").kind, HeaderParamKind::Boolean);
    }

    #[track_caller]
    fn refused(properties: &str, expected: &str) {
        let text = format!(r#"{{"type":"object","properties":{properties}}}"#);
        let error = parse_input(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn header_rules() {
        for name in ["", "a b", "a:b", "é", "a\\r\\nb"] {
            refused(
                &format!(r#"{{"p":{{"type":"string","x-mcp-header":"{name}"}}}}"#),
                "must be a header name",
            );
        }
        refused(r#"{"p":{"type":"string","x-mcp-header":7}}"#, "`7`");
        for kind in [
            "\"number\"",
            "\"object\"",
            "\"array\"",
            "[\"string\",\"null\"]",
            "null",
        ] {
            refused(
                &format!(r#"{{"p":{{"type":{kind},"x-mcp-header":"P"}}}}"#),
                "on `p`, whose",
            );
        }
        refused(
            r#"{"p":{"type":"string","x-mcp-header":"P"},"q":{"type":"string","x-mcp-header":"p"}}"#,
            "stands twice",
        );
        let inner = r#"{"type":"string","x-mcp-header":"P"}"#;
        for place in [
            "items",
            "not",
            "if",
            "additionalProperties",
            "prefixItems",
            "unknownWord",
        ] {
            refused(&format!(r#"{{"p":{{"{place}":{inner}}}}}"#), "not reached");
        }
        for place in ["oneOf", "anyOf", "allOf"] {
            refused(
                &format!(r#"{{"p":{{"{place}":[{inner}]}}}}"#),
                "not reached",
            );
        }
        refused(
            &format!(r#"{{"p":{{"$defs":{{"d":{inner}}}}}}}"#),
            "`p.d`, which is not reached",
        );
        let root = r#"{"type":"object","x-mcp-header":"P"}"#;
        assert!(matches!(
            parse_input(root),
            Err(SchemaError::HeaderPlace { .. })
        ));
    }

    #[test]
    fn shape() {
        assert!(matches!(parse_input("{"), Err(SchemaError::Json { .. })));
        assert!(matches!(parse_input("true"), Err(SchemaError::NotAnObject)));
        for text in ["{}", r#"{"type":"string"}"#, r#"{"type":["object"]}"#] {
            assert!(
                matches!(parse_input(text), Err(SchemaError::Type)),
                "{text}"
            );
        }
        assert!(parse_input(r#"{"type":"object"}"#).is_ok());
        assert!(!parse_output("{}").unwrap().1);
        assert!(parse_output(r#"{"type":"object"}"#).unwrap().1);
    }
}
