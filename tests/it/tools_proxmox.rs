//! The tools of `config/packs/proxmox.toml` against a fake Proxmox VE.

use crate::fakes::proxmox::Proxmox;
use crate::support::{Answer, Rig, Upstream, Value, json};

const TOKEN: &str = "siskin@pve!mcp=6f1c9a5e-0000-4c41-9d3a-1c2b3d4e5f60";

fn rig() -> Rig<Proxmox> {
    Rig::start(
        "services__proxmox",
        Some(TOKEN),
        Upstream::start(Proxmox::new()),
    )
}

fn dns() -> Value {
    json!({"node": "pve", "type": "qemu", "vmid": 100})
}

fn with(mut arguments: Value, name: &str, value: Value) -> Value {
    arguments[name] = value;
    arguments
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "d reboot_guest",
        "di shutdown_guest",
        "di stop_guest",
        "r get_guest_status",
        "r get_node_status",
        "r get_task_log",
        "r get_task_status",
        "r list_guests",
        "r list_resources",
        "r list_snapshots",
        "w create_snapshot",
        "wi start_guest",
    ];
    let mut rig = rig();
    assert_eq!(rig.offers("proxmox_"), expected);
    let tools = rig.tools();
    let stop = tools
        .iter()
        .find(|tool| tool["name"] == "proxmox_stop_guest")
        .unwrap();
    assert!(
        stop["description"]
            .as_str()
            .unwrap()
            .contains("ask the user first"),
        "{stop}"
    );
}

#[test]
fn guests_nodes_and_storage_are_listed() {
    let mut rig = rig();
    let web = json!({"vmid": 101, "name": "web", "type": "lxc", "node": "pve", "status": "running", "cpu": 0.0123, "cpus": 2,
        "mem": 536_870_912_u64, "maxmem": 2_147_483_648_u64, "uptime": 86_400, "tags": "home"});
    let call = rig.expect_list(
        "proxmox_list_guests",
        json!({"status": "running", "query": "WE"}),
        "GET /api2/json/cluster/resources?type=vm",
        json!([web]),
    );
    assert_eq!(
        call.header("authorization"),
        Some(format!("PVEAPIToken={TOKEN}").as_str())
    );
    let all = rig.json("proxmox_list_guests", json!({"limit": 1}));
    assert_eq!(
        (&all["items"][0]["vmid"], &all["total"]),
        (&json!(100), &json!(2))
    );
    rig.upstream.taken();
    rig.expect_list(
        "proxmox_list_resources",
        json!({"kind": "storage"}),
        "GET /api2/json/cluster/resources?type=storage",
        json!([{"node": "pve", "storage": "local", "status": "available", "type": "dir", "content": "iso,vztmpl",
            "disk": 10_737_418_240_u64, "maxdisk": 107_374_182_400_u64, "shared": 0}]),
    );
    let nodes = rig.json("proxmox_list_resources", json!({}));
    assert_eq!(nodes["items"][0]["node"], "pve");
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api2/json/cluster/resources?type=node"
    );
}

#[test]
fn a_node_and_a_guest_are_shown() {
    let mut rig = rig();
    let node = rig.json("proxmox_get_node_status", json!({"node": "pve"}));
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api2/json/nodes/pve/status"
    );
    assert_eq!(
        (&node["cpu"], &node["model"]),
        (&json!(0.0512), &json!("N100"))
    );
    assert!(!node.to_string().contains("vme de pse"), "{node}");
    rig.expect(
        "proxmox_get_guest_status",
        dns(),
        "GET /api2/json/nodes/pve/qemu/100/status/current",
        json!({"vmid": 100, "name": "dns", "status": "stopped", "qmpstatus": "stopped", "uptime": 0, "cpu": 0.0123, "cpus": 2,
            "mem": 536_870_912_u64, "maxmem": 2_147_483_648_u64, "disk": 0, "maxdisk": 34_359_738_368_u64, "tags": "home", "agent": 1}),
    );
}

#[test]
fn an_action_is_a_task_that_ends_later() {
    let mut rig = rig();
    let upid = "UPID:pve:0001A2B1:00C4D5E6:6740A1B2:qmstart:100:siskin@pve!mcp:";
    let call = rig.expect_text(
        "proxmox_start_guest",
        dns(),
        "POST /api2/json/nodes/pve/qemu/100/status/start",
        &format!("Task {upid}"),
    );
    assert_eq!((call.body.len(), call.header("content-type")), (0, None));

    // The colons, the exclamation mark and the at sign are one segment, however they are written.
    let task = json!({"node": "pve", "upid": upid});
    let status = |status: &str| json!({"status": status, "type": "qmstart", "id": "100", "node": "pve", "started": "2024-11-22T15:22:26Z", "user": "siskin@pve"});
    let found = rig.json("proxmox_get_task_status", task.clone());
    assert_eq!(found, status("running"));
    rig.upstream
        .state(|pve| assert!(!pve.guests[1].3, "it is not on yet"));
    let found = rig.json("proxmox_get_task_status", task.clone());
    assert_eq!(found, with(status("stopped"), "exitstatus", json!("OK")));
    rig.upstream
        .state(|pve| assert!(pve.guests[1].3, "now it is"));
    rig.upstream.taken();

    let log = rig.json("proxmox_get_task_log", with(task, "limit", json!(1)));
    assert_eq!(
        (&log["items"], &log["total"]),
        (&json!([{"line": "starting"}]), &json!(2))
    );
    assert!(rig.upstream.only().line().ends_with("/log?limit=1"));

    // Starting what runs is 200 too; the task says what came of it.
    let second = rig.text("proxmox_start_guest", dns());
    let task = json!({"node": "pve", "upid": second.trim_start_matches("Task ")});
    rig.json("proxmox_get_task_status", task.clone());
    let found = rig.json("proxmox_get_task_status", task);
    assert_eq!(found["exitstatus"], "VM 100 already running");
}

#[test]
fn guests_are_shut_down_rebooted_and_stopped() {
    let mut rig = rig();
    let web = json!({"node": "pve", "type": "lxc", "vmid": 101});
    let path = "/api2/json/nodes/pve/lxc/101/status";
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    for (tool, arguments, action, form) in [
        (
            "proxmox_shutdown_guest",
            with(
                with(web.clone(), "timeout_s", json!(60)),
                "force_stop",
                json!(true),
            ),
            "shutdown",
            pairs(&[("timeout", "60"), ("forceStop", "1")]),
        ),
        (
            "proxmox_shutdown_guest",
            web.clone(),
            "shutdown",
            pairs(&[]),
        ),
        (
            "proxmox_reboot_guest",
            with(web.clone(), "timeout_s", json!(0)),
            "reboot",
            pairs(&[("timeout", "0")]),
        ),
        ("proxmox_stop_guest", web, "stop", pairs(&[])),
    ] {
        let text = rig.text(tool, arguments);
        assert!(
            text.starts_with("Task UPID:pve:") && text.contains(&format!(":vz{action}:101:")),
            "{text}"
        );
        let call = rig.upstream.only();
        assert_eq!(call.line(), format!("POST {path}/{action}"));
        assert_eq!(call.form(), form);
    }
}

#[test]
fn snapshots_are_taken_as_forms() {
    let mut rig = rig();
    let arguments = with(
        with(dns(), "name", json!("before-upgrade")),
        "description",
        json!("a & b = c"),
    );
    let text = rig.text("proxmox_create_snapshot", arguments);
    assert!(text.contains(":qmsnapshot:100:"), "{text}");
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /api2/json/nodes/pve/qemu/100/snapshot");
    assert_eq!(
        call.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    rig.expect_list(
        "proxmox_list_snapshots",
        dns(),
        "GET /api2/json/nodes/pve/qemu/100/snapshot",
        json!([
            {"name": "before-upgrade", "description": "a & b = c", "time": "2025-11-20T00:53:20Z", "with_memory": 0},
            {"name": "current", "description": "You are here!", "parent": "before-upgrade"},
        ]),
    );
}

#[test]
fn the_node_may_be_configured() {
    let node = ("APP_SERVICES__PROXMOX__NODE", "pve");
    let mut rig = Rig::start_with(
        "services__proxmox",
        Some(TOKEN),
        Upstream::start(Proxmox::new()),
        &[node],
    );
    rig.json("proxmox_get_node_status", json!({}));
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api2/json/nodes/pve/status"
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let guest = |action: &str| format!("/api2/json/nodes/pve/qemu/100/{action}");
    let upid = "UPID:pve:1:2:3:qmstart:100:root:";
    let (start, shutdown) = (guest("status/start"), guest("status/shutdown"));
    let (reboot, stop) = (guest("status/reboot"), guest("status/stop"));
    let (snapshot, current) = (guest("snapshot"), guest("status/current"));
    let task = json!({"node": "pve", "upid": upid});
    let (status, log) = (
        "/api2/json/nodes/pve/tasks/UPID%3Apve%3A1%3A2%3A3%3Aqmstart%3A100%3Aroot%3A/status",
        "/api2/json/nodes/pve/tasks/UPID%3Apve%3A1%3A2%3A3%3Aqmstart%3A100%3Aroot%3A/log",
    );
    rig.expect_failures(
        &Answer::json(
            403,
            &json!({"data": null, "message": "Permission check failed (/vms/100, VM.Audit)\n"}),
        ),
        "Proxmox VE answered 403: Permission check failed (/vms/100, VM.Audit)",
        &[
            (
                "proxmox_list_guests",
                json!({}),
                "GET",
                "/api2/json/cluster/resources",
            ),
            (
                "proxmox_list_resources",
                json!({}),
                "GET",
                "/api2/json/cluster/resources",
            ),
            (
                "proxmox_get_node_status",
                json!({"node": "pve"}),
                "GET",
                "/api2/json/nodes/pve/status",
            ),
            ("proxmox_get_guest_status", dns(), "GET", &current),
            ("proxmox_start_guest", dns(), "POST", &start),
            ("proxmox_shutdown_guest", dns(), "POST", &shutdown),
            ("proxmox_reboot_guest", dns(), "POST", &reboot),
            ("proxmox_stop_guest", dns(), "POST", &stop),
            ("proxmox_list_snapshots", dns(), "GET", &snapshot),
            (
                "proxmox_create_snapshot",
                with(dns(), "name", json!("ab")),
                "POST",
                &snapshot,
            ),
            ("proxmox_get_task_status", task.clone(), "GET", status),
            ("proxmox_get_task_log", task.clone(), "GET", log),
        ],
    );
    // A refused parameter is named.
    let told = rig.failure("proxmox_get_task_status", task);
    assert!(
        told.contains("Proxmox VE answered 400: ") && told.contains("no such task"),
        "{told}"
    );
    let told = rig.failure("proxmox_get_guest_status", with(dns(), "vmid", json!(999)));
    assert_eq!(
        told,
        "proxmox_get_guest_status: Proxmox VE answered 500: Configuration file 'nodes/pve/qemu-server/999.conf' does not exist"
    );
    let mut stranger = Rig::start(
        "services__proxmox",
        Some("root@pam!x=y"),
        Upstream::start(Proxmox::new()),
    );
    let told = stranger.failure("proxmox_list_guests", json!({}));
    assert_eq!(
        told,
        "proxmox_list_guests: Proxmox VE answered 401: invalid token value!"
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("proxmox_list_guests", json!({"status": "off"}), "`status`"),
        ("proxmox_list_resources", json!({"kind": "vm"}), "`kind`"),
        ("proxmox_get_node_status", json!({}), "`node`"),
        (
            "proxmox_get_node_status",
            json!({"node": "pve/../x"}),
            "`node`",
        ),
        (
            "proxmox_get_guest_status",
            with(dns(), "vmid", json!(1.5)),
            "`vmid`",
        ),
        (
            "proxmox_start_guest",
            with(dns(), "type", json!("kvm")),
            "`type`",
        ),
        (
            "proxmox_shutdown_guest",
            with(dns(), "timeout_s", json!(-1)),
            "`timeout_s`",
        ),
        (
            "proxmox_reboot_guest",
            json!({"node": "pve", "type": "lxc"}),
            "`vmid`",
        ),
        (
            "proxmox_stop_guest",
            with(dns(), "now", json!(true)),
            "`now`",
        ),
        (
            "proxmox_list_snapshots",
            json!({"node": "pve", "vmid": 100}),
            "`type`",
        ),
        (
            "proxmox_create_snapshot",
            with(dns(), "name", json!("1st")),
            "`name`",
        ),
        (
            "proxmox_get_task_status",
            json!({"node": "pve", "upid": "100"}),
            "`upid`",
        ),
        (
            "proxmox_get_task_log",
            json!({"node": "pve", "upid": "UPID:a/b"}),
            "`upid`",
        ),
    ]);
}
