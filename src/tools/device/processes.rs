//! `device_processes`: who uses the processor and the memory.
//!
//! In scope: the busiest processes and counts by state. Not in scope: command lines and environments, which hold passwords more often
//! than one would think; a process is shown by its short name. Called through [`super::TOOLS`].

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use serde::Serialize;

use super::sampler::Sample;
use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Run, args::Args, args::excerpt,
    memory, root::printable, system, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_processes",
    title: "Busiest processes",
    description: "Returns the processes of this machine that use most processor time or memory: pid, short name, user id, state, percentage of one core \
over a short sample, resident memory in bytes, threads, and processor time since their start; also how many processes run, sleep, wait for a disk or are zombies. \
Use it to find out why the machine is busy or short of memory. Arguments: `limit` (1 to 50, default 10) and `sort` (`cpu`, default, or `memory`). \
Command lines are not shown, as they may hold passwords. In a container only its own processes are visible.",
    input_schema: r#"{"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":50,"default":10,"description":"How many processes to return"},"sort":{"type":"string","enum":["cpu","memory"],"default":"cpu","description":"What to order by, highest first"}},"additionalProperties":false}"#,
    output_schema: r#"{"type":"object","properties":{"sort":{"type":"string","enum":["cpu","memory"]},"sample_ms":{"type":"integer","minimum":0,"description":"Time over which cpu_percent was measured"},"processes":{"type":"array","items":{"type":"object","properties":{"pid":{"type":"integer","minimum":0},"name":{"type":"string"},"user_id":{"type":"integer","minimum":0},"state":{"type":"string","description":"running, sleeping, disk_wait, idle, stopped, zombie or other"},"cpu_percent":{"type":"number","description":"Of one core; may exceed 100 with several threads"},"memory_bytes":{"type":"integer","minimum":0,"description":"Resident set"},"memory_percent":{"type":"number"},"threads":{"type":"integer","minimum":0},"cpu_time_seconds":{"type":"number"}},"required":["pid","name","state","memory_bytes"]}},"counts":{"type":"object","properties":{"total":{"type":"integer","minimum":0},"running":{"type":"integer","minimum":0},"disk_wait":{"type":"integer","minimum":0},"zombie":{"type":"integer","minimum":0}},"required":["total","running","disk_wait","zombie"]}},"required":["sort","processes","counts"]}"#,
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Sample { prime, read: facts },
};

/// The busiest processes and how many there are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Processes {
    /// The order asked for.
    pub sort: Sort,
    /// Time between the two samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_ms: Option<u64>,
    /// Highest first.
    pub processes: Vec<Process>,
    /// All processes.
    pub counts: Counts,
}

/// What to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Share of a core; processor time since the start while there is no sample.
    Cpu,
    /// Resident memory.
    Memory,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u64,
    /// Its short name, at most 15 bytes.
    pub name: String,
    /// Its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u64>,
    /// In words.
    pub state: &'static str,
    /// Of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// Resident set; a kernel thread has none.
    pub memory_bytes: u64,
    /// Of the machine's memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<f64>,
    /// Its threads.
    pub threads: u64,
    /// Processor time since its start.
    pub cpu_time_seconds: f64,
}

/// How many processes there are, and in which of the telling states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub total: u64,
    /// On a core or ready for one.
    pub running: u64,
    /// Waiting for a disk or a network mount; many of them mean that one is stuck.
    pub disk_wait: u64,
    /// Ended and not yet collected by their parent.
    pub zombie: u64,
}

/// `/proc/<pid>/stat` as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its number.
    pub pid: u64,
    /// Its short name.
    pub name: String,
    /// The kernel's letter.
    pub state: char,
    /// User and system time in hundredths of a second.
    pub ticks: u64,
    /// Threads.
    pub threads: u64,
    /// Hundredths of a second from boot to its start: tells a process from a later one with the same number.
    pub start: u64,
    /// Resident pages.
    pub resident_pages: u64,
}

/// A sample: processor time by process.
#[derive(Debug, Default)]
pub struct Table {
    at_centis: u64,
    /// Ascending by number.
    times: Vec<Time>,
}

#[derive(Debug, Clone, Copy)]
struct Time {
    pid: u64,
    start: u64,
    ticks: u64,
}

impl Sample for Table {
    fn taken_at_centis(&self) -> u64 {
        self.at_centis
    }
}

/// Takes a first sample when none of a useful age is kept; returns the pause before [`facts`].
pub fn prime(device: &Device) -> Duration {
    let at = system::uptime_centis(&device.root).unwrap_or(0);
    device
        .processes
        .borrow_mut()
        .prime(at, || table(device, &stats(device)))
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    let args = Args::parse(args, &["limit", "sort"])?;
    let limit = args
        .integer("limit", 1..=LIMIT_MAX, "a whole number from 1 to 50")?
        .unwrap_or(LIMIT_DEFAULT);
    let sort = match args.string("sort", SORTS)?.as_deref() {
        None | Some("cpu") => Sort::Cpu,
        Some("memory") => Sort::Memory,
        Some(other) => {
            return Err(DeviceError::WrongArgument {
                name: "sort",
                found: excerpt(other),
                expected: SORTS,
            });
        }
    };
    let processes = read(device, limit, sort);
    Ok(Facts::new(&processes, processes.text()))
}

/// Reads the `limit` first processes in the order of `sort`.
pub fn read(device: &Device, limit: u64, sort: Sort) -> Processes {
    let mut stats = stats(device);
    let measured = device
        .processes
        .borrow_mut()
        .measure(table(device, &stats), compare);
    let spent = |stat: &Stat| {
        measured
            .as_ref()
            .and_then(|(_, spent)| spent.iter().find(|(pid, _)| *pid == stat.pid))
            .map(|&(_, ticks)| ticks)
    };
    let counts = count(&stats);
    // A stable sort: equals stay in the order of their numbers.
    stats.sort_by_cached_key(|stat| {
        std::cmp::Reverse(match sort {
            Sort::Cpu if measured.is_some() => (spent(stat).unwrap_or(0), stat.ticks),
            Sort::Cpu => (stat.ticks, 0),
            Sort::Memory => (stat.resident_pages, 0),
        })
    });
    stats.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let (page_bytes, memory_bytes) = (
        (device.host.page_bytes)(),
        memory::read(device).machine.total_bytes,
    );
    let window = measured.as_ref().map(|&(centis, _)| centis);
    let process = |stat: &Stat| {
        let resident = stat.resident_pages.saturating_mul(page_bytes);
        Process {
            pid: stat.pid,
            name: stat.name.clone(),
            user_id: std::fs::metadata(device.root.path(&format!("proc/{}", stat.pid)))
                .ok()
                .map(|entry| u64::from(entry.uid())),
            state: state(stat.state),
            cpu_percent: spent(stat)
                .zip(window)
                .and_then(|(ticks, centis)| units::percent(ticks, centis)),
            memory_bytes: resident,
            memory_percent: memory_bytes.and_then(|total| units::percent(resident, total)),
            threads: stat.threads,
            cpu_time_seconds: stat.ticks as f64 / TICKS_PER_SECOND,
        }
    };
    Processes {
        sort,
        sample_ms: window.map(|centis| centis.saturating_mul(10)),
        processes: stats.iter().map(process).collect(),
        counts,
    }
}

/// All processes, ascending by number. One that ends while we read is left out.
fn stats(device: &Device) -> Vec<Stat> {
    let root = &device.root;
    let names = root
        .names("proc")
        .into_iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let mut stats: Vec<Stat> = names
        .filter_map(|pid| parse_stat(&root.text(&format!("proc/{pid}/stat"))?))
        .collect();
    stats.sort_unstable_by_key(|stat| stat.pid);
    stats
}

fn table(device: &Device, stats: &[Stat]) -> Table {
    let times = stats
        .iter()
        .map(|stat| Time {
            pid: stat.pid,
            start: stat.start,
            ticks: stat.ticks,
        })
        .collect();
    Table {
        at_centis: system::uptime_centis(&device.root).unwrap_or(0),
        times,
    }
}

/// The time between the samples and each process's ticks in it. A process that started in between has spent all its time there.
fn compare(before: &Table, after: &Table) -> (u64, Vec<(u64, u64)>) {
    let earlier = |time: &Time| {
        let found = before
            .times
            .binary_search_by_key(&time.pid, |time| time.pid)
            .ok()?;
        let then = before.times.get(found).copied();
        then.filter(|then| then.start == time.start)
    };
    let spent = after.times.iter().map(|time| {
        (
            time.pid,
            time.ticks
                .saturating_sub(earlier(time).map_or(0, |then| then.ticks)),
        )
    });
    (
        after.at_centis.saturating_sub(before.at_centis),
        spent.collect(),
    )
}

/// Parses `/proc/<pid>/stat` (proc_pid_stat(5)). The name stands in parentheses and may hold spaces and parentheses itself,
/// so it ends at the last one.
pub fn parse_stat(text: &str) -> Option<Stat> {
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Numbered as in the manual page, where the state is field 3.
    let number = |field: usize| fields.get(field.checked_sub(3)?)?.parse::<u64>().ok();
    Some(Stat {
        pid: pid.parse().ok()?,
        name: printable(name),
        state: fields.first()?.chars().next()?,
        ticks: number(14)?.saturating_add(number(15)?),
        threads: number(20)?,
        start: number(22)?,
        resident_pages: number(24)?,
    })
}

fn count(stats: &[Stat]) -> Counts {
    let mut counts = Counts::default();
    for stat in stats {
        let of_state = match stat.state {
            'R' => Some(&mut counts.running),
            'D' => Some(&mut counts.disk_wait),
            'Z' => Some(&mut counts.zombie),
            _ => None,
        };
        for count in of_state.into_iter().chain([&mut counts.total]) {
            *count = count.saturating_add(1);
        }
    }
    counts
}

fn state(letter: char) -> &'static str {
    match letter {
        'R' => "running",
        'S' => "sleeping",
        'D' => "disk_wait",
        'I' => "idle",
        'T' | 't' => "stopped",
        'Z' => "zombie",
        _ => "other",
    }
}

impl Processes {
    /// The facts as a small table.
    pub fn text(&self) -> String {
        let Counts {
            total,
            running,
            disk_wait,
            zombie,
        } = self.counts;
        let mut text = format!(
            "{}, {running} running, {disk_wait} waiting for a disk, {}\n",
            units::count(total, "process", "processes"),
            units::count(zombie, "zombie", "zombies")
        );
        _ = writeln!(
            text,
            "{:>7} {:>6} {:>10} {:<9} NAME",
            "PID", "CPU %", "MEMORY", "STATE"
        );
        for process in &self.processes {
            let cpu = process
                .cpu_percent
                .map_or("-".to_string(), |percent| format!("{percent:.1}"));
            _ = writeln!(
                text,
                "{:>7} {cpu:>6} {:>10} {:<9} {}",
                process.pid,
                units::bytes(process.memory_bytes),
                process.state,
                process.name
            );
        }
        text
    }
}

const SORTS: &str = "`cpu` or `memory`";
const LIMIT_DEFAULT: u64 = 10;
/// More rows than that are no longer an overview.
const LIMIT_MAX: u64 = 50;
/// `USER_HZ`, part of the kernel's interface and 100 on every architecture Rust runs on under Linux.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 250 50 7 8 20 0 3 0 1234 46346240 512 18446744073709551615 1 1 0\n";

    #[test]
    fn a_name_may_hold_parentheses() {
        let stat = parse_stat(STAT).unwrap();
        assert_eq!(
            (stat.pid, stat.name.as_str(), stat.state),
            (42, "a) b (c", 'S')
        );
        assert_eq!(
            (stat.ticks, stat.threads, stat.start, stat.resident_pages),
            (300, 3, 1234, 512)
        );
    }

    #[test]
    fn every_truncation_is_refused_up_to_the_last_field_used() {
        let used = STAT.find(" 512").unwrap();
        for end in 0..=used {
            assert_eq!(parse_stat(&STAT[..end]), None, "{}", &STAT[..end]);
        }
        assert!(parse_stat(&STAT[..used + 4]).is_some());
        assert_eq!(parse_stat(&STAT.replace(" 512", " -1")), None);
        assert_eq!(parse_stat(&STAT.replace(" 250", " x")), None);
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let table = |at_centis, times: &[(u64, u64, u64)]| Table {
            at_centis,
            times: times
                .iter()
                .map(|&(pid, start, ticks)| Time { pid, start, ticks })
                .collect(),
        };
        let before = table(1_000, &[(1, 5, 100), (7, 10, 900), (9, 11, 50)]);
        let after = table(
            1_050,
            &[(1, 5, 125), (7, 1_010, 20), (8, 1_020, 3), (9, 11, 40)],
        );
        assert_eq!(
            compare(&before, &after),
            (50, vec![(1, 25), (7, 20), (8, 3), (9, 0)])
        );
    }
}
