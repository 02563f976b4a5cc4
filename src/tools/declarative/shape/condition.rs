//! `where`: which items stay.
//!
//! A condition is bound to a call's arguments once, and then asked for each item: what an absent
//! argument leaves out is gone by then, and needles are lower case already.

use std::borrow::Cow;

use serde_json::{Map, Value};
use toml::Spanned;

use super::compile::{Compiler, Operand, given, is_set, reference};
use super::path::Path;
use super::scalar::{Scalar, Scalars};
use super::spec::ConditionSpec;

/// Conditions within conditions.
const DEPTH_MAX: usize = 8;

/// A condition as it was loaded.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    when: Option<String>,
    unless: Option<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test(Path, Test),
}

#[derive(Clone, Debug)]
enum Test {
    Contains(Operand),
    EndsWith(Operand),
    Eq(Operand),
    Exists(bool),
    IContains(Operand),
    In(Choices),
    Ne(Operand),
    StartsWith(Operand),
}

#[derive(Clone, Debug)]
enum Choices {
    Argument(String),
    Constant(Vec<Value>),
}

/// All of a list's conditions, which must hold together.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    specs: &[Spanned<ConditionSpec>],
) -> Vec<Condition> {
    let all = specs
        .iter()
        .filter_map(|spec| condition(compiler, spec, DEPTH_MAX));
    all.collect()
}

fn condition(
    compiler: &mut Compiler<'_>,
    spec: &Spanned<ConditionSpec>,
    depth: usize,
) -> Option<Condition> {
    let (span, spec) = (spec.span(), spec.get_ref());
    if depth == 0 {
        compiler.problem(
            span,
            format!("`where`: conditions stand more than {DEPTH_MAX} deep within each other"),
        );
        return None;
    }
    let when = spec.when.as_ref().map(|text| compiler.flag("when", text));
    let unless = spec
        .unless
        .as_ref()
        .map(|text| compiler.flag("unless", text));
    let kind = kind(compiler, span, spec, depth);
    Some(Condition {
        when: lift(when)?,
        unless: lift(unless)?,
        kind: kind?,
    })
}

/// What was not written is fine, what was written wrong is not.
fn lift<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(None) => None,
        Some(right) => Some(right),
    }
}

fn kind(
    compiler: &mut Compiler<'_>,
    span: std::ops::Range<usize>,
    spec: &ConditionSpec,
    depth: usize,
) -> Option<Kind> {
    let mut tests = tests(compiler, spec);
    let several =
        |compiler: &mut Compiler<'_>, specs: &Vec<Spanned<ConditionSpec>>| -> Vec<Condition> {
            let all = specs
                .iter()
                .filter_map(|spec| condition(compiler, spec, depth.saturating_sub(1)));
            all.collect()
        };
    let mut groups = Vec::new();
    if let Some(specs) = &spec.any {
        groups.push(Some(Kind::Any(several(compiler, specs))));
    }
    if let Some(specs) = &spec.all {
        groups.push(Some(Kind::All(several(compiler, specs))));
    }
    if let Some(spec) = &spec.not {
        let inner = condition(compiler, spec, depth.saturating_sub(1));
        groups.push(inner.map(|inner| Kind::Not(Box::new(inner))));
    }
    match (&spec.path, tests.len(), groups.len()) {
        (Some(path), 1, 0) => {
            let path = compiler.path("path", path);
            Some(Kind::Test(path?, tests.pop()??))
        }
        (None, 0, 1) => groups.pop()?,
        (Some(_), found, 0) => {
            compiler.problem(
                span,
                format!(
                    "`where`: found {found} tests beside `path`, expected exactly one of `eq`, `ne`, `contains`, `icontains`, `starts_with`, `ends_with`, `exists`, `in`"
                ),
            );
            None
        }
        _ => {
            compiler.problem(
                span,
                "`where`: a condition is either a `path` with one test, or one of `any`, `all`, `not`",
            );
            None
        }
    }
}

/// The tests that a condition names, each `None` if it is wrong.
fn tests(compiler: &mut Compiler<'_>, spec: &ConditionSpec) -> Vec<Option<Test>> {
    type Make = fn(Operand) -> Test;
    let simple: [(&str, &Option<Spanned<Scalar>>, Make); 6] = [
        ("eq", &spec.eq, Test::Eq),
        ("ne", &spec.ne, Test::Ne),
        ("contains", &spec.contains, Test::Contains),
        ("icontains", &spec.icontains, Test::IContains),
        ("starts_with", &spec.starts_with, Test::StartsWith),
        ("ends_with", &spec.ends_with, Test::EndsWith),
    ];
    let mut tests = Vec::new();
    for (key, scalar, make) in simple {
        if let Some(scalar) = scalar {
            tests.push(compiler.operand(key, scalar).map(make));
        }
    }
    if let Some(exists) = spec.exists {
        tests.push(Some(Test::Exists(exists)));
    }
    if let Some(choices) = &spec.one_of {
        tests.push(self::choices(compiler, choices).map(Test::In));
    }
    tests
}

fn choices(compiler: &mut Compiler<'_>, scalars: &Spanned<Scalars>) -> Option<Choices> {
    match scalars.get_ref() {
        Scalars::List(list) => Some(Choices::Constant(
            list.iter().map(Scalar::to_value).collect(),
        )),
        Scalars::One(Scalar::Text(text)) if reference(text).is_some() => {
            let name = reference(text)?;
            let known = compiler.argument("in", scalars.span(), name);
            known.then(|| Choices::Argument(name.to_owned()))
        }
        Scalars::One(other) => {
            let text = format!(
                "`in`: found {}, expected a list or an argument",
                other.to_value()
            );
            compiler.problem(scalars.span(), text);
            None
        }
    }
}

impl Condition {
    /// The names of the arguments it compares with, for the hint how to see less.
    pub(super) fn arguments(&self, see: &mut dyn FnMut(&str)) {
        if let Some(name) = self.when.as_ref().or(self.unless.as_ref()) {
            see(name);
        }
        match &self.kind {
            Kind::All(conditions) | Kind::Any(conditions) => {
                conditions
                    .iter()
                    .for_each(|condition| condition.arguments(see));
            }
            Kind::Not(condition) => condition.arguments(see),
            Kind::Test(_, Test::In(Choices::Argument(name))) => see(name),
            Kind::Test(_, Test::Exists(_) | Test::In(_)) => (),
            Kind::Test(
                _,
                Test::Contains(operand)
                | Test::EndsWith(operand)
                | Test::Eq(operand)
                | Test::IContains(operand)
                | Test::Ne(operand)
                | Test::StartsWith(operand),
            ) => operand.argument().into_iter().for_each(see),
        }
    }

    /// The condition in this call; `None` if it does not apply to it.
    fn bind<'c>(&'c self, arguments: &'c Map<String, Value>) -> Option<Bound<'c>> {
        let is_off = |name: &String| !is_set(arguments, name);
        if self.when.as_ref().is_some_and(is_off)
            || self.unless.as_ref().is_some_and(|name| !is_off(name))
        {
            return None;
        }
        match &self.kind {
            Kind::All(conditions) => Some(Bound::All(bind_all(conditions, arguments))),
            Kind::Any(conditions) => {
                let bound = bind_all(conditions, arguments);
                (!bound.is_empty()).then_some(Bound::Any(bound))
            }
            Kind::Not(condition) => Some(Bound::Not(Box::new(condition.bind(arguments)?))),
            Kind::Test(path, test) => Some(Bound::Test(path, test.bind(arguments)?)),
        }
    }
}

impl Test {
    fn bind<'c>(&'c self, arguments: &'c Map<String, Value>) -> Option<BoundTest<'c>> {
        let needle = |operand: &'c Operand| text(operand.value(arguments)?);
        Some(match self {
            Test::Contains(operand) => BoundTest::Contains(needle(operand)?),
            Test::EndsWith(operand) => BoundTest::EndsWith(needle(operand)?),
            Test::Eq(operand) => BoundTest::Eq(operand.value(arguments)?),
            Test::Exists(expected) => BoundTest::Exists(*expected),
            Test::IContains(operand) => BoundTest::IContains(needle(operand)?.to_lowercase()),
            Test::In(Choices::Constant(list)) => BoundTest::In(list),
            Test::In(Choices::Argument(name)) => match given(arguments, name)? {
                Value::Array(list) => BoundTest::In(list),
                one => BoundTest::In(std::slice::from_ref(one)),
            },
            Test::Ne(operand) => BoundTest::Ne(operand.value(arguments)?),
            Test::StartsWith(operand) => BoundTest::StartsWith(needle(operand)?),
        })
    }
}

/// A condition with this call's values in it.
pub(super) enum Bound<'c> {
    All(Vec<Bound<'c>>),
    Any(Vec<Bound<'c>>),
    Not(Box<Bound<'c>>),
    Test(&'c Path, BoundTest<'c>),
}

pub(super) enum BoundTest<'c> {
    Contains(Cow<'c, str>),
    EndsWith(Cow<'c, str>),
    Eq(&'c Value),
    Exists(bool),
    IContains(String),
    In(&'c [Value]),
    Ne(&'c Value),
    StartsWith(Cow<'c, str>),
}

/// The conditions that apply to this call.
pub(super) fn bind_all<'c>(
    conditions: &'c [Condition],
    arguments: &'c Map<String, Value>,
) -> Vec<Bound<'c>> {
    let bound = conditions
        .iter()
        .filter_map(|condition| condition.bind(arguments));
    bound.collect()
}

/// Whether an item meets all of them.
pub(super) fn all_hold(conditions: &[Bound<'_>], item: &Value) -> bool {
    conditions.iter().all(|condition| condition.holds(item))
}

impl Bound<'_> {
    fn holds(&self, item: &Value) -> bool {
        match self {
            Bound::All(conditions) => all_hold(conditions, item),
            Bound::Any(conditions) => conditions.iter().any(|condition| condition.holds(item)),
            Bound::Not(condition) => !condition.holds(item),
            Bound::Test(path, test) => test.holds(path, item),
        }
    }
}

impl BoundTest<'_> {
    fn holds(&self, path: &Path, item: &Value) -> bool {
        let any = |test: &dyn Fn(&Value) -> bool| {
            let mut found = false;
            path.visit(item, &mut |value| found = found || test(value));
            found
        };
        match self {
            BoundTest::Contains(needle) => any(&|value| match value {
                Value::Array(elements) => elements
                    .iter()
                    .any(|element| text(element).as_ref() == Some(needle)),
                other => text(other).is_some_and(|text| text.contains(&**needle)),
            }),
            BoundTest::EndsWith(end) => {
                any(&|value| text(value).is_some_and(|text| text.ends_with(&**end)))
            }
            BoundTest::Eq(expected) => any(&|value| same(value, expected)),
            BoundTest::Exists(expected) => any(&|value| !value.is_null()) == *expected,
            BoundTest::IContains(needle) => any(&|value| match value {
                Value::Array(elements) => elements.iter().any(|element| {
                    text(element).is_some_and(|text| text.to_lowercase() == *needle)
                }),
                other => text(other).is_some_and(|text| text.to_lowercase().contains(needle)),
            }),
            BoundTest::In(choices) => {
                any(&|value| choices.iter().any(|choice| same(value, choice)))
            }
            BoundTest::Ne(unwanted) => !any(&|value| same(value, unwanted)),
            BoundTest::StartsWith(start) => {
                any(&|value| text(value).is_some_and(|text| text.starts_with(&**start)))
            }
        }
    }
}

/// A scalar as text; `None` for null, lists and objects.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Array(_) | Value::Null | Value::Object(_) => None,
    }
}

/// Whether two values mean the same: 5 and 5.0 do, and so do 5 and `"5"`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::String(a), Value::String(b)) => a == b,
        _ => a == b || text(a).is_some_and(|a| text(b) == Some(a)),
    }
}
