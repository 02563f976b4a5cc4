//! What a reload names.

use super::super::{Config, diff};
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
