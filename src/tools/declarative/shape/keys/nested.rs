//! The tables within `[tool.response]`.

use super::{Key, Kind, key};

pub(super) const CONDITION: &[Key] = &[
    key(
        "path",
        Kind::Path,
        "",
        "where = [{ path = 'labels.job', eq = 'node' }]",
        "What is tested, by the service's names.",
    ),
    key(
        "eq",
        Kind::Scalar,
        "",
        "where = [{ path = 'id', eq = 5 }]",
        "The same value; 5 and \"5\" are the same.",
    ),
    key(
        "ne",
        Kind::Scalar,
        "",
        "where = [{ path = 'health', ne = 'up' }]",
        "Another value, or none.",
    ),
    key(
        "contains",
        Kind::Scalar,
        "",
        "where = [{ path = 'tags', contains = 'a' }]",
        "A text with this part, or a list with this element.",
    ),
    key(
        "icontains",
        Kind::Scalar,
        "",
        "where = [{ path = 'name', icontains = '{query}' }]",
        "The same without regard to case.",
    ),
    key(
        "starts_with",
        Kind::Scalar,
        "",
        "where = [{ path = 'name', starts_with = 'a/' }]",
        "A text that begins so.",
    ),
    key(
        "ends_with",
        Kind::Scalar,
        "",
        "where = [{ path = 'name', ends_with = '.md' }]",
        "A text that ends so.",
    ),
    key(
        "exists",
        Kind::Bool,
        "",
        "where = [{ path = 'error', exists = true }]",
        "Whether there is a value that is not null.",
    ),
    key(
        "in",
        Kind::Scalars,
        "",
        "where = [{ path = 'state', in = ['firing', 'pending'] }]",
        "One of these values.",
    ),
    key(
        "any",
        Kind::ListOf("condition"),
        "",
        "where = [{ any = [{ path = 'a', eq = 1 }, { path = 'b', eq = 1 }] }]",
        "One of these conditions holds.",
    ),
    key(
        "all",
        Kind::ListOf("condition"),
        "",
        "where = [{ all = [{ path = 'a', eq = 1 }] }]",
        "All of these hold; for use in `any`.",
    ),
    key(
        "not",
        Kind::Table("condition"),
        "",
        "where = [{ not = { path = 'a', starts_with = 'x' } }]",
        "This one does not hold.",
    ),
    key(
        "when",
        Kind::BoolArgument,
        "",
        "where = [{ path = 'a', ne = 'up', when = '{full}' }]",
        "Only if the argument is true.",
    ),
    key(
        "unless",
        Kind::BoolArgument,
        "",
        "where = [{ path = 'a', ne = 'up', unless = '{full}' }]",
        "Not if the argument is true.",
    ),
];

pub(super) const REDACT: &[Key] = &[
    key(
        "env",
        Kind::PathList,
        "",
        "redact = { env = ['Config.Env'] }",
        "Texts `NAME=secret`, which become `NAME=***`, or objects, of which the names stay.",
    ),
    key(
        "values",
        Kind::PathList,
        "",
        "redact = { values = ['Env[].value'] }",
        "Values that are replaced as a whole.",
    ),
    key(
        "keys",
        Kind::TextList,
        "",
        "redact = { keys = ['password', 'token'] }",
        "Words: what stands under a name that has one of them in it, in any case and at any depth, is replaced; booleans and null stay.",
    ),
];

pub(super) const PICK: &[Key] = &[
    key(
        "as",
        Kind::Text,
        "the last name of `at`",
        "pick = [{ as = 'p', at = 'panels[]', pick = ['id'] }]",
        "The member's name.",
    ),
    key(
        "at",
        Kind::Path,
        "",
        "pick = [{ at = 'panels[]', pick = ['id'] }]",
        "What it is made of; required.",
    ),
    key(
        "where",
        Kind::ListOf("condition"),
        "",
        "pick = [{ at = 'Ports[]', where = [{ path = 'PublicPort', exists = true }], pick = ['Type'] }]",
        "Elements that stay.",
    ),
    key(
        "pick",
        Kind::Picks,
        "",
        "pick = [{ at = 'panels[]', pick = ['id', { at = 'targets[]', pick = ['expr'] }] }]",
        "The members of each element; up to eight deep.",
    ),
    key(
        "format",
        Kind::Text,
        "",
        "pick = [{ at = 'Ports[]', format = '{PublicPort}:{PrivatePort}/{Type}' }]",
        "A text for each element, with paths in braces.",
    ),
];

pub(super) const TRIM: &[Key] = &[
    key(
        "prefix",
        Kind::Text,
        "",
        "trim = { name = { prefix = '/' } }",
        "Cut from the start, if it is there.",
    ),
    key(
        "suffix",
        Kind::Text,
        "",
        "trim = { name = { suffix = '.md' } }",
        "Cut from the end, if it is there.",
    ),
    key(
        "until",
        Kind::Text,
        "",
        "trim = { 'env[]' = { until = '=' } }",
        "Only what stands before the first of it stays.",
    ),
    key(
        "chars",
        Kind::Integer(0, 1_000_000),
        "",
        "trim = { id = { chars = 12 } }",
        "Characters that stay.",
    ),
    key(
        "excerpt",
        Kind::Integer(0, 1_000_000),
        "",
        "trim = { description = { excerpt = 200 } }",
        "The same, with `…` where something was cut.",
    ),
];

pub(super) const POINTS: &[Key] = &[
    key(
        "path",
        Kind::Path,
        "",
        "points = { path = 'values', max = 100 }",
        "The lists, by the path in the result; required.",
    ),
    key(
        "max",
        Kind::Count,
        "",
        "points = { path = 'rows', max = '{limit}' }",
        "Elements that stay of each; required.",
    ),
];
