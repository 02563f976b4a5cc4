//! Texts deflated for the binary, those of the packs and the names of characters, and the link arguments of the static release
//! binary; every other build is linked as cargo does it.
//!
//! Only the program itself and the examples get those arguments: not integration tests, build scripts or another crate's binary.

use std::io::Write as _;
use std::{env, fs, path::Path};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Leaves out the tables by which a panic would unwind: the release profile aborts instead (see the end of `src/rt/sys.rs`).
///
/// The start-up objects keep theirs, a few bytes to which their code points.
const LINKER_SCRIPT: &str = "\
SECTIONS
{
  /DISCARD/ :
  {
    *(EXCLUDE_FILE(*crtbegin*.o *crtend*.o) .eh_frame)
    *(.gcc_except_table .gcc_except_table.*)
  }
}
INSERT AFTER .rodata;
";

/// The functions that serving runs, and behind an empty line those that only a start does, by `cross/order.sh`.
///
/// The kernel maps code in windows of 64 KiB or more: where these lie side by side, few of the others come in with them.
const ORDER: &str = "cross/order.txt";

/// 32-bit Arm keeps its tables elsewhere (EHABI), and its start-up code needs them. What it does need is that code on an
/// address that is a multiple of four: the C library's `_init` is Arm code that asks for no alignment, and where all else
/// is Thumb code, it would come to lie between.
const LINKER_SCRIPT_ARM: &str = "\
SECTIONS
{
  .init : ALIGN(4) { KEEP(*(.init)) }
  .fini : ALIGN(4) { KEEP(*(.fini)) }
}
INSERT AFTER .text;
";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    deflate_packs();
    deflate(Path::new("src/html/entities.txt"));
    if variable("CARGO_CFG_TARGET_ENV") != "musl" || variable("PROFILE") != "release" {
        return;
    }
    let is_arm = variable("CARGO_CFG_TARGET_ARCH") == "arm";

    // These two are written alike for a linker and for a C compiler that calls one.
    let script = Path::new(&variable("OUT_DIR")).join("siskin.ld");
    let text = if is_arm {
        LINKER_SCRIPT_ARM
    } else {
        LINKER_SCRIPT
    };
    let text = match linker_is("lld") {
        true => format!("{text}{}", ordered()),
        false => text.to_owned(),
    };
    fs::write(&script, text).expect("cargo makes OUT_DIR for us to write into");
    pass(&format!("-T{}", script.display()));
    if !linker_is("zig") {
        // One bit, instead of 24 bytes, for each pointer that start-up relocates. Zig's linker does not know it,
        // and what it makes is not relocated at all.
        pass("-z");
        pass("pack-relative-relocs");
    }

    if linker_is("lld") {
        // Folds functions of the same code, mostly one generic function for several types.
        pass("--icf=all");
        // What `main.rs` has in their place; examples keep ring's.
        if has_ring() {
            for name in ["p256_point_mul_base", "p256_point_mul_base_vartime"] {
                println!("cargo::rustc-link-arg-bins=--wrap=ring_core_0_17_14__{name}");
            }
        }
    }
}

/// [`ORDER`] as an output section of its own in front of all other code, and with it the C library, whose parts have no names, and the
/// sequences that LLVM outlined, which everything calls and which have no names that last.
/// A name that is no more is none of the linker's business.
fn ordered() -> String {
    println!("cargo::rerun-if-changed={ORDER}");
    let names = fs::read_to_string(ORDER).unwrap_or_default();
    let mut script = String::from(
        "SECTIONS\n{\n  .text.start :\n  {\n    *libc.a:*(.text .text.*)\n    *(.text.OUTLINED*)\n",
    );
    for names in names.split("\n\n") {
        script.push_str("    *(\n");
        for name in names.lines() {
            script.push_str(&format!("      .text.*{name}\n"));
        }
        script.push_str("    )\n");
    }
    script + "  }\n}\nINSERT BEFORE .text;\n"
}

/// See `src/tools/declarative/shipped.rs`, which knows their names.
fn deflate_packs() {
    let folder = Path::new("config/packs");
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).expect("the packs are beside the sources") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|kind| kind != "toml") {
            continue;
        }
        deflate(&path);
    }
}

/// A file of this name with `.deflated` behind it: the length of its text in four bytes, then RFC 1951. See `src/deflated.rs`.
fn deflate(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read(path).expect("a source can be read");
    let len = u32::try_from(text.len()).expect("a source is short");
    let mut encoder = DeflateEncoder::new(len.to_le_bytes().to_vec(), Compression::best());
    let deflated = encoder.write_all(&text).and_then(|()| encoder.finish());
    let name = path.file_name().and_then(|name| name.to_str());
    let name = format!("{}.deflated", name.expect("a source has a name"));
    let made = Path::new(&variable("OUT_DIR")).join(name);
    let deflated = deflated.expect("memory takes all of it");
    fs::write(made, deflated).expect("cargo makes OUT_DIR for us to write into");
}

fn pass(argument: &str) {
    println!("cargo::rustc-link-arg-bins={argument}");
    println!("cargo::rustc-link-arg-examples={argument}");
}

/// Whether ring is in it, and built for a machine for which it has tables.
fn has_ring() -> bool {
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let is_64_bit = matches!(&*variable("CARGO_CFG_TARGET_ARCH"), "aarch64" | "x86_64");
    is_64_bit && (has("JWT") || has("TLS"))
}

/// Whether the linker's name holds `word`: rustc may call `rust-lld` or `ld.lld` itself, or cargo-zigbuild's
/// `zigcc-…`; without a choice it calls `cc`.
fn linker_is(word: &str) -> bool {
    // cargo runs us again when the user's variable changes, but does not look at the one it makes of it.
    let triple = variable("TARGET").to_uppercase().replace('-', "_");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_{triple}_LINKER");
    let linker = variable("RUSTC_LINKER");
    let name = Path::new(&linker).file_name().unwrap_or_default();
    name.to_string_lossy().contains(word)
}

/// Empty when it is not set.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
