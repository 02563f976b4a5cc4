//! The keys of a request and of a probe, and the operators of what is sent.

use super::super::request::METHODS;
use crate::tools::declarative::shape::keys::{Key, Kind, REQUIRED, key};

pub(super) const PROBE: &[Key] = &[
    key(
        "method",
        Kind::Choice(&["GET", "HEAD"]),
        "`GET`",
        "method = 'HEAD'",
        "The verb.",
    ),
    key(
        "path",
        Kind::OneOrMany(&Kind::Template),
        REQUIRED,
        "path = '/health'",
        "As of a request.",
    ),
    key(
        "query",
        Kind::TableOf(&Kind::Tree),
        "",
        "query = { limit = 1 }",
        "Parameters.",
    ),
    key(
        "headers",
        Kind::TableOf(&Kind::Template),
        "",
        "headers = { X-Region = '{option.region}' }",
        "Headers.",
    ),
    key(
        "accept",
        Kind::Text,
        "`*/*`",
        "accept = 'text/plain'",
        "The media type that is asked for.",
    ),
    key(
        "timeout",
        Kind::Text,
        "`5s`",
        "timeout = '2s'",
        "Its time; never more than 5s.",
    ),
    key(
        "expect",
        Kind::List(&Kind::Status),
        "`[\"2xx\"]`",
        "expect = [200, '3xx']",
        "Statuses by which the service is ready.",
    ),
    key(
        "auth",
        Kind::Bool,
        "`true`",
        "auth = false",
        "Whether it is sent with the credential. With it, a wrong token shows.",
    ),
];

pub(super) const REQUEST: &[Key] = &[
    key(
        "method",
        Kind::Choice(&METHODS),
        "`GET`",
        "method = 'PUT'",
        "The verb.",
    ),
    key(
        "path",
        Kind::OneOrMany(&Kind::Template),
        REQUIRED,
        "path = ['/items/{query}', '/items']",
        "Begins with `/`. A reference is one encoded segment, `{page:path}` may be several; `.`, `..` and empty ones are refused. \
         Of a list the first whose references all have a value; the last must always have.",
    ),
    key(
        "query",
        Kind::TableOf(&Kind::Tree),
        "",
        "query = { q = '{query}', 'tag[]' = ['{name}'] }",
        "Parameters, in this order. Absent ones are left out, a list is repeated.",
    ),
    key(
        "headers",
        Kind::TableOf(&Kind::Template),
        "",
        "headers = { If-Match = '{name}' }",
        "Absent ones are left out.",
    ),
    key(
        "json",
        Kind::Tree,
        "",
        "json = { title = '{name}', done = true }",
        "Body, as JSON.",
    ),
    key(
        "form",
        Kind::TableOf(&Kind::Tree),
        "",
        "form = { title = '{name}' }",
        "Body, urlencoded; as `query`.",
    ),
    key(
        "text",
        Kind::Template,
        "",
        "text = '{name}'",
        "Body, as it is.",
    ),
    key(
        "content_type",
        Kind::Text,
        "by the body",
        "content_type = 'text/markdown'\ntext = '{name}'",
        "The body's media type.",
    ),
    key(
        "accept",
        Kind::Text,
        "by `decode`",
        "accept = 'text/plain'",
        "The media type that is asked for.",
    ),
    key(
        "timeout",
        Kind::Text,
        "the service's",
        "timeout = '15s + {seconds}'",
        "Time of this request, `45s`; with an argument that may add to it, in seconds or as a duration. The call's own limit gives way.",
    ),
];

/// Operators in trees.
pub(super) const OPERATOR: &[Key] = &[
    key(
        "$merge",
        Kind::List(&Kind::Tree),
        "",
        "json = { '$merge' = [{ tags = ['a'] }, { title = '{name}' }] }",
        "Objects one over the other, later ones win; with `{before.NAME}` first it changes what is there.",
    ),
    key(
        "$first",
        Kind::List(&Kind::Tree),
        "",
        "json = { seconds = { '$first' = ['{seconds}', '{null}'] } }",
        "The first that has a value.",
    ),
    key(
        "$map",
        Kind::Tree,
        "",
        "json = { '$map' = '{name}', with = { yes = 1, no = 0 }, else = 2 }",
        "A word of the service for each value; without `else` others are absent.",
    ),
    key(
        "$if",
        Kind::Tree,
        "",
        "query = { all = { '$if' = '{full}', then = 1, else = 0 } }",
        "`then` if it has a value that is not `false`; either may be left out.",
    ),
    key(
        "$join",
        Kind::List(&Kind::Tree),
        "",
        "query = { f = { '$join' = ['{name}', '{query}'], with = ' && ' } }",
        "Those that have a value as one text; without `with` commas are between.",
    ),
    key(
        "$json",
        Kind::Tree,
        "",
        "query = { filters = { '$json' = { status = ['{name}'] } } }",
        "Its JSON as a text; absent if nothing is in it.",
    ),
    key(
        "$nonempty",
        Kind::Tree,
        "",
        "json = { filter = { '$nonempty' = { status = ['{name}'] } } }",
        "The same as a value.",
    ),
    key(
        "$flag",
        Kind::Tree,
        "",
        "query = { recursive = { '$flag' = '{full}' } }",
        "In `query`: the name without a value, if so.",
    ),
    key(
        "$step",
        Kind::Tree,
        "",
        "query = { step = { '$step' = { from = '{name}', to = 'now', points = 200, min = 15 } } }",
        "Whole seconds, so that `points` of them cover the time from one to the other, at least `min`.",
    ),
];
