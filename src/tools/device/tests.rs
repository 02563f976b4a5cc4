//! The tools on recorded machines (`tests/device/<board>`), on damaged copies of them, and on the machine at hand.

mod damage;

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

const BOARDS: [&str; 6] = [
    "raspberry-pi-4",
    "pi-zero",
    "raspberry-pi-5",
    "x86-nas",
    "container-v2",
    "virtual-machine",
];

fn board(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/device")
        .join(name)
}

/// The C library's answers on a recorded machine. Asking for the space of a mount that may block is the failure itself.
fn recorded() -> Host {
    fn space(path: &Path) -> Option<Space> {
        let path = path.to_str().unwrap();
        assert!(
            !["mnt/media", "mnt/photos", "mnt/remote"]
                .iter()
                .any(|mount| path.contains(mount)),
            "asked for the space of `{path}`"
        );
        let inodes_total = if path.contains("backup") {
            0
        } else {
            1_000_000
        };
        Some(Space {
            total_bytes: 32_000_000_000,
            free_bytes: 12_000_000_000,
            available_bytes: 10_000_000_000,
            inodes_total,
            inodes_free: 750_000,
        })
    }
    fn addresses() -> Vec<InterfaceAddress> {
        let entry = |interface: &str, address: &str, prefix| InterfaceAddress {
            interface: interface.into(),
            address: address.parse().unwrap(),
            prefix_length: Some(prefix),
        };
        vec![
            entry("lo", "127.0.0.1", 8),
            entry("eth0", "192.168.1.20", 24),
            entry("eth0", "fe80::dea6:32ff:fe01:203", 64),
        ]
    }
    Host {
        space,
        addresses,
        machine: || Some("uname".to_string()),
        page_bytes: || 4096,
    }
}

fn recorded_device(name: &str) -> Device {
    let root = board(name);
    assert!(root.is_dir(), "no samples at {}", root.display());
    Device::with_host(Root::new(root), recorded())
}

/// Runs a tool without arguments as the catalog would, without the pause. `None` for those that need a socket.
fn run(device: &Device, tool: &DeviceTool) -> Option<Facts> {
    match tool.run {
        Run::Read(read) => Some(read(device, "").unwrap()),
        Run::Sample { prime, read } => {
            prime(device);
            Some(read(device, "").unwrap())
        }
        Run::Connect | Run::Send => None,
    }
}

/// Checks a value against the part of JSON Schema that our schemas use. Members the schema does not name are refused:
/// here the schema is the documentation.
#[track_caller]
fn check_schema(value: &Value, schema: &Value, at: &str) {
    let kind = schema["type"]
        .as_str()
        .unwrap_or_else(|| panic!("{at}: no type in the schema"));
    let matches = match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.as_f64().is_some_and(f64::is_finite),
        other => panic!("{at}: unknown type {other}"),
    };
    assert!(matches, "{at}: {value} is no {kind}");
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{at}: {value} is none of {known:?}");
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            value.get(name.as_str().unwrap()).is_some(),
            "{at}: {name} is missing"
        );
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let below = format!("{at}.{name}");
        check_schema(
            member,
            schema["properties"]
                .get(name)
                .unwrap_or_else(|| panic!("{below} is not in the schema")),
            &below,
        );
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        check_schema(item, &schema["items"], &format!("{at}[{number}]"));
    }
}

/// Runs every tool and holds its result against its own output schema; returns all results.
#[track_caller]
fn check_all(device: &Device) -> Vec<(&'static str, Value, String)> {
    let mut results = Vec::new();
    for tool in TOOLS {
        let Some(facts) = run(device, tool) else {
            continue;
        };
        let value: Value = serde_json::from_str(&facts.structured).unwrap();
        check_schema(
            &value,
            &serde_json::from_str(tool.output_schema).unwrap(),
            tool.name,
        );
        assert!(
            !facts.text.is_empty() && facts.text.ends_with('\n'),
            "{}: {:?}",
            tool.name,
            facts.text
        );
        assert!(
            facts.text.chars().all(|c| c == '\n' || !c.is_control()),
            "{}: {:?}",
            tool.name,
            facts.text
        );
        results.push((tool.name, value, facts.text));
    }
    assert_eq!(results.len(), 7);
    results
}

/// One fact of a recorded machine; `null` stands for an absent member.
#[track_caller]
fn check_fact(name: &str, tool: &str, pointer: &str, expected: Value) {
    let device = recorded_device(name);
    let facts = run(
        &device,
        TOOLS.iter().find(|known| known.name == tool).unwrap(),
    )
    .unwrap();
    let value: Value = serde_json::from_str(&facts.structured).unwrap();
    assert_eq!(
        value.pointer(pointer).cloned().unwrap_or(Value::Null),
        expected,
        "{name} {tool} {pointer} in {value:#}"
    );
}

#[test]
fn recorded_machines_fit_the_schemas() {
    for name in BOARDS {
        check_all(&recorded_device(name));
    }
}

#[test]
fn this_machine_fits_the_schemas() {
    let results = check_all(&Device::new(Root::new("/")));
    assert!(
        results
            .iter()
            .any(|(_, value, _)| value["total_bytes"].as_u64().is_some_and(|total| total > 0)),
        "no memory found"
    );
    assert!(
        results.iter().any(|(_, value, _)| value["counts"]["total"]
            .as_u64()
            .is_some_and(|total| total > 0)),
        "no process found"
    );
}

#[test]
fn a_raspberry_pi_4_says_what_it_is() {
    let check = |tool, pointer, expected| check_fact("raspberry-pi-4", tool, pointer, expected);
    check(
        "device_system",
        "/model",
        json!("Raspberry Pi 4 Model B Rev 1.4"),
    );
    check("device_system", "/architecture", json!("aarch64"));
    check("device_system", "/uptime_seconds", json!(19_836));
    check("device_system", "/boot_time", json!("2025-09-04T15:33:20Z"));
    check("device_system", "/container", Value::Null);
    check("device_cpu", "/model", json!("Cortex-A72"));
    check("device_cpu", "/cores_online", json!(4));
    check("device_cpu", "/cores/0/frequency_hertz", json!(600_000_000));
    check("device_cpu", "/cores/3/governor", json!("ondemand"));
    check("device_cpu", "/limit_cores", Value::Null);
    check("device_memory", "/used_percent", json!(25.7));
    check("device_memory", "/cgroup", Value::Null);
    check(
        "device_temperature",
        "/sensors",
        json!([{"source": "cpu-thermal", "temperature_celsius": 48.3, "critical_celsius": 110.0}]),
    );
    check(
        "device_temperature",
        "/throttling/under_voltage_now",
        json!(true),
    );
    check("device_disks", "/filesystems/0/mount_point", json!("/"));
    check(
        "device_disks",
        "/filesystems/0/used_bytes",
        json!(20_000_000_000_u64),
    );
    check("device_disks", "/filesystems/0/used_percent", json!(66.7));
    check("device_disks", "/filesystems/2/type", json!("nfs4"));
    check("device_disks", "/filesystems/2/total_bytes", Value::Null);
    check(
        "device_disks",
        "/filesystems/3",
        json!({"mount_point": "/mnt/media/usb stick", "device": "/dev/sda1", "type": "ext4", "read_only": true, "remote": false}),
    );
    check("device_disks", "/disks/0/name", json!("mmcblk0"));
    check("device_disks", "/disks/1/model", json!("Ultra Fit"));
    check("device_disks", "/disks/2", Value::Null);
    check(
        "device_network",
        "/interfaces/1/mac",
        json!("dc:a6:32:01:02:03"),
    );
    check(
        "device_network",
        "/interfaces/1/addresses/1/link_local",
        json!(true),
    );
    check("device_network", "/interfaces/2/kind", json!("wireless"));
    check(
        "device_processes",
        "/counts",
        json!({"total": 6, "running": 1, "disk_wait": 1, "zombie": 1}),
    );
    check("device_processes", "/processes/0/name", json!("node-red"));
    check(
        "device_processes",
        "/processes/0/memory_bytes",
        json!(22_912 * 4096),
    );
}

#[test]
fn a_pi_zero_counts_beyond_32_bits() {
    let check = |tool, pointer, expected| check_fact("pi-zero", tool, pointer, expected);
    check("device_system", "/architecture", json!("uname"));
    check(
        "device_cpu",
        "/model",
        json!("ARMv6-compatible processor rev 7 (v6l)"),
    );
    check("device_cpu", "/cores_online", json!(1));
    check("device_cpu", "/load/one_minute_per_core", json!(1.35));
    check("device_memory", "/swap_used_percent", json!(20.0));
    check("device_memory", "/pressure", Value::Null);
    check("device_temperature", "/throttling/raw", json!("0x0"));
    check(
        "device_disks",
        "/disks/0/written_bytes",
        json!(8_589_934_592_u64 * 512),
    );
    check("device_network", "/interfaces/1/received_errors", json!(3));
}

#[test]
fn a_raspberry_pi_5_keeps_its_firmware_elsewhere() {
    let check = |tool, pointer, expected| check_fact("raspberry-pi-5", tool, pointer, expected);
    check("device_cpu", "/model", json!("Cortex-A76"));
    check(
        "device_temperature",
        "/throttling/frequency_capped_since_boot",
        json!(true),
    );
    check(
        "device_temperature",
        "/throttling/under_voltage_since_boot",
        json!(false),
    );
    check(
        "device_temperature",
        "/sensors/0/temperature_celsius",
        json!(0.0),
    );
    check("device_temperature", "/sensors/1/source", json!("rp1_adc"));
    check(
        "device_temperature",
        "/fans/0/revolutions_per_minute",
        json!(2134),
    );
}

#[test]
fn a_nas_shows_its_disks() {
    let check = |tool, pointer, expected| check_fact("x86-nas", tool, pointer, expected);
    check("device_system", "/model", json!("N100DC-ITX"));
    check("device_system", "/vendor", json!("ASRock"));
    check(
        "device_cpu",
        "/cores/1/frequency_hertz",
        json!(2_900_123_000_u64),
    );
    check(
        "device_memory",
        "/cgroup/limit_bytes",
        json!(8_589_934_592_u64),
    );
    check(
        "device_memory",
        "/cgroup/usage_bytes",
        json!(4_123_456_789_u64),
    );
    check("device_temperature", "/hottest_celsius", json!(52.0));
    check("device_temperature", "/sensors/0/source", json!("acpitz"));
    check("device_temperature", "/sensors/5/label", json!("Sensor 2"));
    check("device_temperature", "/sensors/5/high_celsius", Value::Null);
    check("device_temperature", "/sensors/6/label", json!("SYSTIN"));
    check("device_temperature", "/sensors/7", Value::Null);
    check(
        "device_temperature",
        "/fans/0",
        json!({"source": "nct6798", "label": "CPU", "revolutions_per_minute": 812}),
    );
    check(
        "device_disks",
        "/filesystems/2/also_mounted_at",
        json!(["/export/data"]),
    );
    check(
        "device_disks",
        "/filesystems/3/inodes_used_percent",
        Value::Null,
    );
    check("device_disks", "/filesystems/4/type", json!("zfs"));
    check("device_disks", "/filesystems/5/remote", json!(true));
    check("device_disks", "/filesystems/6", Value::Null);
    check("device_disks", "/disks/2/requests_in_flight", json!(1));
    check("device_disks", "/disks/5/name", json!("md0"));
    check("device_disks", "/disks/6", Value::Null);
    check("device_disks", "/arrays/0/degraded", json!(true));
    check("device_disks", "/arrays/0/operation_percent", json!(8.5));
    check("device_disks", "/arrays/1/active", json!(false));
    check(
        "device_disks",
        "/pressure/full/avg_60_seconds_percent",
        json!(7.25),
    );
    check("device_network", "/hidden_virtual", json!(1));
    check("device_network", "/interfaces/2/kind", json!("bridge"));
    check(
        "device_network",
        "/interfaces/2/speed_megabits_per_second",
        Value::Null,
    );
    check("device_network", "/interfaces/3/kind", json!("wireguard"));
}

#[test]
fn a_container_knows_its_own_limits() {
    let check = |tool, pointer, expected| check_fact("container-v2", tool, pointer, expected);
    check("device_system", "/container", json!("docker"));
    check(
        "device_system",
        "/model",
        json!("Raspberry Pi 4 Model B Rev 1.4"),
    );
    check("device_cpu", "/limit_cores", json!(0.5));
    check(
        "device_memory",
        "/cgroup",
        json!({"version": 2, "limit_bytes": 67_108_864, "usage_bytes": 12_582_912, "working_set_bytes": 8_388_608, "used_percent": 12.5, "oom_kills": 1}),
    );
    check("device_disks", "/filesystems/0/type", json!("overlay"));
    check("device_disks", "/filesystems/1/mount_point", json!("/data"));
    check("device_disks", "/filesystems/2", Value::Null);
    check("device_disks", "/disks/0/name", json!("mmcblk0"));
    check("device_disks", "/disks/1", Value::Null);
    check("device_temperature", "/sensors", json!([]));
    check("device_network", "/interfaces/1/kind", json!("ethernet"));
    check("device_processes", "/counts/total", json!(1));
}

#[test]
fn a_version_1_group_is_found_in_a_hybrid_layout() {
    let check = |tool, pointer, expected| check_fact("virtual-machine", tool, pointer, expected);
    check("device_memory", "/cgroup/version", json!(1));
    check(
        "device_memory",
        "/cgroup/limit_bytes",
        json!(2_147_483_648_u64),
    );
    check(
        "device_memory",
        "/cgroup/working_set_bytes",
        json!(524_288_000),
    );
    check("device_cpu", "/limit_cores", Value::Null);
    check("device_disks", "/disks/0/name", json!("vda"));
    check("device_disks", "/filesystems/0/device", json!("/dev/vda"));
}

/// Half a second between two recorded looks: the pause is a change of folders.
#[test]
fn usage_is_measured_between_two_looks() {
    let mut device = recorded_device("raspberry-pi-4");
    assert_eq!(cpu::prime(&device), sampler::WINDOW_MIN);
    assert_eq!(processes::prime(&device), sampler::WINDOW_MIN);
    device.root = Root::new(board("raspberry-pi-4-later"));
    let usage = cpu::read(&device);
    assert_eq!(
        usage
            .usage
            .as_ref()
            .map(|usage| (usage.sample_ms, usage.busy_percent)),
        Some((500, 30.0))
    );
    assert_eq!(
        usage
            .cores
            .iter()
            .filter_map(|core| core.busy_percent)
            .collect::<Vec<_>>(),
        [20.0, 20.0, 20.0, 60.0]
    );
    let busiest = processes::read(&device, 2, processes::Sort::Cpu);
    let shown: Vec<_> = busiest
        .processes
        .iter()
        .map(|process| (process.name.as_str(), process.cpu_percent))
        .collect();
    assert_eq!(
        (busiest.sample_ms, shown),
        (
            Some(500),
            vec![("node-red", Some(70.0)), ("mosquitto", Some(10.0))]
        )
    );
}

#[test]
fn limit_and_sort_are_obeyed() {
    let device = recorded_device("raspberry-pi-4");
    for (args, names) in [
        (r#"{"limit":1,"sort":"memory"}"#, vec!["node-red"]),
        (
            r#"{"limit":3,"sort":"cpu"}"#,
            vec!["node-red", "mosquitto", "dd"],
        ),
        (
            r#"{"limit":50}"#,
            vec![
                "node-red",
                "mosquitto",
                "dd",
                "systemd",
                "kworker/0:1H-mmc_complete",
                "sh",
            ],
        ),
    ] {
        let value: Value =
            serde_json::from_str(&processes::facts(&device, args).unwrap().structured).unwrap();
        let shown: Vec<&str> = value["processes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|process| process["name"].as_str().unwrap())
            .collect();
        assert_eq!(shown, names, "{args}");
    }
    for (args, text) in [
        (
            r#"{"limit":0}"#,
            "argument `limit` is `0`, expected a whole number from 1 to 50",
        ),
        (
            r#"{"limit":51}"#,
            "argument `limit` is `51`, expected a whole number from 1 to 50",
        ),
        (
            r#"{"sort":"name"}"#,
            "argument `sort` is `name`, expected `cpu` or `memory`",
        ),
        (
            r#"{"sort":1}"#,
            "argument `sort` is `1`, expected `cpu` or `memory`",
        ),
    ] {
        assert_eq!(
            processes::facts(&device, args).unwrap_err().to_string(),
            text
        );
    }
}

#[test]
fn optional_parts_are_left_out_until_asked_for() {
    let nas = recorded_device("x86-nas");
    assert!(
        !temperature::facts(&nas, "")
            .unwrap()
            .structured
            .contains("drivetemp")
    );
    assert!(
        temperature::facts(&nas, r#"{"include_drives":true}"#)
            .unwrap()
            .structured
            .contains("drivetemp")
    );
    assert!(
        !network::facts(&nas, "")
            .unwrap()
            .structured
            .contains("veth1a2b3c4")
    );
    assert!(
        network::facts(&nas, r#"{"include_virtual":true}"#)
            .unwrap()
            .structured
            .contains("veth1a2b3c4")
    );
}

/// An argument that the schema names is known to the tool, and the other way round.
#[test]
fn the_input_schemas_name_exactly_the_known_arguments() {
    let device = recorded_device("pi-zero");
    for tool in TOOLS {
        let refused = match tool.run {
            Run::Read(read) | Run::Sample { read, .. } => {
                read(&device, r#"{"no such":1}"#).unwrap_err()
            }
            Run::Connect => net_check::Target::parse(r#"{"no such":1}"#).unwrap_err(),
            Run::Send => wake_on_lan::Wake::parse(r#"{"no such":1}"#).unwrap_err(),
        };
        let DeviceError::UnknownArgument { known, .. } = refused else {
            panic!("{}: {refused}", tool.name)
        };
        let schema: Value = serde_json::from_str(tool.input_schema).unwrap();
        assert_eq!(
            (&schema["type"], &schema["additionalProperties"]),
            (&json!("object"), &json!(false)),
            "{}",
            tool.name
        );
        let named: BTreeSet<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(named, known.iter().copied().collect(), "{}", tool.name);
    }
}

#[test]
fn the_socket_tools_fit_their_schemas() {
    let address: IpAddr = "192.168.1.2".parse().unwrap();
    let target = net_check::Target::parse(r#"{"host":"nas","port":445}"#).unwrap();
    let schema: Value = serde_json::from_str(net_check::TOOL.output_schema).unwrap();
    for outcome in [
        net_check::Outcome::Connected {
            address,
            latency: Duration::from_micros(350),
        },
        net_check::Outcome::Failed {
            detail: "no buffer space".into(),
        },
        net_check::Outcome::NameNotFound {
            detail: "no such name".into(),
        },
        net_check::Outcome::NotPermitted,
        net_check::Outcome::Refused { address },
        net_check::Outcome::TimedOut,
        net_check::Outcome::Unreachable,
    ] {
        check_schema(
            &serde_json::from_str(&target.facts(&outcome).structured).unwrap(),
            &schema,
            "net_check",
        );
    }
    let wake = wake_on_lan::Wake::parse(r#"{"mac":"001132aabbcc"}"#).unwrap();
    check_schema(
        &serde_json::from_str(&wake.facts().structured).unwrap(),
        &serde_json::from_str(wake_on_lan::TOOL.output_schema).unwrap(),
        "wake_on_lan",
    );
}

#[test]
fn only_waking_a_machine_is_a_write_and_off() {
    let writes: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| !tool.annotations.read_only)
        .map(|tool| tool.name)
        .collect();
    let off: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| !tool.enabled_by_default)
        .map(|tool| tool.name)
        .collect();
    assert_eq!((writes, off), (vec!["wake_on_lan"], vec!["wake_on_lan"]));
    let resources: BTreeSet<String> = RESOURCES
        .iter()
        .map(|resource| resource.uri.replace("device://", "device_"))
        .collect();
    let tools: BTreeSet<String> = RESOURCES
        .iter()
        .map(|resource| resource.tool.name.to_string())
        .collect();
    assert_eq!(
        (resources.len(), &resources),
        (RESOURCES.len(), &tools),
        "each resource is named after its tool"
    );
}
