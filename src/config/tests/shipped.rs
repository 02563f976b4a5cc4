//! The files in `config/`: each loads, and the generated ones are current.

use std::path::Path;

use super::super::{Sources, json_schema, load, reference_markdown};
use super::check_file;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn project() -> Sources {
    Sources {
        working_dir: root().to_owned(),
        read: Box::new(|path| std::fs::read_to_string(path)),
        ..Sources::default()
    }
}

fn listeners(sources: &Sources) -> Vec<String> {
    let loaded = load(sources).unwrap_or_else(|errors| panic!("refused:\n{errors}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.folder, root().join("config"));
    loaded
        .config
        .listeners()
        .iter()
        .map(|one| format!("{} {}", one.address, one.groups))
        .collect()
}

#[test]
fn every_shipped_file_loads_with_a_token() {
    let mut found = 0;
    for entry in std::fs::read_dir(root().join("config")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let mut sources = project();
            sources.overrides = vec!["server.api_token=t".to_owned()];
            sources.files = vec![path];
            assert!(!listeners(&sources).is_empty());
            found += 1;
        }
    }
    assert!(found >= 3);
}

#[test]
fn a_start_in_the_project_serves_at_once_on_loopback() {
    assert_eq!(listeners(&project()), ["127.0.0.1:8000 mcp,api,admin"]);
}

#[test]
fn prod_has_the_ports_of_the_axinova_server_and_wants_a_token() {
    let mut sources = project();
    sources
        .environment
        .insert("ENV".to_owned(), "prod".to_owned());
    let errors = load(&sources).unwrap_err().to_string();
    assert!(
        errors.contains("prod.toml:6:8: server.host: listening on 0.0.0.0:8000"),
        "{errors}"
    );
    sources
        .environment
        .insert("APP_SERVER__API_TOKEN".to_owned(), "sk-mcp-prod".to_owned());
    assert_eq!(
        listeners(&sources),
        [
            "0.0.0.0:8000 mcp,api,admin",
            "0.0.0.0:8080 api",
            "0.0.0.0:8081 mcp,api",
            "0.0.0.0:9001 admin"
        ]
    );
}

/// What is commented out in the example is right as well: without the `# ` of its lines it still loads.
#[test]
fn the_example_is_right_in_its_comments() {
    let text = std::fs::read_to_string(root().join("config/siskin.example.toml")).unwrap();
    let is_edit = |line: &&str| {
        line.starts_with('[')
            || line
                .split_once(" = ")
                .is_some_and(|(key, _)| !key.contains(' '))
    };
    let uncommented: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(is_edit)
                .unwrap_or(line)
                .to_owned()
                + "\n"
        })
        .collect();
    assert!(uncommented.contains("\n[[auth.tokens]]\n"));
    let setup = super::Setup::toml(&uncommented)
        .file("/etc/siskin/laptop.token", "a\n")
        .file("/etc/siskin/grafana.token", "b\n");
    let loaded = setup.load();
    assert_eq!(loaded.config.tokens().len(), 2);
    assert_eq!(loaded.config.services.len(), 3);
}

#[test]
fn the_reference_is_current() {
    check_file("config/README.md", &reference_markdown());
}

#[test]
fn the_schema_is_current() {
    check_file("config/siskin.schema.json", &json_schema());
}
