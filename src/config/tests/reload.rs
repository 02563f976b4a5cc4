//! What a reload names.

use super::super::{Config, Loaded, diff};
use super::Setup;

#[test]
fn a_change_is_named_and_so_is_what_needs_a_restart() {
    let old = Setup::toml("[grafana]\nurl = \"http://x\"\npassword = \"a\"\n")
        .load()
        .config;
    let new = Setup::toml(
        "[grafana]\nurl = \"http://x\"\npassword = \"b\"\n[services.gitea]\nurl = \"http://y\"\n\
         [server]\nport = 9\napi_token = \"t\"\n[timeout]\nhttp = \"30s\"\nidle = \"31s\"\n",
    )
    .load()
    .config;
    let plan = diff(&old, &new);
    assert_eq!(
        plan.changed,
        [
            "server.port",
            "server.api_token",
            "timeout.idle",
            "grafana.password",
            "services.gitea.url"
        ]
    );
    assert_eq!(plan.needs_restart, ["server.port"]);
    assert_eq!(diff(&new, &old).changed.len(), 5);
    assert_eq!(diff(&new, &new.clone()), Default::default());
    assert_eq!(
        diff(&old, &Config::default()).changed,
        ["grafana.url", "grafana.password"]
    );
}

fn loaded(text: &str) -> Loaded {
    Setup::toml(text).load()
}

#[test]
fn what_needs_a_restart_keeps_its_value() {
    let old = loaded("[server]\nport = 8001\ntitle = \"a\"\n[limits]\nstreams = 5\n").config;
    let new =
        loaded("[server]\nport = 8002\n[limits]\nstreams = 6\n[timeout]\nsse_ping = \"9s\"\n")
            .config;
    let next = old.take_over(&new);
    assert_eq!(diff(&old, &next).changed, ["limits.streams"]);
    assert_eq!(
        diff(&next, &new).changed,
        ["server.title", "server.port", "timeout.sse_ping"]
    );
    assert_eq!(diff(&next, &new).needs_restart.len(), 3);
}

#[test]
fn a_token_removed_together_with_the_address_it_guarded_exposes_the_old_address() {
    let old = loaded("[server]\nhost = \"0.0.0.0\"\nport = 8001\napi_token = \"t\"\n").config;
    let local = loaded("[server]\nhost = \"127.0.0.1\"\nport = 8001\n").config;
    assert_eq!(local.exposed(), [""; 0]);
    assert_eq!(old.exposed(), [""; 0]);
    assert_eq!(old.take_over(&local).exposed(), ["0.0.0.0:8001"]);
    let wished =
        loaded("[server]\nhost = \"127.0.0.1\"\nport = 8001\n[auth]\nallow_anonymous = true\n")
            .config;
    assert_eq!(old.take_over(&wished).exposed(), [""; 0]);
}
