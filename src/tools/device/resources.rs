//! The facts as resources: `device://memory` and its kin, read (and, by the server, subscribed to) without calling a tool.
//!
//! In scope: which resource exists and which tool fills it. Not in scope: subscriptions and their timer.

use super::{DeviceTool, cpu, disks, memory, network, processes, system, temperature};

/// One resource; its content is the tool's structured result for no arguments.
#[derive(Debug, Clone, Copy)]
pub struct DeviceResource {
    /// Such as `device://memory`.
    pub uri: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it holds, written for a language model.
    pub description: &'static str,
    /// The tool that fills it: run it with empty arguments, the pause between two samples included.
    pub tool: &'static DeviceTool,
}

/// The type of every resource here.
pub const MIME_TYPE: &str = "application/json";

/// The resources, in the order of the tools.
pub const RESOURCES: &[DeviceResource] = &[
    DeviceResource {
        uri: "device://system",
        name: "system",
        title: "System overview",
        description: "Host name, operating system, kernel, board or PC model, uptime and boot time of this machine.",
        tool: &system::TOOL,
    },
    DeviceResource {
        uri: "device://cpu",
        name: "cpu",
        title: "Processor and load",
        description: "Processor model, load averages, usage per core and frequency of this machine.",
        tool: &cpu::TOOL,
    },
    DeviceResource {
        uri: "device://memory",
        name: "memory",
        title: "Memory",
        description: "Total, available and used memory and swap of this machine in bytes, and the container's limit.",
        tool: &memory::TOOL,
    },
    DeviceResource {
        uri: "device://temperature",
        name: "temperature",
        title: "Temperatures and throttling",
        description: "Temperatures in degrees Celsius, fan speeds and Raspberry Pi throttling of this machine.",
        tool: &temperature::TOOL,
    },
    DeviceResource {
        uri: "device://disks",
        name: "disks",
        title: "Disks and filesystems",
        description: "Space of the filesystems, transfer counters of the disks and health of the RAID arrays of this machine.",
        tool: &disks::TOOL,
    },
    DeviceResource {
        uri: "device://network",
        name: "network",
        title: "Network interfaces",
        description: "Interfaces, addresses, link state and traffic counters, default gateway and name servers of this machine.",
        tool: &network::TOOL,
    },
    DeviceResource {
        uri: "device://processes",
        name: "processes",
        title: "Busiest processes",
        description: "The ten processes of this machine that use most processor time, and counts by state.",
        tool: &processes::TOOL,
    },
];
