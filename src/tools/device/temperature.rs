//! `device_temperature`: how warm the machine is, its fans, and whether a Raspberry Pi is throttled.
//!
//! In scope: thermal zones, hwmon sensors and fans, the Raspberry Pi firmware's throttling word. Not in scope: running `vcgencmd` or
//! `smartctl`. Called through [`super::TOOLS`].

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Root, Run, args::Args, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_temperature",
    title: "Temperatures and throttling",
    description: "Returns the temperatures of this machine in degrees Celsius (processor, board, SSD) with their critical limits where known, \
fan speeds, and on a Raspberry Pi whether it is or was throttled or short of supply voltage. Use it when the machine is slow, unstable or hot. \
Hard disk temperatures are left out unless `include_drives` is true, because asking a sleeping disk may delay the answer. \
Virtual machines and containers often have no sensors; the list is then empty.",
    input_schema: r#"{"type":"object","properties":{"include_drives":{"type":"boolean","default":false,"description":"Also ask hard disks (drivetemp), which may take seconds when one is asleep"}},"additionalProperties":false}"#,
    output_schema: r#"{"type":"object","properties":{"sensors":{"type":"array","items":{"type":"object","properties":{"source":{"type":"string","description":"Thermal zone or chip, e.g. cpu-thermal, coretemp, nvme"},"label":{"type":"string"},"temperature_celsius":{"type":"number"},"high_celsius":{"type":"number"},"critical_celsius":{"type":"number"}},"required":["source","temperature_celsius"]}},"hottest_celsius":{"type":"number"},"fans":{"type":"array","items":{"type":"object","properties":{"source":{"type":"string"},"label":{"type":"string"},"revolutions_per_minute":{"type":"integer","minimum":0}},"required":["source","revolutions_per_minute"]}},"throttling":{"type":"object","description":"Raspberry Pi only; _now: at this moment, _since_boot: at least once","properties":{"raw":{"type":"string","description":"The firmware's word, hexadecimal"},"under_voltage_now":{"type":"boolean"},"frequency_capped_now":{"type":"boolean"},"throttled_now":{"type":"boolean"},"soft_temperature_limit_now":{"type":"boolean"},"under_voltage_since_boot":{"type":"boolean"},"frequency_capped_since_boot":{"type":"boolean"},"throttled_since_boot":{"type":"boolean"},"soft_temperature_limit_since_boot":{"type":"boolean"}}}},"required":["sensors","fans"]}"#,
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Read(facts),
};

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Temperatures {
    /// Thermal zones first, then hwmon chips.
    pub sensors: Vec<Sensor>,
    /// The highest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hottest_celsius: Option<f64>,
    /// Fans; one that stands still shows 0.
    pub fans: Vec<Fan>,
    /// Raspberry Pi only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
}

/// One temperature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensor {
    /// Zone type or chip name.
    pub source: String,
    /// What it measures, where the chip says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Now.
    pub temperature_celsius: f64,
    /// Where it is getting too warm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_celsius: Option<f64>,
    /// Where the machine protects itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical_celsius: Option<f64>,
}

/// One fan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fan {
    /// Chip name.
    pub source: String,
    /// Which fan, where the chip says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Speed.
    pub revolutions_per_minute: u64,
}

/// The firmware's throttling word, bits as in the Raspberry Pi documentation of `vcgencmd get_throttled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Throttling {
    /// The word as it is usually quoted, such as `0x50005`.
    pub raw: String,
    /// Bit 0.
    pub under_voltage_now: bool,
    /// Bit 1.
    pub frequency_capped_now: bool,
    /// Bit 2.
    pub throttled_now: bool,
    /// Bit 3.
    pub soft_temperature_limit_now: bool,
    /// Bit 16.
    pub under_voltage_since_boot: bool,
    /// Bit 17.
    pub frequency_capped_since_boot: bool,
    /// Bit 18.
    pub throttled_since_boot: bool,
    /// Bit 19.
    pub soft_temperature_limit_since_boot: bool,
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    let include_drives = Args::parse(args, &["include_drives"])?.flag("include_drives")?;
    let temperatures = read(device, include_drives);
    Ok(Facts::new(&temperatures, temperatures.text()))
}

/// Reads the facts. `include_drives` asks disks too, over their command queue: a sleeping one answers after it has spun up.
pub fn read(device: &Device, include_drives: bool) -> Temperatures {
    let root = &device.root;
    let mut sensors = zones(root);
    // The kernel shows each thermal zone a second time as a hwmon chip named after it, dashes turned into underscores.
    let zone_names: Vec<String> = sensors
        .iter()
        .map(|sensor| sensor.source.replace('-', "_"))
        .collect();
    let mut fans = Vec::new();
    for chip in root.names("sys/class/hwmon") {
        let folder = format!("sys/class/hwmon/{chip}");
        let source = root.line(&format!("{folder}/name")).unwrap_or(chip);
        if source == "drivetemp" && !include_drives {
            continue;
        }
        let zone_again = zone_names.contains(&source);
        for name in root.names(&folder) {
            let Some(input) = name.strip_suffix("_input") else {
                continue;
            };
            let label = root.line(&format!("{folder}/{input}_label"));
            if input.starts_with("temp") && !zone_again {
                sensors.extend(sensor(root, &folder, input, &source, label));
            } else if input.starts_with("fan") {
                let speed = root.number(&format!("{folder}/{name}"));
                fans.extend(speed.map(|revolutions_per_minute| Fan {
                    source: source.clone(),
                    label,
                    revolutions_per_minute,
                }));
            }
        }
    }
    let hottest_celsius = sensors
        .iter()
        .map(|sensor| sensor.temperature_celsius)
        .max_by(f64::total_cmp);
    Temperatures {
        sensors,
        hottest_celsius,
        fans,
        throttling: throttling(root),
    }
}

fn zones(root: &Root) -> Vec<Sensor> {
    let zone = |folder: String| {
        let critical = || {
            let points = root.names(&folder);
            let point = points
                .iter()
                .filter_map(|name| name.strip_suffix("_type"))
                .find(|point| {
                    root.line(&format!("{folder}/{point}_type")).as_deref() == Some("critical")
                })?;
            celsius(root.signed(&format!("{folder}/{point}_temp"))?)
        };
        Some(Sensor {
            temperature_celsius: celsius(root.signed(&format!("{folder}/temp"))?)?,
            source: root.line(&format!("{folder}/type"))?,
            label: None,
            high_celsius: None,
            critical_celsius: critical(),
        })
    };
    let names = root.names("sys/class/thermal");
    names
        .iter()
        .filter(|name| name.starts_with("thermal_zone"))
        .filter_map(|name| zone(format!("sys/class/thermal/{name}")))
        .collect()
}

fn sensor(
    root: &Root,
    folder: &str,
    input: &str,
    source: &str,
    label: Option<String>,
) -> Option<Sensor> {
    let value = |kind: &str| celsius(root.signed(&format!("{folder}/{input}_{kind}"))?);
    Some(Sensor {
        source: source.to_string(),
        label,
        temperature_celsius: value("input")?,
        high_celsius: value("max"),
        critical_celsius: value("crit"),
    })
}

/// Thousandths of a degree to degrees. A socket without a probe reads as -128 or +255 and a limit that is not set as
/// 65261.85 (0xffff kelvin): such a value is no temperature.
fn celsius(thousandths: i64) -> Option<f64> {
    (-60_000..=200_000)
        .contains(&thousandths)
        .then(|| units::tenths(thousandths as f64 / 1000.0))
}

/// The word belongs to the firmware node below the SoC: `soc/soc:firmware` up to the Raspberry Pi 4, `soc@107c000000/soc@107c000000:firmware`
/// on the 5. So every child of every `soc` is looked at; there are a few dozen.
fn throttling(root: &Root) -> Option<Throttling> {
    const PLATFORM: &str = "sys/devices/platform";
    let socs = root
        .names(PLATFORM)
        .into_iter()
        .filter(|name| name.starts_with("soc"));
    let children = socs.flat_map(|soc| {
        let folder = format!("{PLATFORM}/{soc}");
        root.names(&folder)
            .into_iter()
            .map(move |child| format!("{folder}/{child}/get_throttled"))
    });
    let text = children.into_iter().find_map(|path| root.text(&path))?;
    parse_throttling(&text)
}

/// Parses the hexadecimal word, with or without `0x`.
pub fn parse_throttling(text: &str) -> Option<Throttling> {
    let digits = text.trim();
    let word = u32::from_str_radix(digits.strip_prefix("0x").unwrap_or(digits), 16).ok()?;
    let bit = |at: u32| word >> at & 1 == 1;
    Some(Throttling {
        raw: format!("{word:#x}"),
        under_voltage_now: bit(0),
        frequency_capped_now: bit(1),
        throttled_now: bit(2),
        soft_temperature_limit_now: bit(3),
        under_voltage_since_boot: bit(16),
        frequency_capped_since_boot: bit(17),
        throttled_since_boot: bit(18),
        soft_temperature_limit_since_boot: bit(19),
    })
}

impl Throttling {
    fn text(&self) -> String {
        let states = [
            (
                self.under_voltage_now,
                self.under_voltage_since_boot,
                "under-voltage",
            ),
            (
                self.frequency_capped_now,
                self.frequency_capped_since_boot,
                "frequency capped",
            ),
            (self.throttled_now, self.throttled_since_boot, "throttled"),
            (
                self.soft_temperature_limit_now,
                self.soft_temperature_limit_since_boot,
                "soft temperature limit",
            ),
        ];
        let said: Vec<String> = states
            .iter()
            .filter_map(|&(now, since_boot, name)| match (now, since_boot) {
                (true, _) => Some(format!("{name} now")),
                (false, true) => Some(format!("{name} since boot")),
                (false, false) => None,
            })
            .collect();
        if said.is_empty() {
            "none".to_string()
        } else {
            said.join(", ")
        }
    }
}

impl Temperatures {
    /// The facts in a few lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.sensors.is_empty() {
            text.push_str("this machine shows no temperature sensors\n");
        }
        for sensor in &self.sensors {
            let label = sensor
                .label
                .as_ref()
                .map(|label| format!(" {label}"))
                .unwrap_or_default();
            let limit = sensor
                .critical_celsius
                .map(|limit| format!(" (critical at {limit:.0} °C)"))
                .unwrap_or_default();
            _ = writeln!(
                text,
                "{}{label}: {:.1} °C{limit}",
                sensor.source, sensor.temperature_celsius
            );
        }
        for fan in &self.fans {
            let label = fan
                .label
                .as_ref()
                .map(|label| format!(" {label}"))
                .unwrap_or_default();
            _ = writeln!(
                text,
                "{}{label}: fan at {} rpm",
                fan.source, fan.revolutions_per_minute
            );
        }
        if let Some(throttling) = &self.throttling {
            _ = writeln!(text, "throttling: {}", throttling.text());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_throttling_word_is_bits() {
        let word = parse_throttling("50005\n").unwrap();
        assert_eq!(word.raw, "0x50005");
        assert!(
            word.under_voltage_now
                && word.throttled_now
                && !word.frequency_capped_now
                && word.throttled_since_boot
        );
        assert_eq!(word.text(), "under-voltage now, throttled now");
        assert_eq!(
            parse_throttling("0x80000").unwrap().text(),
            "soft temperature limit since boot"
        );
        assert_eq!(parse_throttling("0").unwrap().text(), "none");
        for text in ["", "0x", "x", "throttled=0x0", "1ffffffff", "-1"] {
            assert_eq!(parse_throttling(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_temperature_is_none() {
        assert_eq!(celsius(48_312), Some(48.3));
        assert_eq!(celsius(-60_000), Some(-60.0));
        assert_eq!(celsius(200_000), Some(200.0));
        for value in [
            -60_001,
            200_001,
            -128_000,
            255_000,
            65_261_850,
            i64::MIN,
            i64::MAX,
        ] {
            assert_eq!(celsius(value), None, "{value}");
        }
    }
}
