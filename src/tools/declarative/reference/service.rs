//! The keys of `[service]` and of the tables within it.

use super::super::auth::KINDS;
use crate::tools::declarative::shape::keys::{Key, Kind, REQUIRED, key};

pub(super) const SERVICE: &[Key] = &[
    key(
        "id",
        Kind::Text,
        REQUIRED,
        "id = 'kettle'",
        "Lower-case letters, digits and `_`; the same as the file's name. The configuration calls the service by it.",
    ),
    key(
        "title",
        Kind::Text,
        "the id",
        "title = 'Kettle'",
        "Name for people, in messages: `<tool>: Kettle answered 404: …`.",
    ),
    key(
        "description",
        Kind::Text,
        "",
        "description = 'Boils water.'",
        "One line on what it is.",
    ),
    key(
        "setup",
        Kind::Text,
        "",
        "setup = 'Make a token under Settings > API; it needs the right to read.'",
        "Where to get the token and what it needs to be allowed to do.",
    ),
    key(
        "path",
        Kind::Text,
        "",
        "path = '/api/v1'",
        "Put behind the configured `url` for every request. No references.",
    ),
    key(
        "needs_url",
        Kind::Bool,
        "`true`",
        "needs_url = false",
        "`false` only for packs whose tools all run programs.",
    ),
    key(
        "headers",
        Kind::TableOf(&Kind::Template),
        "",
        "headers = { X-Region = '{option.region}' }",
        "Sent with every request; references to options only.",
    ),
    key(
        "auth",
        Kind::Table("auth"),
        "none",
        "auth = { kind = 'bearer' }",
        "How the service knows us.",
    ),
    key(
        "login",
        Kind::Table("login"),
        "",
        "login = { request = { method = 'POST', path = '/login' }, cookie = 'SID' }\nauth = { kind = 'login' }",
        "How a session is begun; with `auth.kind = \"login\"`.",
    ),
    key(
        "error_at",
        Kind::Pointers,
        "`/message`, `/error`, `/detail`",
        "error_at = ['/error/message']",
        "Where a failed answer holds its message: the first that leads to a text. A list there is joined; a body that is one \
         short line is taken as it is, HTML never.",
    ),
    key(
        "timeout",
        Kind::Duration,
        "`timeout.http`",
        "timeout = '45s'",
        "Time of one request, 100ms to 1h; `services.<id>.timeout` of the configuration wins.",
    ),
    key(
        "redirects",
        Kind::Bool,
        "`true`",
        "redirects = false",
        "GET and HEAD follow up to 3 redirects within the same origin; `false`: none. Writes never do.",
    ),
    key(
        "max_response",
        Kind::Size(16),
        "`limits.upstream_bytes`",
        "max_response = '1MiB'",
        "Bytes of one answer that are read; more is an error. Only ever less than the configuration allows.",
    ),
    key(
        "probe",
        Kind::Table("probe"),
        "",
        "probe = { path = '/health' }",
        "What `/ready` and `siskin check` ask to see whether the service is there and takes the token.",
    ),
    key(
        "options",
        Kind::TableOfTables("option"),
        "",
        "options = { room = { description = 'Which room.' } }",
        "Settings of the pack, `[service.options.NAME]`: `{option.NAME}` here, `services.<id>.NAME` in the configuration.",
    ),
    key(
        "args",
        Kind::TableOfTables("argument"),
        "",
        "args = { cup = { description = 'Which cup.' } }",
        "Arguments that several tools share, `[service.args.NAME]`; a tool takes them by `use`.",
    ),
];

pub(super) const OPTION: &[Key] = &[
    key(
        "description",
        Kind::Text,
        REQUIRED,
        "description = 'Which region.'",
        "What it is for.",
    ),
    key(
        "default",
        Kind::Text,
        "",
        "default = 'eu'",
        "Its value where the configuration has none. Options are texts.",
    ),
    key(
        "secret",
        Kind::Bool,
        "`false`",
        "secret = true",
        "Masked in every message, like the token.",
    ),
    key(
        "required",
        Kind::Bool,
        "`false`",
        "required = true",
        "With a `url` but without it the configuration is wrong.",
    ),
];

pub(super) const AUTH: &[Key] = &[
    key(
        "kind",
        Kind::Choice(&KINDS),
        REQUIRED,
        "kind = 'bearer'",
        "`bearer`: `Authorization: Bearer …`; `header`: any header; `basic`: Basic; `bearer_or_basic`: Basic if the token has \
         a colon; `query`: a query parameter; `login`: a session, see `login`.",
    ),
    key(
        "name",
        Kind::Text,
        "",
        "name = 'X-API-Key'\nkind = 'header'",
        "Name of the header or of the parameter; required by `header` and `query`.",
    ),
    key(
        "value",
        Kind::Template,
        "`{token}`",
        "value = 'PVEAPIToken={token}'\nkind = 'header'\nname = 'Authorization'",
        "What is sent: `bearer`, `header`, `query`.",
    ),
    key(
        "username",
        Kind::Template,
        "`{token.user}`",
        "username = '{option.region}'",
        "Name for `basic`.",
    ),
    key(
        "password",
        Kind::Template,
        "`{token.password}`",
        "password = '{token}'",
        "Password for `basic`.",
    ),
];

pub(super) const LOGIN: &[Key] = &[
    key(
        "request",
        Kind::Table("request"),
        REQUIRED,
        "request = { method = 'POST', path = '/auth', json = { password = '{token}' } }",
        "The login. `{token}` and options are known to it.",
    ),
    key(
        "value",
        Kind::Pointer,
        "",
        "value = '/session/sid'",
        "Where the answer holds the session; null there means that nobody need log in. This or `cookie`.",
    ),
    key(
        "cookie",
        Kind::Text,
        "",
        "cookie = 'SID'",
        "Name of the cookie that is the session. This or `value`.",
    ),
    key(
        "send",
        Kind::Table("send"),
        "with `cookie` the cookie",
        "send = { header = 'X-FTL-SID' }",
        "How requests carry the session.",
    ),
    key(
        "ttl",
        Kind::Duration,
        "`25m`",
        "ttl = '10m'",
        "Forgotten after so long without use.",
    ),
    key(
        "again_on",
        Kind::List(&Kind::Status),
        "`[401]`",
        "again_on = [401, 403]",
        "Statuses that mean: log in again, once for each request.",
    ),
    key(
        "logout",
        Kind::Table("request"),
        "",
        "logout = { method = 'DELETE', path = '/auth' }",
        "Sent with the session at the end, as well as can be done.",
    ),
];

pub(super) const SEND: &[Key] = &[
    key(
        "header",
        Kind::Text,
        REQUIRED,
        "header = 'X-FTL-SID'",
        "Name of the header.",
    ),
    key(
        "value",
        Kind::Template,
        "`{login}`",
        "value = 'Bearer {login}'",
        "What is in it; `{login}` is the session.",
    ),
];
