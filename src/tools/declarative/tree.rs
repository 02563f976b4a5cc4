//! Trees of values with references in them: JSON bodies, query parameters, form fields.
//!
//! What is absent is left out of its parent. Tables with a `$…` key are operators; there is no other logic.

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use super::filter::{point, text_of};
use super::source::{Named, Node};
use super::template::{Names, Scope, Template, Unfit};

/// A value that depends on a call.
#[derive(Debug)]
pub(super) enum Tree {
    Constant(Value),
    First(Box<[Tree]>),
    /// A query parameter without a value, if the condition holds.
    Flag(Box<Tree>),
    If(Box<(Tree, Option<Tree>, Option<Tree>)>),
    Join(Box<[Tree]>, Box<str>),
    Json(Box<Tree>),
    List(Box<[Tree]>),
    Map(Box<MapSpec>),
    Merge(Box<[Tree]>),
    NonEmpty(Box<Tree>),
    Object(Named<Tree>),
    Step(Box<StepSpec>),
    Template(Template),
}

#[derive(Debug)]
pub(super) struct MapSpec {
    of: Tree,
    with: Named<Tree>,
    otherwise: Option<Tree>,
}

#[derive(Debug)]
pub(super) struct StepSpec {
    from: Tree,
    to: Tree,
    points: i64,
    min: i64,
}

pub(super) const OPERATORS: [&str; 9] = [
    "$first",
    "$flag",
    "$if",
    "$join",
    "$json",
    "$map",
    "$merge",
    "$nonempty",
    "$step",
];

impl Tree {
    /// Reads a tree; what is wrong is reported where it stands.
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<Tree> {
        match node.value.get_ref() {
            DeValue::String(_) => {
                let template = Template::read(node, names)?;
                Some(match template.constant() {
                    Some(text) => Tree::Constant(text.into()),
                    None => Tree::Template(template),
                })
            }
            DeValue::Integer(_) => {
                let number = node.integer(i64::MIN, i64::MAX)?;
                Some(Tree::Constant(number.into()))
            }
            DeValue::Float(number) => {
                let number = number.as_str().parse().ok().and_then(Number::from_f64);
                if number.is_none() {
                    node.report("JSON has no such number");
                }
                Some(Tree::Constant(Value::Number(number?)))
            }
            DeValue::Boolean(yes) => Some(Tree::Constant((*yes).into())),
            DeValue::Datetime(_) => {
                node.report("a date has no type in JSON; put it in quotes");
                None
            }
            DeValue::Array(_) => read_list(node, names).map(Tree::List),
            DeValue::Table(members) => {
                let mut keys = members.keys().map(|key| key.get_ref().as_ref());
                match keys.find(|key: &&str| key.starts_with('$') && !key.starts_with("$$")) {
                    Some(operator) => read_operator(operator, node, names),
                    None => read_members(node, names).map(Tree::Object),
                }
            }
        }
    }

    /// Its value; `None` where there is nothing to send.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Result<Option<Value>, Unfit> {
        Ok(match self {
            Tree::Constant(value) => Some(value.clone()),
            Tree::Template(template) => template.value(scope)?,
            Tree::List(items) => Some(present(items, scope)?.into()),
            Tree::Object(members) => {
                let mut object = Map::new();
                for (name, tree) in members {
                    if let Some(value) = tree.value(scope)? {
                        object.insert((**name).to_owned(), value);
                    }
                }
                Some(object.into())
            }
            Tree::First(choices) => {
                for tree in choices {
                    if let Some(value) = tree.value(scope)? {
                        return Ok(Some(value));
                    }
                }
                None
            }
            Tree::Merge(layers) => merge(layers, scope)?,
            Tree::If(branches) => {
                let (condition, then, otherwise) = &**branches;
                let branch = if condition.holds(scope)? {
                    then
                } else {
                    otherwise
                };
                match branch {
                    Some(tree) => tree.value(scope)?,
                    None => None,
                }
            }
            Tree::Flag(condition) => Some(condition.holds(scope)?.into()),
            Tree::Join(items, between) => {
                let texts: Vec<String> = present(items, scope)?.iter().map(text_of).collect();
                (!texts.is_empty()).then(|| texts.join(between).into())
            }
            Tree::Json(tree) => {
                let value = tree.value(scope)?.and_then(pruned);
                value.map(|value| value.to_string().into())
            }
            Tree::NonEmpty(tree) => tree.value(scope)?.and_then(pruned),
            Tree::Map(map) => map.value(scope)?,
            Tree::Step(step) => step.value(scope)?,
        })
    }

    /// Whether it is present and not `false`.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, Unfit> {
        let value = self.value(scope)?;
        Ok(!matches!(
            value,
            None | Some(Value::Null | Value::Bool(false))
        ))
    }
}

fn read_list(node: &Node<'_>, names: &Names<'_>) -> Option<Box<[Tree]>> {
    node.each(&mut |item| Tree::read(item, names))
}

fn read_members(node: &Node<'_>, names: &Names<'_>) -> Option<Named<Tree>> {
    let mut members = node.each_named(&mut |_, node| Tree::read(node, names))?;
    for (name, _) in &mut members {
        // A dollar sign itself is written twice.
        if let Some(rest) = name.strip_prefix('$').filter(|rest| rest.starts_with('$')) {
            *name = rest.into();
        }
    }
    Some(members)
}

fn read_operator(operator: &str, node: &Node<'_>, names: &Names<'_>) -> Option<Tree> {
    let known: &[&str] = match operator {
        "$first" => &["$first"],
        "$flag" => &["$flag"],
        "$if" => &["$if", "then", "else"],
        "$join" => &["$join", "with"],
        "$json" => &["$json"],
        "$map" => &["$map", "with", "else"],
        "$merge" => &["$merge"],
        "$nonempty" => &["$nonempty"],
        "$step" => &["$step"],
        _ => &OPERATORS,
    };
    let table = node.table(known)?;
    if known.len() == OPERATORS.len() {
        return None;
    }
    let of = table.get(operator)?;
    let read = |key: &str| Some(Tree::read(&table.get(key)?, names));
    Some(match operator {
        "$first" => Tree::First(read_list(&of, names)?),
        "$merge" => Tree::Merge(read_list(&of, names)?),
        "$json" => Tree::Json(Box::new(Tree::read(&of, names)?)),
        "$nonempty" => Tree::NonEmpty(Box::new(Tree::read(&of, names)?)),
        "$flag" => Tree::Flag(Box::new(Tree::read(&of, names)?)),
        "$join" => {
            let between = table.text("with").unwrap_or(",");
            Tree::Join(read_list(&of, names)?, between.into())
        }
        "$if" => {
            let (condition, then, otherwise) = (Tree::read(&of, names), read("then"), read("else"));
            if then.is_none() && otherwise.is_none() {
                node.report("`$if` needs `then` or `else`");
            }
            Tree::If(Box::new((condition?, flat(then)?, flat(otherwise)?)))
        }
        "$map" => {
            let (of, otherwise) = (Tree::read(&of, names), read("else"));
            let with = read_members(&table.require("with")?, names);
            Tree::Map(Box::new(MapSpec {
                of: of?,
                with: with?,
                otherwise: flat(otherwise)?,
            }))
        }
        _ => {
            let table = of.table(&["from", "to", "points", "min"])?;
            let read = |key: &str| Tree::read(&table.require(key)?, names);
            let bounded = |key: &str, default: i64| match table.get(key) {
                Some(node) => node.integer(1, 1_000_000),
                None => Some(default),
            };
            let (from, to) = (read("from"), read("to"));
            Tree::Step(Box::new(StepSpec {
                from: from?,
                to: to?,
                points: bounded("points", 200)?,
                min: bounded("min", 15)?,
            }))
        }
    })
}

/// `None` only for a member that is there and wrong.
fn flat(member: Option<Option<Tree>>) -> Option<Option<Tree>> {
    match member {
        None => Some(None),
        Some(tree) => Some(Some(tree?)),
    }
}

fn present(items: &[Tree], scope: &Scope<'_>) -> Result<Vec<Value>, Unfit> {
    let mut values = Vec::with_capacity(items.len());
    for tree in items {
        values.extend(tree.value(scope)?);
    }
    Ok(values)
}

/// Objects one over the other, at the top level; later ones win.
fn merge(layers: &[Tree], scope: &Scope<'_>) -> Result<Option<Value>, Unfit> {
    let mut merged: Option<Map<String, Value>> = None;
    for value in present(layers, scope)? {
        match value {
            Value::Object(layer) => merged.get_or_insert_default().extend(layer),
            Value::Null => (),
            other => {
                return Err(Unfit {
                    name: "$merge".to_owned(),
                    text: format!("found {}, expected an object", short(&other)),
                });
            }
        }
    }
    Ok(merged.map(Value::Object))
}

fn short(value: &Value) -> String {
    let mut text: String = value.to_string().chars().take(40).collect();
    if text.chars().count() == 40 {
        text.push('…');
    }
    text
}

/// A value without the members that are nothing but braces; `None` if that is all of it.
fn pruned(value: Value) -> Option<Value> {
    match value {
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(pruned).collect();
            (!items.is_empty()).then(|| items.into())
        }
        Value::Object(members) => {
            let left: Map<String, Value> = members
                .into_iter()
                .filter_map(|(name, value)| Some((name, pruned(value)?)))
                .collect();
            (!left.is_empty()).then(|| left.into())
        }
        other => Some(other),
    }
}

impl MapSpec {
    fn value(&self, scope: &Scope<'_>) -> Result<Option<Value>, Unfit> {
        let Some(value) = self.of.value(scope)? else {
            return Ok(None);
        };
        let wanted = text_of(&value);
        let found = self.with.iter().find(|(name, _)| **name == *wanted);
        match found.map(|(_, tree)| tree).or(self.otherwise.as_ref()) {
            Some(tree) => tree.value(scope),
            None => Ok(None),
        }
    }
}

impl StepSpec {
    fn value(&self, scope: &Scope<'_>) -> Result<Option<Value>, Unfit> {
        let (Some(from), Some(to)) = (self.from.value(scope)?, self.to.value(scope)?) else {
            return Ok(None);
        };
        let unfit = |text| Unfit {
            name: "$step".to_owned(),
            text,
        };
        let from = point(&from, scope.now_ms).map_err(unfit)?;
        let to = point(&to, scope.now_ms).map_err(unfit)?;
        let seconds = to.saturating_sub(from).max(0) / 1000;
        // Rounded up: one point too few is fine, one too many may be refused.
        let step = seconds
            .saturating_add(self.points.saturating_sub(1))
            .checked_div(self.points)
            .unwrap_or(seconds);
        Ok(Some(step.max(self.min).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;
    use serde_json::json;
    use toml::Spanned;
    use toml::de::DeTable;

    const NOW: i64 = 1_795_262_400_000;

    fn read<T>(text: &str, then: impl FnOnce(Option<Tree>, Vec<String>) -> T) -> T {
        let text = format!("x = {text}");
        let table = DeTable::parse(&text).unwrap().into_inner();
        let document = Spanned::new(0..0, DeValue::Table(table));
        let source = Source::new("p", &text, &document);
        let names = Names {
            arguments: [("a", false), ("b", false), ("o", false)].into(),
            ..Names::of_options(Vec::new())
        };
        let root = source.root();
        let tree = Tree::read(&root.members()[0].1, &names);
        let problems = source.into_problems();
        then(tree, problems.iter().map(ToString::to_string).collect())
    }

    #[track_caller]
    fn check(text: &str, arguments: Value, expected: Option<Value>) {
        let value = read(text, |tree, problems| {
            assert_eq!(problems, Vec::<String>::new());
            tree.unwrap().value(&Scope {
                arguments: arguments.as_object().unwrap(),
                befores: &[],
                options: &Default::default(),
                result: None,
                token: None,
                login: None,
                now_ms: NOW,
            })
        });
        assert_eq!(value, Ok(expected), "{text}");
    }

    #[test]
    fn f4_absent_members_are_left_out_and_false_zero_and_nothing_are_sent() {
        let text = r#"{ a = "{a}", b = ["{b}", 1.5], c = { d = "{o}" }, e = "{null}" }"#;
        check(
            text,
            json!({}),
            Some(json!({"b": [1.5], "c": {}, "e": null})),
        );
        check(
            text,
            json!({"a": false, "b": 0, "o": ""}),
            Some(json!({"a": false, "b": [0, 1.5], "c": {"d": ""}, "e": null})),
        );
    }

    #[test]
    fn f5_merge_first_and_null() {
        let text = r#"{ "$merge" = [{ "$first" = ["{o}", { tags = ["mcp"] }] }, { title = "{a}", id = "{null}" }] }"#;
        check(
            text,
            json!({"a": "T"}),
            Some(json!({"tags": ["mcp"], "title": "T", "id": null})),
        );
        check(
            text,
            json!({"a": "T", "o": {"id": 7, "title": "old", "x": 1}}),
            Some(json!({"x": 1, "title": "T", "id": null})),
        );
        check(r#"{ "$merge" = ["{o}"] }"#, json!({}), None);
        read(r#"{ "$merge" = ["{o}"] }"#, |tree, _| {
            let arguments = json!({"o": [1]});
            let unfit = tree.unwrap().value(&Scope {
                arguments: arguments.as_object().unwrap(),
                befores: &[],
                options: &Default::default(),
                result: None,
                token: None,
                login: None,
                now_ms: NOW,
            });
            assert!(unfit.unwrap_err().text.contains("expected an object"));
        });
    }

    #[test]
    fn operators() {
        let words = r#"{ "$map" = "{a}", with = { yes = 1, no = 0 }, else = "{b}" }"#;
        check(words, json!({"a": "yes"}), Some(json!(1)));
        check(words, json!({"a": "?", "b": 2}), Some(json!(2)));
        check(words, json!({"b": 2}), None);
        let filter = r#"{ "$join" = [{ "$if" = "{a}", else = "done = false" }, "{b|prefix:(|suffix:)}"], with = " && " }"#;
        check(filter, json!({"a": false}), Some(json!("done = false")));
        check(
            filter,
            json!({"a": false, "b": "x"}),
            Some(json!("done = false && (x)")),
        );
        check(filter, json!({"a": true, "b": "x"}), Some(json!("(x)")));
        check(filter, json!({"a": true}), None);
        check(
            r#"{ "$json" = { s = ["{a}"] } }"#,
            json!({"a": "up"}),
            Some(json!("{\"s\":[\"up\"]}")),
        );
        check(r#"{ "$json" = { s = ["{a}"] } }"#, json!({}), None);
        check(r#"{ "$nonempty" = { s = {} } }"#, json!({}), None);
        check(
            r#"{ "$nonempty" = { s = [[]], t = ["{a}"], u = ["{b}"] } }"#,
            json!({"b": ""}),
            Some(json!({"u": [""]})),
        );
        check(r#"{ "$$ref" = 1 }"#, json!({}), Some(json!({"$ref": 1})));
        let step = r#"{ "$step" = { from = "{a}", to = "now" } }"#;
        check(step, json!({"a": "7d"}), Some(json!(3024)));
        check(step, json!({"a": "5m"}), Some(json!(15)));
        check(step, json!({}), None);
    }

    #[test]
    fn mistakes_are_reported_where_they_stand() {
        for (text, part) in [
            (
                r#"{ a = { b = "{zz}" } }"#,
                "p:1:17: x.a.b: no argument `zz`",
            ),
            (r#"{ "$frist" = [] }"#, "did you mean `$first`?"),
            (r#"{ "$if" = "{a}" }"#, "needs `then` or `else`"),
            (r#"{ "$map" = "{a}" }"#, "`with` is missing"),
            (r#"{ "$merge" = {} }"#, "expected a list"),
            (r#"{ "$first" = [], x = 1 }"#, "unknown key `x`"),
            ("2026-01-01", "put it in quotes"),
            ("nan", "no such number"),
            (r#"{ "$step" = { from = "{a}" } }"#, "`to` is missing"),
        ] {
            read(text, |_, problems| {
                assert!(
                    problems.iter().any(|problem| problem.contains(part)),
                    "{text}: {problems:?}"
                );
            });
        }
    }
}
