//! One siskin in front of a whole house: eleven services at once, their probes, their secrets.

use crate::fakes::adguard::AdGuard;
use crate::fakes::gitea::{self, Gitea};
use crate::fakes::home_assistant::{self, HomeAssistant};
use crate::fakes::immich::{self, Immich};
use crate::fakes::jellyfin::{self, Jellyfin};
use crate::fakes::node_red::NodeRed;
use crate::fakes::ntfy::{self, Ntfy};
use crate::fakes::paperless::{self, Paperless};
use crate::fakes::pihole::Pihole;
use crate::fakes::proxmox::Proxmox;
use crate::fakes::uptime_kuma::{self, UptimeKuma};
use crate::support::{Mcp, Server, Upstream, Way, json, parse};

/// All of them, and their tokens.
struct House {
    home_assistant: Upstream<HomeAssistant>,
    pihole: Upstream<Pihole>,
    adguard: Upstream<AdGuard>,
    jellyfin: Upstream<Jellyfin>,
    uptime_kuma: Upstream<UptimeKuma>,
    proxmox: Upstream<Proxmox>,
    gitea: Upstream<Gitea>,
    paperless: Upstream<Paperless>,
    immich: Upstream<Immich>,
    node_red: Upstream<NodeRed>,
    ntfy: Upstream<Ntfy>,
}

impl House {
    fn start() -> House {
        House {
            home_assistant: Upstream::start(HomeAssistant::new()),
            pihole: Upstream::start(Pihole::new()),
            adguard: Upstream::start(AdGuard::new()),
            jellyfin: Upstream::start(Jellyfin::new()),
            uptime_kuma: Upstream::start(UptimeKuma::new()),
            proxmox: Upstream::start(Proxmox::new()),
            gitea: Upstream::start(Gitea::new()),
            paperless: Upstream::start(Paperless::new()),
            immich: Upstream::start(Immich::new()),
            node_red: Upstream::start(NodeRed::new()),
            ntfy: Upstream::start(Ntfy::new()),
        }
    }

    /// Name, URL and token of each.
    fn services(&self) -> [(&'static str, String, &'static str); 11] {
        let proxmox = "siskin@pve!mcp=6f1c9a5e-0000-4c41-9d3a-1c2b3d4e5f60";
        [
            (
                "home_assistant",
                self.home_assistant.url(),
                home_assistant::TOKEN,
            ),
            ("pihole", self.pihole.url(), "correct horse"),
            ("adguard", self.adguard.url(), "admin:se:cret"),
            ("jellyfin", self.jellyfin.url(), jellyfin::KEY),
            ("uptime_kuma", self.uptime_kuma.url(), uptime_kuma::KEY),
            ("proxmox", self.proxmox.url(), proxmox),
            ("gitea", self.gitea.url(), gitea::TOKEN),
            ("paperless", self.paperless.url(), paperless::TOKEN),
            ("immich", self.immich.url(), immich::KEY),
            ("node_red", self.node_red.url(), "admin:pass:word&more"),
            ("ntfy", self.ntfy.url(), ntfy::TOKEN),
        ]
    }

    /// A siskin that has them all; `token` may change the tokens.
    fn siskin(&self, token: impl Fn(&'static str) -> &'static str) -> Server {
        let mut env = vec![("APP_LOG__LEVEL".to_owned(), "trace".to_owned())];
        for (name, url, secret) in self.services() {
            let section = format!("APP_SERVICES__{}", name.to_uppercase());
            env.push((format!("{section}__URL"), url));
            env.push((format!("{section}__TOKEN"), token(secret).to_owned()));
        }
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Server::start(&env)
    }
}

#[test]
fn every_probe_finds_its_service() {
    let house = House::start();
    let server = house.siskin(|token| token);
    let ready = server.get_json("/ready");
    assert_eq!(ready["status"], "ready", "{ready}");
    for (name, ..) in house.services() {
        assert_eq!(ready["services"][name], "up", "{name}: {ready}");
    }
}

#[test]
fn a_probe_tells_a_wrong_token_where_the_service_wants_one() {
    let house = House::start();
    let server = house.siskin(|_| "wrong:wrong");
    let response = server.get("/ready");
    let ready = parse(&response.body);
    assert_eq!(
        (response.status, &ready["status"]),
        (503, &json!("degraded")),
        "{ready}"
    );
    for (name, ..) in house.services() {
        // These two say that they are there to anybody.
        let expected = ["immich", "ntfy"].contains(&name);
        assert_eq!(ready["services"][name] == "up", expected, "{name}: {ready}");
    }
}

#[test]
fn no_secret_gets_into_the_log_or_into_a_list_of_tools() {
    let house = House::start();
    let server = house.siskin(|token| token);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    for (tool, arguments) in [
        ("home_assistant_list_states", json!({})),
        ("pihole_get_summary", json!({})),
        ("adguard_get_status", json!({})),
        ("jellyfin_get_system_info", json!({})),
        ("uptime_kuma_list_monitors", json!({})),
        ("proxmox_list_guests", json!({})),
        ("gitea_search_repos", json!({})),
        ("paperless_list_tags", json!({})),
        ("immich_list_albums", json!({})),
        ("node_red_list_flows", json!({})),
        ("ntfy_list_messages", json!({"topic": "alerts"})),
    ] {
        let result = mcp.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
    }
    let listed = mcp.result("tools/list", json!({})).to_string();
    let log = server.stop().log;
    for (name, _, token) in house.services() {
        // Of a name and a password the second part.
        let secret = token
            .split_once(':')
            .map_or(token, |(_, password)| password);
        assert!(
            !log.contains(secret),
            "{name}: `{secret}` in the log:\n{log}"
        );
        assert!(
            !listed.contains(secret),
            "{name}: `{secret}` in the list of tools"
        );
    }
    // Sessions are given back on the way out.
    house
        .pihole
        .state(|pihole| assert_eq!((pihole.logins, pihole.sessions.len()), (1, 0)));
}
