//! `/proc/cpuinfo`: a text that every architecture writes in its own way.
//!
//! In scope: the processor's name, its frequency on PCs, the board's name on a Raspberry Pi. Called by [`super::cpu`] and [`super::system`].

use super::root::first_line;

/// The processor's name from `/proc/cpuinfo`: `model name` on PCs and 32-bit ARM, the part number on 64-bit ARM, which has no name,
/// `uarch` on RISC-V and `cpu model` on MIPS.
pub fn parse_model(info: &str) -> Option<String> {
    let value = |key: &str| {
        info.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| first_line(value))?
        })
    };
    let part = || {
        let (maker, part) = (value("CPU implementer")?, value("CPU part")?);
        let known = ARM_PARTS
            .iter()
            .find(|(number, _)| *number == part && maker == "0x41");
        Some(known.map_or_else(
            || format!("ARM implementer {maker} part {part}"),
            |(_, name)| (*name).to_string(),
        ))
    };
    value("model name")
        .or_else(part)
        .or_else(|| value("uarch"))
        .or_else(|| value("cpu model"))
        .or_else(|| value("Hardware"))
}

/// The `Model` line that Raspberry Pi kernels add to `/proc/cpuinfo`.
pub fn parse_board(text: &str) -> Option<String> {
    let (_, model) = text
        .lines()
        .find(|line| line.starts_with("Model\t"))?
        .split_once(':')?;
    first_line(model)
}

/// The `cpu MHz` line of one core, in hertz.
pub fn parse_megahertz(info: &str, core: u64) -> Option<u64> {
    let mut current = None;
    for line in info.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.trim() {
            "processor" => current = value.trim().parse::<u64>().ok(),
            "cpu MHz" if current == Some(core) => {
                let (whole, rest) = value.trim().split_once('.').unwrap_or((value.trim(), "0"));
                let thousandths: u64 = format!("{rest:0<3}").get(..3)?.parse().ok()?;
                return whole
                    .parse::<u64>()
                    .ok()?
                    .checked_mul(1_000_000)?
                    .checked_add(thousandths.checked_mul(1_000)?);
            }
            _ => (),
        }
    }
    None
}

/// Part numbers of ARM's own designs (Arm MIDR_EL1 documentation) found in small machines.
const ARM_PARTS: [(&str, &str); 16] = [
    ("0xb76", "ARM1176"),
    ("0xc05", "Cortex-A5"),
    ("0xc07", "Cortex-A7"),
    ("0xc08", "Cortex-A8"),
    ("0xc09", "Cortex-A9"),
    ("0xc0f", "Cortex-A15"),
    ("0xd03", "Cortex-A53"),
    ("0xd04", "Cortex-A35"),
    ("0xd05", "Cortex-A55"),
    ("0xd07", "Cortex-A57"),
    ("0xd08", "Cortex-A72"),
    ("0xd09", "Cortex-A73"),
    ("0xd0a", "Cortex-A75"),
    ("0xd0b", "Cortex-A76"),
    ("0xd0c", "Neoverse-N1"),
    ("0xd41", "Cortex-A78"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_many_spellings() {
        for (info, model) in [
            ("model name\t: Intel(R) N100\n", Some("Intel(R) N100")),
            (
                "CPU implementer\t: 0x41\nCPU part\t: 0xd08\n",
                Some("Cortex-A72"),
            ),
            (
                "CPU implementer\t: 0x51\nCPU part\t: 0xd08\n",
                Some("ARM implementer 0x51 part 0xd08"),
            ),
            ("uarch\t\t: sifive,u74-mc\n", Some("sifive,u74-mc")),
            ("CPU implementer\t: 0x41\n", None),
            ("model name\t:\n", None),
            ("model name", None),
            ("", None),
        ] {
            assert_eq!(parse_model(info).as_deref(), model, "{info}");
        }
    }

    #[test]
    fn megahertz_belong_to_their_core() {
        let info = "processor\t: 0\ncpu MHz\t\t: 800.012\n\nprocessor\t: 1\ncpu MHz\t\t: 2700\n";
        assert_eq!(parse_megahertz(info, 0), Some(800_012_000));
        assert_eq!(parse_megahertz(info, 1), Some(2_700_000_000));
        assert_eq!(parse_megahertz(info, 2), None);
        for value in ["", "x", "1.x", "99999999999999999999.0", "1.é0"] {
            assert_eq!(
                parse_megahertz(&format!("processor : 0\ncpu MHz : {value}\n"), 0),
                None,
                "{value}"
            );
        }
    }

    #[test]
    fn the_model_line_is_not_the_model_name_line() {
        assert_eq!(
            parse_board("model name\t: x\nModel\t\t: Raspberry Pi Zero W Rev 1.1\n").as_deref(),
            Some("Raspberry Pi Zero W Rev 1.1")
        );
        for text in [
            "",
            "model\t\t: 167\nmodel name\t: Intel",
            "Model\t",
            "Model\t\t:  ",
        ] {
            assert_eq!(parse_board(text), None, "{text}");
        }
    }
}
