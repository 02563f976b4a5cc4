//! `device_cpu`: the processor and how busy it is.
//!
//! In scope: model, cores, load, usage between two samples, frequency, governor, the control group's limit. Not in scope: temperatures
//! ([`super::temperature`]) and who uses the time ([`super::processes`]). Called through [`super::TOOLS`].

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::pressure::{self, Pressure, pressure_schema};
use super::sampler::Sample;
use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Root, Run, args::Args, cgroup,
    cpuinfo, system, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_cpu",
    title: "Processor and load",
    description: "Returns the processor model, number of cores, load averages over 1, 5 and 15 minutes, usage in percent in total and per core \
measured over a short sample (a quarter of a second, or since a call less than ten seconds ago; `sample_ms` says which), frequency, governor, \
and the container's processor limit. Use it when the machine feels slow or to see how busy it is. A load per core above 1 means that work is queueing. \
Takes no arguments; `device_processes` says who uses the time.",
    input_schema: r#"{"type":"object","properties":{},"additionalProperties":false}"#,
    output_schema: concat!(
        r#"{"type":"object","properties":{"model":{"type":"string"},"cores_online":{"type":"integer","minimum":1},"load":{"type":"object","properties":{"one_minute":{"type":"number"},"five_minutes":{"type":"number"},"fifteen_minutes":{"type":"number"},"one_minute_per_core":{"type":"number"}},"required":["one_minute","five_minutes","fifteen_minutes"]},"usage":{"type":"object","description":"Absent when there was no earlier sample to compare with","properties":{"sample_ms":{"type":"integer","minimum":0},"busy_percent":{"type":"number"},"user_percent":{"type":"number"},"system_percent":{"type":"number"},"io_wait_percent":{"type":"number"},"stolen_percent":{"type":"number","description":"Taken by the hypervisor"}},"required":["sample_ms","busy_percent"]},"cores":{"type":"array","items":{"type":"object","properties":{"core":{"type":"integer","minimum":0},"busy_percent":{"type":"number"},"frequency_hertz":{"type":"integer","minimum":0},"frequency_max_hertz":{"type":"integer","minimum":0},"governor":{"type":"string"}},"required":["core"]}},"limit_cores":{"type":"number","description":"Limit of the server's control group"},"pressure":"#,
        pressure_schema!(),
        r#"},"required":["cores"]}"#
    ),
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Sample { prime, read: facts },
};

/// The processor and how busy it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cpu {
    /// Such as `Cortex-A72` or `Intel(R) N100`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Logical processors that are running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_online: Option<u64>,
    /// Load averages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Usage of all cores together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Each running core.
    pub cores: Vec<Core>,
    /// Limit of our control group, in cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_cores: Option<f64>,
    /// Waiting for the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
}

/// Tasks that run or wait to, averaged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Over one minute.
    pub one_minute: f64,
    /// Over five.
    pub five_minutes: f64,
    /// Over fifteen.
    pub fifteen_minutes: f64,
    /// Above 1 work is queueing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_minute_per_core: Option<f64>,
}

/// Shares of the processor's time between two samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    /// Time between the samples.
    pub sample_ms: u64,
    /// Everything but idle and waiting for disks.
    pub busy_percent: f64,
    /// Programs, niced ones included.
    pub user_percent: f64,
    /// The kernel, interrupts included.
    pub system_percent: f64,
    /// Idle with a disk request open.
    pub io_wait_percent: f64,
    /// Taken by the hypervisor.
    pub stolen_percent: f64,
}

/// One logical processor.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Core {
    /// Its number.
    pub core: u64,
    /// Between the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_percent: Option<f64>,
    /// At this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_hertz: Option<u64>,
    /// Highest allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_max_hertz: Option<u64>,
    /// Who chooses it, such as `ondemand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
}

/// A sample of `/proc/stat`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ticks {
    at_centis: u64,
    total: CoreTicks,
    cores: Vec<(u64, CoreTicks)>,
}

/// Time of one core in hundredths of a second: user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)).
/// Guest time, which follows in the file, is already in user and nice.
pub type CoreTicks = [u64; 8];

impl Sample for Ticks {
    fn taken_at_centis(&self) -> u64 {
        self.at_centis
    }
}

/// Takes a first sample when none of a useful age is kept; returns the pause before [`facts`].
pub fn prime(device: &Device) -> Duration {
    let at = system::uptime_centis(&device.root).unwrap_or(0);
    device.cpu.borrow_mut().prime(at, || sample(&device.root))
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    Args::parse(args, &[])?;
    let cpu = read(device);
    Ok(Facts::new(&cpu, cpu.text()))
}

/// Reads the facts.
pub fn read(device: &Device) -> Cpu {
    let root = &device.root;
    let info = root.text("proc/cpuinfo").unwrap_or_default();
    let now = sample(root);
    let mut cores: Vec<Core> = now
        .cores
        .iter()
        .map(|&(core, _)| frequency(root, &info, core))
        .collect();
    let measured = device.cpu.borrow_mut().measure(now, compare);
    let usage = measured.map(|(usage, busy)| {
        for core in &mut cores {
            core.busy_percent = busy
                .iter()
                .find(|(number, _)| *number == core.core)
                .map(|&(_, percent)| percent);
        }
        usage
    });
    let cores_online = u64::try_from(cores.len()).ok().filter(|&count| count > 0);
    Cpu {
        model: cpuinfo::parse_model(&info),
        cores_online,
        load: root
            .text("proc/loadavg")
            .and_then(|text| parse_load(&text, cores_online)),
        usage: usage.flatten(),
        cores,
        limit_cores: cgroup::cpu_cores(root),
        pressure: pressure::read(root, "proc/pressure/cpu"),
    }
}

fn sample(root: &Root) -> Ticks {
    let mut ticks = root
        .text("proc/stat")
        .map(|text| parse_stat(&text))
        .unwrap_or_default();
    ticks.at_centis = system::uptime_centis(root).unwrap_or(0);
    ticks
}

/// Parses the `cpu` lines of `/proc/stat`; a line with a number missing or broken is left out.
pub fn parse_stat(text: &str) -> Ticks {
    let mut ticks = Ticks::default();
    for line in text.lines() {
        let Some((number, fields)) = line
            .strip_prefix("cpu")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let Some(counts) = parse_ticks(fields) else {
            continue;
        };
        match number.parse() {
            Ok(number) => ticks.cores.push((number, counts)),
            Err(_) if number.is_empty() => ticks.total = counts,
            Err(_) => (),
        }
    }
    ticks
}

/// Kernels before 2.6.11 end before steal; the first four are always there.
fn parse_ticks(fields: &str) -> Option<CoreTicks> {
    let mut ticks = CoreTicks::default();
    let mut fields = fields.split_whitespace();
    for (at, tick) in ticks.iter_mut().enumerate() {
        match fields.next() {
            Some(field) => *tick = field.parse().ok()?,
            None if at < 4 => return None,
            None => (),
        }
    }
    Some(ticks)
}

/// Usage of all cores, and busy percent of each.
fn compare(before: &Ticks, after: &Ticks) -> (Option<Usage>, Vec<(u64, f64)>) {
    let usage = shares(&before.total, &after.total).map(
        |[user, nice, system, idle, io_wait, irq, softirq, steal]| Usage {
            sample_ms: after
                .at_centis
                .saturating_sub(before.at_centis)
                .saturating_mul(10),
            busy_percent: units::tenths((100.0 - idle - io_wait).max(0.0)),
            user_percent: units::tenths(user + nice),
            system_percent: units::tenths(system + irq + softirq),
            io_wait_percent: units::tenths(io_wait),
            stolen_percent: units::tenths(steal),
        },
    );
    let busy = after.cores.iter().filter_map(|(number, now)| {
        let (_, then) = before.cores.iter().find(|(earlier, _)| earlier == number)?;
        let [_, _, _, idle, io_wait, ..] = shares(then, now)?;
        Some((*number, units::tenths((100.0 - idle - io_wait).max(0.0))))
    });
    (usage, busy.collect())
}

/// Percent of each kind of time. Idle and iowait may run backwards a little (proc_stat(5)), which counts as standing still.
fn shares(before: &CoreTicks, after: &CoreTicks) -> Option<[f64; 8]> {
    let mut spent = *after;
    for (spent, before) in spent.iter_mut().zip(before) {
        *spent = spent.saturating_sub(*before);
    }
    let whole = spent
        .iter()
        .fold(0u64, |sum, &part| sum.saturating_add(part));
    (whole > 0).then(|| spent.map(|part| part as f64 * 100.0 / whole as f64))
}

/// Parses `/proc/loadavg`: `0.01 0.13 0.08 1/89 5702`.
pub fn parse_load(text: &str, cores: Option<u64>) -> Option<Load> {
    let mut fields = text.split_whitespace().map(units::decimal);
    let one_minute = fields.next()??;
    Some(Load {
        one_minute,
        five_minutes: fields.next()??,
        fifteen_minutes: fields.next()??,
        one_minute_per_core: cores
            .filter(|&cores| cores > 0)
            .map(|cores| (one_minute * 100.0 / cores as f64).round() / 100.0),
    })
}

/// Frequency of one core. On PCs it comes from `/proc/cpuinfo`: kernels before 5.18 sleep 10 ms per idle core to answer
/// `scaling_cur_freq` there, and this is the thread that serves everyone.
fn frequency(root: &Root, info: &str, core: u64) -> Core {
    let folder = format!("sys/devices/system/cpu/cpu{core}/cpufreq");
    let kilohertz = |name: &str| root.number(&format!("{folder}/{name}"))?.checked_mul(1000);
    Core {
        core,
        busy_percent: None,
        frequency_hertz: cpuinfo::parse_megahertz(info, core)
            .or_else(|| kilohertz("scaling_cur_freq")),
        frequency_max_hertz: kilohertz("scaling_max_freq"),
        governor: root.line(&format!("{folder}/scaling_governor")),
    }
}

impl Cpu {
    /// The facts in a few lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let count = self
            .cores_online
            .map(|count| format!("{count} core{}", if count == 1 { "" } else { "s" }));
        let described: Vec<String> = self.model.clone().into_iter().chain(count).collect();
        if !described.is_empty() {
            _ = writeln!(text, "processor  {}", described.join(", "));
        }
        if let Some(load) = &self.load {
            _ = writeln!(
                text,
                "load       {:.2} {:.2} {:.2} (1, 5, 15 min)",
                load.one_minute, load.five_minutes, load.fifteen_minutes
            );
        }
        match &self.usage {
            Some(usage) => {
                _ = writeln!(
                    text,
                    "busy       {:.1} % over {} ms (user {:.1}, system {:.1}, waiting for disks {:.1})",
                    usage.busy_percent,
                    usage.sample_ms,
                    usage.user_percent,
                    usage.system_percent,
                    usage.io_wait_percent
                );
                let cores: Vec<String> = self
                    .cores
                    .iter()
                    .filter_map(|core| core.busy_percent)
                    .map(|percent| format!("{percent:.0}"))
                    .collect();
                _ = writeln!(text, "per core   {} %", cores.join(" "));
            }
            None => text.push_str("busy       not sampled yet, ask again in a moment\n"),
        }
        if let Some(hertz) = self
            .cores
            .iter()
            .filter_map(|core| core.frequency_hertz)
            .max()
        {
            let governor = self.cores.iter().find_map(|core| core.governor.as_deref());
            _ = writeln!(
                text,
                "frequency  {} MHz{}",
                hertz / 1_000_000,
                governor
                    .map(|name| format!(", governor {name}"))
                    .unwrap_or_default()
            );
        }
        if let Some(limit) = self.limit_cores {
            _ = writeln!(
                text,
                "limit      {limit} cores for this container or service"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_the_difference_of_two_samples() {
        let mut before =
            parse_stat("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 50 0 25 400 25 0 0 0 0 0\n");
        let mut after = parse_stat(
            "cpu  130 10 60 840 60 0 0 0 0 0\ncpu0 90 0 25 460 25 0 0 0 0 0\ncpu1 1 2 3 4\n",
        );
        (before.at_centis, after.at_centis) = (1_000, 1_025);
        let (usage, busy) = compare(&before, &after);
        assert_eq!(
            usage.unwrap(),
            Usage {
                sample_ms: 250,
                busy_percent: 50.0,
                user_percent: 40.0,
                system_percent: 10.0,
                io_wait_percent: 10.0,
                stolen_percent: 0.0
            }
        );
        assert_eq!(
            busy,
            [(0, 40.0)],
            "a core that came online between the samples has no usage yet"
        );
    }

    #[test]
    fn counters_that_stand_still_or_run_back_give_no_usage() {
        let ticks = parse_stat("cpu  100 0 50 800 50 0 0 0 0 0\n");
        assert_eq!(compare(&ticks, &ticks).0, None);
        assert_eq!(
            compare(&ticks, &parse_stat("cpu  0 0 0 0 0 0 0 0\n")).0,
            None
        );
    }

    #[test]
    fn broken_lines_are_left_out() {
        let ticks = parse_stat(
            "cpu  x 0 0 0\ncpu0 1 2 3\ncpu1 1 2 3 4\ncpufreq 1 2 3 4\ncpu2 1 2 3 99999999999999999999\nintr 5\n",
        );
        assert_eq!(ticks.total, CoreTicks::default());
        assert_eq!(ticks.cores, [(1, [1, 2, 3, 4, 0, 0, 0, 0])]);
        assert_eq!(parse_stat(""), Ticks::default());
    }

    #[test]
    fn load_has_three_figures() {
        let load = parse_load("0.50 0.13 0.08 1/89 5702\n", Some(4)).unwrap();
        assert_eq!(
            (
                load.one_minute,
                load.fifteen_minutes,
                load.one_minute_per_core
            ),
            (0.5, 0.08, Some(0.13))
        );
        for text in ["", "0.5", "0.5 0.1", "0.5 x 0.1", "nan nan nan"] {
            assert_eq!(parse_load(text, None), None, "{text}");
        }
    }
}
