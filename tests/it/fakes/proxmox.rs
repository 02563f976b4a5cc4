//! Proxmox VE, from the method descriptions of pve-manager and qemu-server (August 2026) and, for
//! how failures look, the JSON formatter of pve-http-server (January 2026).

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The token it accepts, as the header's value.
const CREDENTIALS: &str = "PVEAPIToken=siskin@pve!mcp=6f1c9a5e-0000-4c41-9d3a-1c2b3d4e5f60";

/// A node with a machine and a container.
pub struct Proxmox {
    /// The guests: kind, number, name, whether it runs.
    pub guests: Vec<(&'static str, u64, &'static str, bool)>,
    /// Snapshots that were taken: number, name, description.
    pub snapshots: Vec<(u64, String, Option<String>)>,
    /// Tasks by their UPID. One is over when it was looked at twice.
    pub tasks: Vec<Task>,
}

/// Something that goes on behind the answer.
pub struct Task {
    /// Its id.
    pub upid: String,
    /// How often its status was asked for.
    pub looks: usize,
    outcome: String,
    start: Option<(u64, bool)>,
}

impl Proxmox {
    /// One node, `pve`, with a machine that is off and a container that is on.
    pub fn new() -> Proxmox {
        Proxmox {
            guests: vec![("lxc", 101, "web", true), ("qemu", 100, "dns", false)],
            snapshots: Vec::new(),
            tasks: Vec::new(),
        }
    }

    fn resources(&mut self, call: &Call) -> Answer {
        let wanted = call.query("type");
        if let Some(wanted) = wanted
            .as_deref()
            .filter(|it| !["vm", "storage", "node", "sdn"].contains(it))
        {
            let problem = format!(
                "value '{wanted}' does not have a value in the enumeration 'vm, storage, node, sdn'"
            );
            return bad_parameter("type", &problem);
        }
        let wants = |kind: &str| wanted.as_deref().is_none_or(|wanted| wanted == kind);
        let mut all = Vec::new();
        if wants("vm") {
            all.extend(self.guests.iter().map(|(kind, id, name, is_on)| {
                json!({
                    "id": format!("{kind}/{id}"), "type": kind, "vmid": id, "name": name, "node": "pve", "status": word(*is_on),
                    "cpu": 0.012_345_678, "maxcpu": 2, "mem": 536_870_912_u64, "maxmem": 2_147_483_648_u64, "disk": 0,
                    "maxdisk": 34_359_738_368_u64, "uptime": if *is_on { 86_400 } else { 0 }, "template": 0, "netin": 1, "netout": 2,
                    "diskread": 3, "diskwrite": 4, "tags": "home",
                })
            }));
        }
        if wants("storage") {
            all.push(json!({"id": "storage/pve/local", "type": "storage", "storage": "local", "node": "pve", "status": "available",
                "plugintype": "dir", "content": "iso,vztmpl", "disk": 10_737_418_240_u64, "maxdisk": 107_374_182_400_u64, "shared": 0}));
        }
        if wants("node") {
            all.push(json!({"id": "node/pve", "type": "node", "node": "pve", "status": "online", "cpu": 0.05, "maxcpu": 8,
                "mem": 8_589_934_592_u64, "maxmem": 34_359_738_368_u64, "disk": 5_u64, "maxdisk": 100_u64, "uptime": 1_000_000, "level": ""}));
        }
        data(&json!(all))
    }

    fn node(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = no_node(call) {
            return refusal;
        }
        data(&json!({
            "pveversion": "pve-manager/9.1.4/5ac30304265fbd8e", "kversion": "Linux 6.14.8-2-pve", "uptime": 1_000_000,
            "loadavg": ["0.12", "0.08", "0.05"], "cpu": 0.051_234, "wait": 0.001, "idle": 0,
            "cpuinfo": {"model": "N100", "cpus": 4, "cores": 4, "sockets": 1, "mhz": "800.000", "flags": "fpu vme de pse tsc msr", "hvm": "1", "user_hz": 100},
            "memory": {"total": 34_359_738_368_u64, "used": 8_589_934_592_u64, "free": 25_769_803_776_u64},
            "swap": {"total": 0, "used": 0, "free": 0}, "rootfs": {"total": 107_374_182_400_u64, "used": 10_737_418_240_u64, "free": 1, "avail": 2},
            "current-kernel": {"sysname": "Linux", "release": "6.14.8-2-pve", "version": "#1 SMP", "machine": "x86_64"},
            "boot-info": {"mode": "efi", "secureboot": 0}, "ksm": {"shared": 0},
        }))
    }

    fn guest(&mut self, call: &Call) -> Answer {
        let (_, id, name, is_on) = match self.find(call) {
            Ok(guest) => *guest,
            Err(refusal) => return refusal,
        };
        data(&json!({
            "vmid": id, "name": name, "status": word(is_on), "qmpstatus": word(is_on), "cpu": 0.012_345_678, "cpus": 2,
            "mem": 536_870_912_u64, "maxmem": 2_147_483_648_u64, "disk": 0, "maxdisk": 34_359_738_368_u64,
            "uptime": if is_on { 86_400 } else { 0 }, "ha": {"managed": 0}, "nics": {"tap100i0": {"netin": 1, "netout": 2}},
            "blockstat": {"scsi0": {"rd_bytes": 1, "wr_bytes": 2, "rd_operations": 3}}, "tags": "home", "agent": 1, "pid": 1234,
            "running-machine": "pc-i440fx-9.0+pve0", "running-qemu": "9.0.2",
        }))
    }

    fn act(&mut self, call: &Call) -> Answer {
        let allowed: &[&str] = match call.arg("action") {
            "start" => &["skiplock", "timeout"],
            "stop" => &["skiplock", "timeout", "overrule-shutdown", "keepActive"],
            "shutdown" => &["skiplock", "timeout", "forceStop", "keepActive"],
            "reboot" => &["timeout"],
            _ => return self.unknown(call),
        };
        let form = match form(call, allowed) {
            Ok(form) => form,
            Err(refusal) => return refusal,
        };
        if let Some((_, timeout)) = form.iter().find(|(name, _)| name == "timeout")
            && timeout.parse::<u64>().is_err()
        {
            return bad_parameter("timeout", "type check ('integer') failed - got text");
        }
        let (kind, id, _, is_on) = match self.find(call) {
            Ok(guest) => *guest,
            Err(refusal) => return refusal,
        };
        let action = call.arg("action");
        let word = if kind == "qemu" { "qm" } else { "vz" };
        // What cannot be done fails behind the answer, which is 200 all the same.
        let outcome = match (action, is_on) {
            ("start", true) => format!("VM {id} already running"),
            ("shutdown" | "reboot", false) => format!("VM {id} not running"),
            _ => "OK".to_owned(),
        };
        let start = (outcome == "OK").then_some((id, matches!(action, "start" | "reboot")));
        self.begin(&format!("{word}{action}"), id, outcome, start)
    }

    fn take_snapshot(&mut self, call: &Call) -> Answer {
        let form = match form(call, &["snapname", "vmstate", "description"]) {
            Ok(form) => form,
            Err(refusal) => return refusal,
        };
        let value = |wanted: &str| {
            let mut pairs = form.iter();
            pairs
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        };
        let Some(name) = value("snapname") else {
            return bad_parameter("snapname", "property is missing and it is not optional");
        };
        let mut chars = name.chars();
        let is_sound = chars
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && (2..=40).contains(&name.len())
            && chars.all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
        if !is_sound {
            return bad_parameter("snapname", &format!("invalid configuration ID '{name}'"));
        }
        let id = match self.find(call) {
            Ok(guest) => guest.1,
            Err(refusal) => return refusal,
        };
        self.snapshots.push((id, name, value("description")));
        self.begin("qmsnapshot", id, "OK".to_owned(), None)
    }

    fn list_snapshots(&mut self, call: &Call) -> Answer {
        let id = match self.find(call) {
            Ok(guest) => guest.1,
            Err(refusal) => return refusal,
        };
        let mut all: Vec<_> = self
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.0 == id)
            .map(|(_, name, description)| json!({"name": name, "description": description, "snaptime": 1_763_600_000, "vmstate": 0}))
            .collect();
        all.push(json!({"name": "current", "description": "You are here!", "running": 1, "digest": "abc", "parent": "before-upgrade"}));
        data(&json!(all))
    }

    fn begin(
        &mut self,
        kind: &str,
        id: u64,
        outcome: String,
        start: Option<(u64, bool)>,
    ) -> Answer {
        let number = self.tasks.len() + 1;
        let upid =
            format!("UPID:pve:0001A2B{number}:00C4D5E6:6740A1B2:{kind}:{id}:siskin@pve!mcp:");
        self.tasks.push(Task {
            upid: upid.clone(),
            looks: 0,
            outcome,
            start,
        });
        data(&json!(upid))
    }

    fn task_status(&mut self, call: &Call) -> Answer {
        if !call.arg("upid").starts_with("UPID:") {
            return bad_parameter("upid", "unable to parse worker upid");
        }
        let Some(task) = self
            .tasks
            .iter_mut()
            .find(|task| task.upid == call.arg("upid"))
        else {
            return bad_parameter("upid", "no such task");
        };
        task.looks += 1;
        let kind = task.upid.split(':').nth(5).unwrap_or_default().to_owned();
        let mut status = json!({
            "upid": task.upid, "node": "pve", "pid": 107_051, "pstart": 12_899_814, "starttime": 1_732_288_946, "type": kind,
            "id": task.upid.split(':').nth(6), "user": "siskin@pve", "tokenid": "mcp", "status": "running",
        });
        if task.looks > 1 {
            status["status"] = json!("stopped");
            status["exitstatus"] = json!(task.outcome);
            if let Some((id, is_on)) = task.start.take() {
                let mut guests = self.guests.iter_mut();
                if let Some(guest) = guests.find(|guest| guest.1 == id) {
                    guest.3 = is_on;
                }
            }
        }
        data(&status)
    }

    fn task_log(&mut self, call: &Call) -> Answer {
        if !self.tasks.iter().any(|task| task.upid == call.arg("upid")) {
            return bad_parameter("upid", "no such task");
        }
        let limit = call
            .query("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(50);
        let lines = [
            json!({"n": 1, "t": "starting"}),
            json!({"n": 2, "t": "TASK OK"}),
        ];
        let shown: Vec<_> = lines.iter().take(limit).collect();
        Answer::new(200, JSON, json!({"data": shown, "total": 2}).to_string())
    }

    fn version(&mut self, _: &Call) -> Answer {
        data(&json!({"version": "9.1.4", "release": "9.1", "repoid": "5ac30304265fbd8e"}))
    }

    fn find(
        &mut self,
        call: &Call,
    ) -> Result<&mut (&'static str, u64, &'static str, bool), Answer> {
        if let Some(refusal) = no_node(call) {
            return Err(refusal);
        }
        let kind = call.arg("kind");
        let folder = match kind {
            "qemu" => "qemu-server",
            "lxc" => "lxc",
            _ => return Err(self.unknown(call)),
        };
        let Some(id) = call.arg_number("vmid") else {
            return Err(bad_parameter(
                "vmid",
                "type check ('integer') failed - got text",
            ));
        };
        let message = format!("Configuration file 'nodes/pve/{folder}/{id}.conf' does not exist\n");
        let mut guests = self.guests.iter_mut();
        let guest = guests.find(|guest| (guest.0, guest.1) == (kind, id));
        guest.ok_or_else(|| failure(500, &message, &Value::Null))
    }
}

impl Service for Proxmox {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Proxmox>] = &[
        ("GET", "/api2/json/version", Proxmox::version),
        ("GET", "/api2/json/cluster/resources", Proxmox::resources),
        ("GET", "/api2/json/nodes/{node}/status", Proxmox::node),
        (
            "GET",
            "/api2/json/nodes/{node}/tasks/{upid}/status",
            Proxmox::task_status,
        ),
        (
            "GET",
            "/api2/json/nodes/{node}/tasks/{upid}/log",
            Proxmox::task_log,
        ),
        (
            "GET",
            "/api2/json/nodes/{node}/{kind}/{vmid}/status/current",
            Proxmox::guest,
        ),
        (
            "POST",
            "/api2/json/nodes/{node}/{kind}/{vmid}/status/{action}",
            Proxmox::act,
        ),
        (
            "GET",
            "/api2/json/nodes/{node}/{kind}/{vmid}/snapshot",
            Proxmox::list_snapshots,
        ),
        (
            "POST",
            "/api2/json/nodes/{node}/{kind}/{vmid}/snapshot",
            Proxmox::take_snapshot,
        ),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        match call.header("authorization") {
            Some(CREDENTIALS) => Ok(()),
            // Text without a media type, as its HTTP server writes refusals.
            Some(_) => Err(Answer::empty(401).body("invalid token value!\n")),
            None => Err(Answer::empty(401).body("No ticket\n")),
        }
    }

    fn unknown(&self, call: &Call) -> Answer {
        let path = call.path().trim_start_matches("/api2/json");
        failure(
            501,
            &format!("Method '{} {path}' not implemented", call.method),
            &Value::Null,
        )
    }

    fn wrong_verb(&self, call: &Call) -> Answer {
        self.unknown(call)
    }
}

const JSON: &str = "application/json;charset=UTF-8";

fn word(is_on: bool) -> &'static str {
    if is_on { "running" } else { "stopped" }
}

fn data(data: &Value) -> Answer {
    Answer::new(200, JSON, json!({"data": data}).to_string())
}

fn failure(status: u16, message: &str, errors: &Value) -> Answer {
    let mut body = json!({"data": null, "message": message});
    if !errors.is_null() {
        body["errors"] = errors.clone();
    }
    Answer::new(status, JSON, body.to_string())
}

fn bad_parameter(name: &str, problem: &str) -> Answer {
    failure(
        400,
        "Parameter verification failed.\n",
        &json!({name: problem}),
    )
}

fn no_node(call: &Call) -> Option<Answer> {
    let node = call.arg("node");
    let message = format!(
        "hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
    );
    (node != "pve").then(|| failure(500, &message, &Value::Null))
}

/// The pairs of a form; a body that is neither a form nor JSON, and a parameter that the method
/// does not have, are refused.
fn form(call: &Call, allowed: &[&str]) -> Result<Vec<(String, String)>, Answer> {
    let pairs = match call.header("content-type") {
        None if call.body.is_empty() => Vec::new(),
        Some("application/x-www-form-urlencoded") => call.form(),
        Some(found) => {
            return Err(failure(
                501,
                &format!("upload '{found}' not implemented\n"),
                &Value::Null,
            ));
        }
        None => return Err(failure(501, "body without content type\n", &Value::Null)),
    };
    match pairs
        .iter()
        .find(|(name, _)| !allowed.contains(&name.as_str()))
    {
        None => Ok(pairs),
        Some((name, _)) => Err(bad_parameter(
            name,
            "property is not defined in schema and the schema does not allow additional properties",
        )),
    }
}
