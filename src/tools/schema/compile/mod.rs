//! From the JSON of a schema to its nodes. Every keyword either becomes a rule or is known to be an
//! annotation; any other is refused, so that no schema promises what nobody checks.

mod link;
mod read;

use serde_json::{Map, Value};

use crate::sorted::SortedMap;

use super::canonical::canonical;
use super::format::Format;
use super::kind::{Kind, Kinds};
use super::node::{Additional, InPlace, Node, NodeId, Values};
use super::pattern::Pattern;
use super::{Schema, SchemaProblem};

/// How deeply schemas stand in schemas.
const DEPTH_MAX: usize = 32;
/// How many schemas there may be in one.
const NODES_MAX: usize = 2000;
/// The dialect, as `$schema` names it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Compiles the schema of a tool's arguments.
pub(super) fn compile(schema: &Value) -> Result<Schema, SchemaProblem> {
    let mut compiler = Compiler::default();
    let compiled = compiler.schema(schema).and_then(|_| compiler.link());
    compiled.map_err(|problem| *problem)
}

/// Boxed, because every reader of a keyword passes it on.
type Problem = Box<SchemaProblem>;

/// A schema being compiled. The root is node 0.
#[derive(Default)]
struct Compiler {
    nodes: Vec<Node>,
    /// Where each node stands in the schema, as a JSON pointer.
    places: Vec<String>,
    by_place: SortedMap<String, NodeId>,
    /// `$ref`s: who refers, where to, and where the keyword stands.
    references: Vec<(NodeId, String, String)>,
    /// The place being read, as a JSON pointer.
    here: String,
    depth: usize,
}

impl Compiler {
    fn problem<T>(&self, text: impl Into<String>) -> Result<T, Problem> {
        Err(Box::new(SchemaProblem {
            pointer: self.here.clone(),
            text: text.into(),
        }))
    }

    /// Runs `read` one step further down the schema. On an error the place stays where it was found.
    fn inside<T>(
        &mut self,
        step: &str,
        read: impl FnOnce(&mut Compiler) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let length = self.here.len();
        self.here.push('/');
        self.here
            .push_str(&step.replace('~', "~0").replace('/', "~1"));
        let value = read(self)?;
        self.here.truncate(length);
        Ok(value)
    }

    fn schema(&mut self, schema: &Value) -> Result<NodeId, Problem> {
        if self.depth >= DEPTH_MAX {
            return self.problem(format!("stands more than {DEPTH_MAX} schemas deep"));
        }
        let id = self.nodes.len();
        if id >= NODES_MAX {
            return self.problem(format!(
                "is one schema more than the {NODES_MAX} there may be"
            ));
        }
        self.nodes.push(Node::default());
        self.places.push(self.here.clone());
        self.by_place.insert(self.here.clone(), id);
        self.depth = self.depth.saturating_add(1);
        let node = match schema {
            Value::Bool(allows) => Node {
                is_never: !allows,
                ..Node::default()
            },
            Value::Object(keywords) => self.node(id, keywords)?,
            other => {
                let found = other.to_string();
                return self.problem(format!(
                    "is {found}, expected a schema: an object, true or false"
                ));
            }
        };
        if let Some(place) = self.nodes.get_mut(id) {
            *place = node;
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(id)
    }

    fn node(&mut self, id: NodeId, keywords: &Map<String, Value>) -> Result<Node, Problem> {
        let mut node = Node::default();
        for (keyword, value) in keywords {
            self.inside(keyword, |compiler| {
                compiler.keyword(id, &mut node, keyword, value)
            })?;
        }
        self.settle(&mut node, keywords)?;
        Ok(node)
    }

    fn keyword(
        &mut self,
        id: NodeId,
        node: &mut Node,
        keyword: &str,
        value: &Value,
    ) -> Result<(), Problem> {
        match keyword {
            "title" | "description" | "examples" | "deprecated" | "readOnly" | "$comment" => (),
            "writeOnly" => node.is_secret |= self.boolean(value)?,
            "x-mcp-header" => drop(self.string(value)?),
            "$schema" => self.dialect(id, value)?,
            "$id" => self.id(id, value)?,
            "$defs" | "definitions" => drop(self.members(value)?),
            "$ref" => self.reference(id, value)?,
            "default" => node.default = Some(value.clone()),
            "type" => node.kinds = Some(self.kinds(value)?),
            "enum" => node.values = Some(self.values(value)?),
            "const" => node.values = Some(Box::new(values_of(vec![value.clone()]))),
            "minimum" => number(node).minimum = Some(self.bound(value)?),
            "maximum" => number(node).maximum = Some(self.bound(value)?),
            "exclusiveMinimum" => number(node).above = Some(self.bound(value)?),
            "exclusiveMaximum" => number(node).below = Some(self.bound(value)?),
            "multipleOf" => number(node).step = Some(self.step(value)?),
            "minLength" => string(node).length.least = Some(self.count(value)?),
            "maxLength" => string(node).length.most = Some(self.count(value)?),
            "pattern" => string(node).pattern = Some(self.pattern(value)?),
            "format" => self.format(node, value)?,
            "minItems" => array(node).count.least = Some(self.count(value)?),
            "maxItems" => array(node).count.most = Some(self.count(value)?),
            "uniqueItems" => array(node).is_unique = self.boolean(value)?,
            "prefixItems" => array(node).first = self.list(value)?,
            "items" => array(node).rest = Some(self.items(value)?),
            "minProperties" => object(node).count.least = Some(self.count(value)?),
            "maxProperties" => object(node).count.most = Some(self.count(value)?),
            "required" => object(node).required = self.names(value)?,
            "properties" => object(node).properties = Some(self.members(value)?),
            "additionalProperties" => object(node).additional = self.additional(value)?,
            "propertyNames" => object(node).names = Some(self.schema(value)?),
            "allOf" => in_place(node).all = self.list(value)?,
            "anyOf" => in_place(node).any = Some(self.list(value)?),
            "oneOf" => in_place(node).one = Some(self.list(value)?),
            "not" => in_place(node).not = Some(self.schema(value)?),
            _ => {
                return self.problem(
                    "is a keyword that is not checked; leave it out, or say it by one that is",
                );
            }
        }
        Ok(())
    }

    fn dialect(&self, id: NodeId, value: &Value) -> Result<(), Problem> {
        if id != 0 {
            return self.problem("may stand at the root only");
        }
        match value.as_str().map(|name| name.trim_end_matches('#')) {
            Some(DIALECT) => Ok(()),
            _ => self.problem(format!(
                "is {value}, expected \"{DIALECT}\"; or leave it out"
            )),
        }
    }

    /// At the root it is a name and nothing more, as nothing is ever fetched. Further in it would
    /// change what `#` means to the references below it.
    fn id(&self, id: NodeId, value: &Value) -> Result<(), Problem> {
        if id != 0 {
            return self.problem("may stand at the root only; refer to this schema by its pointer");
        }
        self.string(value).map(drop)
    }

    fn reference(&mut self, id: NodeId, value: &Value) -> Result<(), Problem> {
        let target = self.string(value)?;
        let Some(pointer) = target.strip_prefix('#') else {
            return self.problem(format!(
                "is \"{target}\", which is elsewhere; nothing is fetched, refer to `#/$defs/…`"
            ));
        };
        let reference = (id, pointer.to_owned(), self.here.clone());
        self.references.push(reference);
        Ok(())
    }

    fn values(&self, value: &Value) -> Result<Box<Values>, Problem> {
        match value.as_array() {
            Some(values) if !values.is_empty() => Ok(Box::new(values_of(values.clone()))),
            _ => self.problem(format!("is {value}, expected a list of values")),
        }
    }

    fn pattern(&self, value: &Value) -> Result<Pattern, Problem> {
        Pattern::compile(self.string(value)?).or_else(|problem| self.problem(problem))
    }

    fn format(&self, node: &mut Node, value: &Value) -> Result<(), Problem> {
        match self.string(value)? {
            "password" => node.is_secret = true,
            word => match Format::parse(word) {
                Some(format) => string(node).format = Some(format),
                None => {
                    let known: Vec<_> = Format::ALL.iter().map(|format| format.word()).collect();
                    return self.problem(format!(
                        "is \"{word}\", expected one of {}, password; or say it by `pattern`, `minimum`, `maximum`",
                        known.join(", ")
                    ));
                }
            },
        }
        Ok(())
    }

    fn items(&mut self, value: &Value) -> Result<NodeId, Problem> {
        match value.is_array() {
            true => {
                self.problem("is a list, which was the form before 2020-12; write `prefixItems`")
            }
            false => self.schema(value),
        }
    }

    fn additional(&mut self, value: &Value) -> Result<Additional, Problem> {
        match value {
            Value::Bool(false) => Ok(Additional::Refused),
            schema => self.schema(schema).map(Additional::Schema),
        }
    }

    /// A list of schemas, at least one.
    fn list(&mut self, value: &Value) -> Result<Vec<NodeId>, Problem> {
        let Some(schemas) = value.as_array().filter(|schemas| !schemas.is_empty()) else {
            return self.problem(format!("is {value}, expected a list of schemas"));
        };
        let mut list = Vec::with_capacity(schemas.len());
        for (index, schema) in schemas.iter().enumerate() {
            list.push(self.inside(&index.to_string(), |compiler| compiler.schema(schema))?);
        }
        Ok(list)
    }

    /// An object of schemas.
    fn members(&mut self, value: &Value) -> Result<SortedMap<String, NodeId>, Problem> {
        let Some(schemas) = value.as_object() else {
            return self.problem(format!("is {value}, expected an object of schemas"));
        };
        let mut members = SortedMap::new();
        for (name, schema) in schemas {
            let id = self.inside(name, |compiler| compiler.schema(schema))?;
            members.insert(name.clone(), id);
        }
        Ok(members)
    }

    /// What can be said once all keywords of a schema are known.
    fn settle(&mut self, node: &mut Node, keywords: &Map<String, Value>) -> Result<(), Problem> {
        if keywords.contains_key("const") && keywords.contains_key("enum") {
            return self.problem("has both `const` and `enum`; keep one");
        }
        if keywords.contains_key("$defs") && keywords.contains_key("definitions") {
            return self.problem("has both `$defs` and `definitions`; keep the former");
        }
        let listed = |values: &Values| values.given.iter().map(Kind::of).collect::<Kinds>();
        let of_values = node.values.as_deref().map(listed);
        node.targets = node.kinds.or(of_values).unwrap_or_default();
        let Some(kinds) = node.kinds else {
            return Ok(());
        };
        for value in node.values.iter().flat_map(|values| &values.given) {
            if !kinds.take(Kind::of(value)) {
                return self.problem(format!("lists the value {value}, which `type` excludes"));
            }
        }
        // A rule for a type that cannot occur is never checked either.
        for keyword in keywords.keys() {
            let about = kinds_of(keyword);
            if !about.is_empty() && !about.iter().any(|kind| kinds.has(*kind)) {
                return self.inside(keyword, |compiler| {
                    let kinds: Vec<_> = kinds.iter().map(Kind::word).collect();
                    compiler.problem(format!(
                        "says nothing about the type here, {}; correct either",
                        kinds.join(" or ")
                    ))
                });
            }
        }
        Ok(())
    }
}

/// The types that a keyword is about; none for those that are about all.
fn kinds_of(keyword: &str) -> &'static [Kind] {
    match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            &[Kind::Integer, Kind::Number]
        }
        "minLength" | "maxLength" | "pattern" | "format" => &[Kind::String],
        "minItems" | "maxItems" | "uniqueItems" | "prefixItems" | "items" => &[Kind::Array],
        "minProperties"
        | "maxProperties"
        | "required"
        | "properties"
        | "additionalProperties"
        | "propertyNames" => &[Kind::Object],
        _ => &[],
    }
}

fn values_of(given: Vec<Value>) -> Values {
    let canonical = given.iter().map(canonical).collect();
    Values { given, canonical }
}

fn number(node: &mut Node) -> &mut super::node::NumberRules {
    node.number.get_or_insert_default()
}

fn string(node: &mut Node) -> &mut super::node::StringRules {
    node.string.get_or_insert_default()
}

fn array(node: &mut Node) -> &mut super::node::ArrayRules {
    node.array.get_or_insert_default()
}

fn object(node: &mut Node) -> &mut super::node::ObjectRules {
    node.object.get_or_insert_default()
}

fn in_place(node: &mut Node) -> &mut InPlace {
    node.in_place.get_or_insert_default()
}
