//! The built-in homelab tools: facts about the machine the server runs on, a reachability check, and wake-on-LAN.
//!
//! In scope: reading `/proc` and `/sys` into typed facts, rendering them as JSON and as short text, checking arguments. Useful without any
//! configuration on a board, a NAS, a PC or in a container; a fact the kernel does not offer is an absent member, never a failure.
//! Not in scope: the protocol. The readers themselves neither wait nor touch the network: [`Run`] says which tool needs a pause, a
//! connection or a datagram, and [`call()`] makes it. Nothing here executes a program or writes a file.
//!
//! Every size and counter is `u64`, on 32-bit machines too. JSON members are in snake case with the unit last.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::rt::sys::{self, InterfaceAddress, Space};

pub mod call;
pub mod resources;

pub mod cpu;
pub mod disks;
pub mod memory;
pub mod net_check;
pub mod network;
pub mod processes;
pub mod system;
pub mod temperature;
pub mod wake_on_lan;

pub mod args;
pub mod cgroup;
pub mod cpuinfo;
pub mod mounts;
pub mod pressure;
pub mod raid;
pub mod root;
pub mod sampler;
pub mod units;

pub use args::DeviceError;
pub use call::call;
pub use resources::{DeviceResource, RESOURCES};
pub use root::Root;

use sampler::Sampler;

/// The tools, in the order a reader meets them.
pub const TOOLS: &[DeviceTool] = &[
    system::TOOL,
    cpu::TOOL,
    memory::TOOL,
    temperature::TOOL,
    disks::TOOL,
    network::TOOL,
    processes::TOOL,
    net_check::TOOL,
    wake_on_lan::TOOL,
];

/// One built-in tool: what `tools/list` says about it and what runs it.
#[derive(Debug, Clone, Copy)]
pub struct DeviceTool {
    /// Its name, such as `device_memory`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it returns and when to use it, written for a language model.
    pub description: &'static str,
    /// JSON Schema of the arguments.
    pub input_schema: &'static str,
    /// JSON Schema of the structured result.
    pub output_schema: &'static str,
    /// Hints for the client.
    pub annotations: Annotations,
    /// Whether it is offered without being asked for in the configuration.
    pub enabled_by_default: bool,
    /// How a call is carried out.
    pub run: Run,
}

/// The tool annotations of MCP (2025-03-26 schema, `ToolAnnotations`), all four written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotations {
    /// Changes nothing.
    pub read_only: bool,
    /// May destroy something.
    pub destructive: bool,
    /// A second call with the same arguments changes nothing more.
    pub idempotent: bool,
    /// Reaches beyond this machine.
    pub open_world: bool,
}

/// The annotations of a tool that only reads this machine.
pub(crate) const READS_THIS_MACHINE: Annotations = Annotations {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};

/// Reads facts; the text is the JSON of the call's arguments, empty when there are none.
pub type Read = fn(&Device, &str) -> Result<Facts, DeviceError>;

/// How a call is carried out.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// Parse with [`net_check::Target::parse`], connect, and render the outcome with [`net_check::Target::facts`].
    Connect,
    /// One synchronous read.
    Read(Read),
    /// Two looks: call `prime`, pause as long as it says (often not at all), then `read`. Reading without the pause is allowed
    /// and leaves the rates out when there is nothing to compare with.
    Sample {
        /// Takes a first sample if none of a useful age is kept.
        prime: fn(&Device) -> Duration,
        /// Takes the second and reads the rest.
        read: Read,
    },
    /// Parse with [`wake_on_lan::Wake::parse`], send its packet, and render with [`wake_on_lan::Wake::facts`].
    Send,
}

/// What a tool found, in both forms of a tool result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// A JSON object for `structuredContent`, as the output schema describes it.
    pub structured: String,
    /// The same in a few lines for people and for clients without structured content.
    pub text: String,
}

impl Facts {
    #[expect(clippy::expect_used, reason = "it says why")]
    fn new(value: &impl Serialize, text: String) -> Facts {
        let structured = serde_json::to_string(value)
            .expect("facts are structs with text keys and finite numbers");
        Facts { structured, text }
    }
}

/// The machine as the tools see it: where to read, and the samples of earlier calls.
/// One per server; it lives on the protocol thread, and no borrow of it outlives a call.
pub struct Device {
    root: Root,
    host: Host,
    cpu: RefCell<Sampler<cpu::Ticks>>,
    processes: RefCell<Sampler<processes::Table>>,
}

impl Device {
    /// The machine the server runs on, or the one whose tree is mounted at another `root`.
    pub fn new(root: Root) -> Device {
        Device::with_host(root, Host::system())
    }

    /// As [`Device::new`], with the C library's answers given: for tests on recorded machines.
    pub fn with_host(root: Root, host: Host) -> Device {
        Device {
            root,
            host,
            cpu: RefCell::new(Sampler::new()),
            processes: RefCell::new(Sampler::new()),
        }
    }
}

/// What no file tells: the C library's answers.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Space of the filesystem mounted at a path.
    pub space: fn(&Path) -> Option<Space>,
    /// Addresses of the interfaces.
    pub addresses: fn() -> Vec<InterfaceAddress>,
    /// Kernel architecture.
    pub machine: fn() -> Option<String>,
    /// Bytes per memory page.
    pub page_bytes: fn() -> u64,
}

impl Host {
    /// This machine.
    pub const fn system() -> Host {
        Host {
            space: sys::space,
            addresses: sys::interface_addresses,
            machine: sys::machine,
            page_bytes: sys::page_bytes,
        }
    }
}

/// For fuzzing: what this machine's kernel says may be cut, empty or of another version, and containers and tests may put
/// any file in its place. Reading it never fails.
#[doc(hidden)]
pub fn fuzz_files(text: &str) {
    _ = cgroup::parse_cpu_max(text);
    _ = cgroup::parse_path(text, "memory");
    _ = cgroup::keyed(text, "anon");
    _ = cpu::parse_stat(text);
    _ = cpu::parse_load(text, Some(4));
    _ = cpuinfo::parse_model(text);
    _ = cpuinfo::parse_board(text);
    _ = cpuinfo::parse_megahertz(text, 0);
    _ = disks::parse_diskstats(text);
    _ = memory::parse_meminfo(text);
    _ = mounts::filesystems(&mounts::parse_mounts(text));
    _ = network::parse_counters(text);
    _ = network::parse_default_route(text);
    _ = network::parse_name_servers(text);
    _ = pressure::parse(text);
    _ = processes::parse_stat(text);
    _ = raid::parse(text);
}

#[cfg(test)]
mod tests;
