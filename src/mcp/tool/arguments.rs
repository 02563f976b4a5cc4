//! Arguments declared without JSON: `.string("city", "which city")`.
//!
//! The order of declaration is the order in the schema. For anything beyond flat, primitive
//! arguments there is [`Tool::input_schema_json`].

use super::schema::{HeaderParam, HeaderParamKind, SchemaError};
use super::{Input, Tool, ToolDefinitionError};
use crate::mcp::json;

/// Arguments in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments(Vec<Argument>);

#[derive(Clone, Debug)]
struct Argument {
    name: String,
    description: String,
    kind: Kind,
    required: bool,
    header: Option<String>,
}

#[derive(Clone, Debug)]
enum Kind {
    Boolean,
    Choice(Vec<String>),
    Integer,
    Number,
    String,
    Strings,
}

impl Tool {
    /// A required string.
    pub fn string(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::String, true)
    }

    /// A string that may be left out.
    pub fn optional_string(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::String, false)
    }

    /// A required whole number.
    pub fn integer(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Integer, true)
    }

    /// A whole number that may be left out.
    pub fn optional_integer(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Integer, false)
    }

    /// A required number.
    pub fn number(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Number, true)
    }

    /// A number that may be left out.
    pub fn optional_number(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Number, false)
    }

    /// A required boolean.
    pub fn boolean(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Boolean, true)
    }

    /// A boolean that may be left out.
    pub fn optional_boolean(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Boolean, false)
    }

    /// A required string out of a few.
    pub fn choice(self, name: &str, description: &str, choices: &[&str]) -> Tool {
        self.argument(name, description, Kind::Choice(owned(choices)), true)
    }

    /// A string out of a few that may be left out.
    pub fn optional_choice(self, name: &str, description: &str, choices: &[&str]) -> Tool {
        self.argument(name, description, Kind::Choice(owned(choices)), false)
    }

    /// A required list of strings.
    pub fn strings(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Strings, true)
    }

    /// A list of strings that may be left out.
    pub fn optional_strings(self, name: &str, description: &str) -> Tool {
        self.argument(name, description, Kind::Strings, false)
    }

    /// Has 2026-07-28 clients repeat a declared argument in the HTTP header `Mcp-Param-{header}`,
    /// for proxies that route by it. Not for secrets (2026-07-28 server/tools, "x-mcp-header").
    pub fn mirrored_in_header(mut self, argument: &str, header: &str) -> Tool {
        if let Err(problem) = self.mirror(argument, header) {
            self.note(problem);
        }
        self
    }

    fn mirror(&mut self, argument: &str, header: &str) -> Result<(), ToolDefinitionError> {
        let tool = self.name.clone();
        let undeclared = ToolDefinitionError::Argument {
            tool: tool.clone(),
            argument: argument.to_owned(),
        };
        let Input::Arguments(arguments) = &mut self.input else {
            return Err(undeclared);
        };
        let found = arguments.0.iter_mut().find(|known| known.name == argument);
        let Some(found) = found else {
            return Err(undeclared);
        };
        let kind = match found.kind {
            Kind::Boolean => Ok(HeaderParamKind::Boolean),
            Kind::Choice(_) | Kind::String => Ok(HeaderParamKind::String),
            Kind::Integer => Ok(HeaderParamKind::Integer),
            Kind::Number | Kind::Strings => Err(SchemaError::HeaderType {
                path: argument.to_owned(),
            }),
        };
        let param = kind.and_then(|kind| {
            HeaderParam::new(header, vec![argument.to_owned()], kind, &self.header_params)
        });
        let param = param.map_err(|problem| ToolDefinitionError::InputSchema { tool, problem })?;
        found.header = Some(header.to_owned());
        self.header_params.push(param);
        Ok(())
    }

    fn argument(mut self, name: &str, description: &str, kind: Kind, required: bool) -> Tool {
        let duplicate = ToolDefinitionError::Argument {
            tool: self.name.clone(),
            argument: name.to_owned(),
        };
        match &mut self.input {
            Input::Arguments(arguments) if !arguments.0.iter().any(|known| known.name == name) => {
                arguments.0.push(Argument {
                    name: name.to_owned(),
                    description: description.to_owned(),
                    kind,
                    required,
                    header: None,
                });
            }
            // Twice the same name, or an argument beside a schema that is given whole.
            Input::Arguments(_) | Input::Json(_) => self.note(duplicate),
        }
        self
    }
}

impl Arguments {
    /// Writes the schema.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        json::object(out, |schema| {
            schema.string("type", "object");
            schema.object("properties", |properties| {
                for argument in &self.0 {
                    properties.object(&argument.name, |property| argument.write(property));
                }
            });
            let required = self.0.iter().filter(|argument| argument.required);
            let required: Vec<&str> = required.map(|argument| argument.name.as_str()).collect();
            if !required.is_empty() {
                schema.strings("required", &required);
            }
        });
    }
}

impl Argument {
    fn write(&self, property: &mut json::Object<'_>) {
        let kind = match self.kind {
            Kind::Boolean => "boolean",
            Kind::Choice(_) | Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Number => "number",
            Kind::Strings => "array",
        };
        property.string("type", kind);
        match &self.kind {
            Kind::Choice(choices) => property.strings("enum", choices),
            Kind::Strings => property.object("items", |items| items.string("type", "string")),
            Kind::Boolean | Kind::Integer | Kind::Number | Kind::String => (),
        }
        if !self.description.is_empty() {
            property.string("description", &self.description);
        }
        property.optional_string("x-mcp-header", self.header.as_deref());
    }
}

fn owned(choices: &[&str]) -> Vec<String> {
    choices.iter().map(|choice| (*choice).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_arguments_become_a_schema() {
        let tool = Tool::new("t")
            .string("city", "which")
            .optional_integer("days", "")
            .choice("unit", "", &["c", "f"])
            .optional_strings("tags", "")
            .mirrored_in_header("city", "City");
        assert_eq!(tool.validate(), Ok(()));
        assert_eq!(
            tool.input_schema(),
            r#"{"type":"object","properties":{"city":{"type":"string","description":"which","x-mcp-header":"City"},"days":{"type":"integer"},"unit":{"type":"string","enum":["c","f"]},"tags":{"type":"array","items":{"type":"string"}}},"required":["city","unit"]}"#
        );
        // The same schema as text must come to the same headers.
        let again = Tool::new("t").input_schema_json(&tool.input_schema());
        assert_eq!(again.header_params(), tool.header_params());
        assert_eq!(again.header_params()[0].header, "Mcp-Param-City");
    }

    #[test]
    fn refused_declarations() {
        let tool = || {
            Tool::new("t")
                .string("a", "")
                .number("n", "")
                .string("b", "")
        };
        assert_eq!(tool().validate(), Ok(()));
        for (tool, mentions) in [
            (tool().integer("a", ""), "`a` must be declared exactly once"),
            (tool().mirrored_in_header("c", "C"), "`c` must be declared"),
            (tool().mirrored_in_header("n", "N"), "`n`"),
            (tool().mirrored_in_header("a", "a b"), "`a b`"),
            (
                tool()
                    .mirrored_in_header("a", "X")
                    .mirrored_in_header("b", "x"),
                "`x`",
            ),
            (
                Tool::new("t")
                    .input_schema_json(r#"{"type":"object"}"#)
                    .string("a", ""),
                "`a`",
            ),
        ] {
            let error = tool.validate().unwrap_err().to_string();
            assert!(error.contains(mentions), "{error}");
        }
    }
}
