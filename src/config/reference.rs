//! The written reference of all keys, in Markdown, made from the table. `config/README.md` is this text.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a page of our own tables: nothing from outside comes in"
)]

use std::fmt::Write as _;

use super::checks::{Held, derived_limits, held};
use super::field::{Change, Row, Section};
use super::keys::{Limits, SECTIONS, Service};
use super::kind::Value;

/// The content of `config/README.md`.
pub fn reference_markdown() -> String {
    let mut text = String::from(INTRODUCTION);
    for section in SECTIONS {
        write_section(&mut text, section, &section.name.to_ascii_uppercase());
        if section.name == "limits" {
            write_derived(&mut text);
        }
    }
    write_section(&mut text, &Service::SECTION, "SERVICES__<ID>");
    text
}

const INTRODUCTION: &str = "\
# Configuration reference

This page is generated from the key table in `src/config/keys.rs`; a test keeps it current.

Nothing here is needed to start. Layers, later wins: built-in defaults, `base.toml`, `$ENV.toml`, files given with
`--config`, the environment, `key=value` of the command line. The first two are looked for in the folder given with
`--config-dir`, else in `./config` if it holds `base.toml`, else in `/etc/siskin`. Relative paths start from the
folder of the file they stand in.

- In the environment a key `section.key` is `APP_SECTION__KEY`. Text is read by the key's type: `true`, `1` and `yes`
  are one, lists have commas, lists of tables are written as in TOML. An empty text unsets a key that may be unset.
- `APP_SECTION__KEY_FILE` reads the value from a file, less the newline at its end. In TOML the same works for secrets:
  `api_token_file = \"/run/secrets/token\"`. Saying a value both ways is an error.
- A list replaces the list of the layer before as a whole.
- Durations need a unit: `500ms`, `30s`, `1m30s`, `2h`, `1d`. Sizes are bytes or have one: `64KiB`, `1MiB`, `10MB`.
- Reload: whether SIGHUP takes a change over; the others need a restart and are named when it is tried.
";

fn write_section(text: &mut String, section: &Section, env_name: &str) {
    let heading = section.name.replace('*', "<id>");
    write!(
        text,
        "\n## `[{heading}]`\n\n{}\n\n| key | type | default | reload | meaning |\n|---|---|---|---|---|\n",
        section.doc.trim()
    )
    .expect(INFALLIBLE);
    for row in section.rows {
        let reload = if row.change == Change::Reload {
            "yes"
        } else {
            "no"
        };
        let (name, doc) = (row.name, escape(row.doc.trim()));
        let env = format!("APP_{env_name}__{}", name.to_ascii_uppercase());
        let alias = row
            .alias
            .map_or_else(String::new, |alias| format!(", `{alias}`"));
        writeln!(
            text,
            "| `{name}` | {} | {} | {reload} | {doc} `{env}`{alias} |",
            escape(&words(row)),
            default(row)
        )
        .expect(INFALLIBLE);
    }
}

/// What `limits.memory` makes of the limits that nobody set.
fn write_derived(text: &mut String) {
    const MIB: usize = 1 << 20;
    text.push_str(
        "\nHalf of `limits.memory` is for requests being worked on, each with its body, what it reads from an upstream and \
         its output;\na quarter for the queues of streams; a sixteenth each for connections, sessions, replay and the \
         outputs of tasks. A limit that\nsomebody set stays as it is.\n\n\
         | `limits.memory` | 4 MiB | 16 MiB | 64 MiB | 256 MiB |\n|---|---|---|---|---|\n",
    );
    let columns =
        [4, 16, 64, 256].map(|mib| derived_limits(mib * MIB, &Limits::default(), &|_| false));
    for (at, (name, _)) in columns[0].iter().enumerate() {
        let row = Limits::SECTION.rows.iter().find(|row| row.name == *name);
        let Some(row) = row else { continue };
        write!(text, "| `{name}` |").expect(INFALLIBLE);
        for column in &columns {
            let number = row.kind.show_number(column[at].1);
            write!(text, " {number} |").expect(INFALLIBLE);
        }
        text.push('\n');
    }
    write_held(
        text,
        &columns.map(|column| {
            let mut limits = Limits::default();
            for (name, number) in column {
                limits.set(name, Value::Number(number));
            }
            held(&limits)
        }),
    );
}

/// What all of it comes to: how many of each there are, what each takes, and what they take together.
fn write_held(text: &mut String, columns: &[[Held; 6]]) {
    let size = |bytes: usize| {
        let row = Limits::SECTION.rows.iter().find(|row| row.name == "memory");
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        row.map_or_else(String::new, |row| row.kind.show_number(bytes))
    };
    text.push_str(
        "\nWhat is held at once, at most: how many there are, what each of them takes, and all of them together.\n\n\
         | held | how many | each | 4 MiB | 16 MiB | 64 MiB | 256 MiB |\n|---|---|---|---|---|---|---|\n",
    );
    for (at, Held { what, keys, .. }) in columns[0].iter().enumerate() {
        write!(text, "| {what} | {} | {} |", keys.0, keys.1).expect(INFALLIBLE);
        for column in columns {
            let held = &column[at];
            let (each, all) = (size(held.each), size(held.bytes()));
            write!(text, " {} × {each} = {all} |", held.count).expect(INFALLIBLE);
        }
        text.push('\n');
    }
    text.push_str("| all of it | | |");
    for column in columns {
        let all = column.iter().map(Held::bytes).sum();
        write!(text, " {} |", size(all)).expect(INFALLIBLE);
    }
    text.push('\n');
}

fn words(row: &Row) -> String {
    match row.kind.bounds() {
        Some(bounds) => format!(
            "{}, {} to {}",
            row.kind.words(),
            row.kind.show_number(bounds.min),
            row.kind.show_number(bounds.max)
        ),
        None => row.kind.words(),
    }
}

fn default(row: &Row) -> String {
    match row.default {
        None => "unset".to_owned(),
        // It changes with every release, and the page should not.
        Some(env!("CARGO_PKG_VERSION")) => "this release".to_owned(),
        Some(_) => format!("`{}`", row.kind.show(&row.default_value())),
    }
}

/// A bar would end the cell, an angle bracket would start a tag.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

const INFALLIBLE: &str = "a string can always be written to";
