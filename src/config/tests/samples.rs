//! The files of `tests/config`: each in `accepted` loads, each in `refused` gives the lines of the text beside it.

use std::path::{Path, PathBuf};

use super::super::fuzz_config;
use super::{Setup, check_file};

fn samples(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/config")
        .join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    assert!(!paths.is_empty(), "no samples in {}", folder.display());
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths
        .iter()
        .map(|path| (name(path), std::fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn refused_samples_give_the_errors_beside_them() {
    for (name, text) in samples("refused") {
        let path = format!("/{name}.toml");
        let errors = Setup::default().file(&path, &text).give(&path).refused();
        check_file(
            &format!("tests/config/refused/{name}.txt"),
            &format!("{errors}\n"),
        );
    }
}

#[test]
fn accepted_samples_load_and_show_what_they_say() {
    // The one line that changes with every release.
    let version = format!("version = {:?}", env!("CARGO_PKG_VERSION"));
    for (name, text) in samples("accepted") {
        let path = format!("/{name}.toml");
        let loaded = Setup::default().file(&path, &text).give(&path).load();
        check_file(
            &format!("tests/config/accepted/{name}.txt"),
            &loaded
                .render_effective()
                .replace(&version, "version = \"X\""),
        );
    }
}

/// What is shown can be loaded again and shows the same, as long as no secret is masked in it.
#[test]
fn the_effective_text_is_a_configuration() {
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split("  # ").next().unwrap_or_default().to_owned())
            .collect()
    };
    let mut tried = 0;
    for (_, text) in samples("accepted") {
        let shown = Setup::toml(&text).load().render_effective();
        if shown.contains("***") {
            continue;
        }
        let again = Setup::toml(&shown).load().render_effective();
        assert_eq!(values(&again), values(&shown));
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn no_part_of_a_sample_upsets_the_loader() {
    for (_, text) in samples("refused").into_iter().chain(samples("accepted")) {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            fuzz_config(&text[..end]);
        }
    }
}
