//! What happens when the files are not what they should be: absent, cut off, garbage, numbers beyond all bounds.

use super::*;

/// A machine that shows nothing gives answers with nothing in them.
#[test]
fn an_empty_tree_is_no_failure() {
    let folder = Scratch::new("empty");
    let results = check_all(&Device::with_host(
        Root::new(&folder.0),
        Host {
            space: |_| None,
            addresses: Vec::new,
            machine: || None,
            page_bytes: || 4096,
        },
    ));
    let memory = results
        .iter()
        .find(|(name, ..)| *name == "device_memory")
        .unwrap();
    assert_eq!(memory.1, json!({}));
}

/// Every file of every board, damaged in one way after the other: absent members, never a panic or a result outside the schema.
#[test]
fn damaged_trees_are_no_failure() {
    type Damage = fn(&[u8]) -> Vec<u8>;
    let damages: [(&str, Damage); 8] = [
        ("empty", |_| Vec::new()),
        ("half", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("without its last three bytes", |bytes| {
            bytes[..bytes.len().saturating_sub(3)].to_vec()
        }),
        ("letters for digits", |bytes| {
            bytes
                .iter()
                .map(|byte| if byte.is_ascii_digit() { b'x' } else { *byte })
                .collect()
        }),
        ("huge numbers", |bytes| {
            bytes
                .iter()
                .flat_map(|byte| {
                    if byte.is_ascii_digit() {
                        vec![b'9'; 5]
                    } else {
                        vec![*byte]
                    }
                })
                .collect()
        }),
        ("largest numbers", |bytes| {
            digits_replaced(bytes, "18446744073709551615")
        }),
        ("negative numbers", |bytes| digits_replaced(bytes, "-1")),
        ("not text", |bytes| {
            bytes.iter().map(|byte| byte ^ 0x9b).collect()
        }),
    ];
    for name in BOARDS {
        for (how, damage) in damages {
            let folder = Scratch::new(how);
            let files = copy(&board(name), &folder.0, damage);
            assert!(files > 10, "{name} has {files} files");
            let device = Device::with_host(
                Root::new(&folder.0),
                Host {
                    space: |_| None,
                    ..recorded()
                },
            );
            check_all(&device);
            check_all(&device);
        }
    }
}

/// Each run of digits replaced by one number.
fn digits_replaced(bytes: &[u8], number: &str) -> Vec<u8> {
    let runs = bytes.chunk_by(|before, after| before.is_ascii_digit() == after.is_ascii_digit());
    runs.flat_map(|run| {
        if run[0].is_ascii_digit() {
            number.as_bytes()
        } else {
            run
        }
    })
    .copied()
    .collect()
}

/// Every parser on every beginning of every recorded file, its own and the others'.
#[test]
fn parsers_take_any_beginning_of_any_file() {
    let mut texts = BTreeSet::new();
    for name in BOARDS {
        collect(&board(name), &mut texts);
    }
    assert!(texts.len() > 50, "{} samples", texts.len());
    for text in &texts {
        for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
            let beginning = &text[..end];
            _ = system::parse_uptime(beginning);
            _ = system::parse_boot_time(beginning);
            _ = system::parse_os_release(beginning);
            _ = cpuinfo::parse_board(beginning);
            _ = system::parse_container(beginning);
            _ = cpu::parse_stat(beginning);
            _ = cpu::parse_load(beginning, Some(4));
            _ = cpuinfo::parse_model(beginning);
            _ = cpuinfo::parse_megahertz(beginning, 1);
            _ = memory::parse_meminfo(beginning);
            _ = pressure::parse(beginning);
            _ = cgroup::parse_cpu_max(beginning);
            _ = cgroup::parse_path(beginning, "memory");
            _ = temperature::parse_throttling(beginning);
            _ = mounts::parse_mounts(beginning);
            _ = disks::parse_diskstats(beginning);
            _ = raid::parse(beginning);
            _ = network::parse_counters(beginning);
            _ = network::parse_default_route(beginning);
            _ = network::parse_name_servers(beginning);
            _ = processes::parse_stat(beginning);
        }
    }
}

fn collect(folder: &Path, texts: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, texts);
        } else {
            texts.insert(fs::read_to_string(&path).unwrap());
        }
    }
}

fn copy(from: &Path, to: &Path, damage: fn(&[u8]) -> Vec<u8>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            files += copy(&entry.path(), &target, damage);
        } else {
            fs::write(&target, damage(&fs::read(entry.path()).unwrap())).unwrap();
            files += 1;
        }
    }
    files
}

/// A folder of its own that goes when the test does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!(
            "siskin-device-{}-{number}-{}",
            std::process::id(),
            name.replace(' ', "-")
        ));
        fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
