//! The order of layers, the choice of the folder, and origins.

use super::super::checks::{Held, held};
use super::super::{Sources, load};
use super::{Setup, warnings};

#[test]
fn each_layer_wins_over_the_one_before() {
    let name = |setup: Setup| {
        let loaded = setup.load();
        (
            loaded.config.server.name.clone(),
            loaded.origins.get("server.name").map(ToString::to_string),
        )
    };
    let said = |name: &str, origin: &str| (name.to_owned(), Some(origin.to_owned()));
    let line = |name: &str| format!("server.name = \"{name}\"\n");

    let setup = || Setup::default();
    assert_eq!(name(setup()), ("siskin".to_owned(), None));
    let setup = || Setup::toml(&line("base"));
    assert_eq!(name(setup()), said("base", "/c/base.toml:1:15"));
    let setup = || {
        Setup::toml(&line("base"))
            .file("/c/prod.toml", &line("prod"))
            .env("ENV", "prod")
    };
    assert_eq!(name(setup()), said("prod", "/c/prod.toml:1:15"));
    let given = || setup().file("/w/one.toml", &line("one")).give("one.toml");
    assert_eq!(name(given()), said("one", "/w/one.toml:1:15"));
    let given = || given().file("/two.toml", &line("two")).give("/two.toml");
    assert_eq!(name(given()), said("two", "/two.toml:1:15"));
    let environment = || given().env("APP_SERVER__NAME", "env");
    assert_eq!(
        name(environment()),
        said("env", "environment APP_SERVER__NAME")
    );
    let line = || environment().cli("server.name=cli").cli("server.name=a=b");
    assert_eq!(name(line()), said("a=b", "command line"));
}

#[test]
fn every_file_read_is_named() {
    let setup = Setup::toml("[grafana]\ntoken_file = \"t\"\n").file("/c/t", "a");
    let loaded = setup
        .file("/w/p", "1")
        .env("APP_SERVER__PORT_FILE", "p")
        .env("ENV", "none")
        .load();
    let files: Vec<_> = loaded
        .files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(files, ["/c/base.toml", "/c/t", "/w/p"]);
}

#[test]
fn missing_files_are_errors_only_if_given() {
    let loaded = Setup::default().env("ENV", "dev").load();
    assert_eq!(
        warnings(&loaded),
        ["/c/dev.toml: cannot read `/c/dev.toml`: entity not found"]
    );
    let errors = Setup::default().give("none.toml").refused();
    assert_eq!(
        errors,
        "/w/none.toml: cannot read `/w/none.toml`: entity not found"
    );
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!((loaded.origins.len(), loaded.warnings.len()), (0, 0));
}

#[test]
fn a_path_in_env_chooses_no_file() {
    let loaded = Setup::default().env("ENV", "../x").load();
    assert_eq!(
        warnings(&loaded),
        [
            "environment ENV: `../x` is not a plain name, so it chooses no file; `--config` takes a path"
        ]
    );
}

#[test]
fn the_folder_beside_wins_if_it_holds_base() {
    let folder = |present: &'static str| {
        let read = move |path: &std::path::Path| match path == std::path::Path::new(present) {
            true => Ok(String::new()),
            false => Err(std::io::ErrorKind::NotFound.into()),
        };
        let sources = Sources {
            working_dir: "/w".into(),
            read: Box::new(read),
            ..Sources::default()
        };
        load(&sources).unwrap().folder.display().to_string()
    };
    assert_eq!(folder("/w/config/base.toml"), "/w/config");
    assert_eq!(folder("/etc/siskin/base.toml"), "/etc/siskin");
    assert_eq!(folder("/w/config/prod.toml"), "/etc/siskin");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_even_if_optional() {
    let read = |_: &std::path::Path| Err(std::io::ErrorKind::PermissionDenied.into());
    let sources = Sources {
        working_dir: "/w".into(),
        read: Box::new(read),
        ..Sources::default()
    };
    let errors = load(&sources).unwrap_err().to_string();
    assert_eq!(
        errors,
        "/w/config/base.toml: cannot read `/w/config/base.toml`: permission denied"
    );
}

#[test]
fn problems_of_all_layers_come_sorted() {
    let errors = Setup::toml("[limits]\nheaders = 1\nbatch = 0\n")
        .env("APP_LIMITS__STREAMS", "0")
        .cli("limits.sessions=0")
        .cli("limits")
        .refused();
    assert_eq!(
        errors,
        "/c/base.toml:2:11: limits.headers: 1 is outside 8 to 256\n\
         /c/base.toml:3:9: limits.batch: 0 is outside 1 to 10000\n\
         environment APP_LIMITS__STREAMS: limits.streams: 0 is outside 1 to 1000000\n\
         command line: expected `key=value`, found an argument without `=`\n\
         command line: limits.sessions: 0 is outside 1 to 1000000"
    );
}

#[test]
fn what_is_derived_fits_into_memory_and_most_of_it_is_used() {
    for mib in [4, 5, 8, 16, 31, 64, 256, 1024] {
        let memory = mib << 20;
        let limits = Setup::default().cli(&format!("limits.memory={memory}"));
        let limits = limits.load().config.limits;
        let held: usize = held(&limits).iter().map(Held::bytes).sum();
        assert!(held <= memory, "{mib} MiB: {held} bytes");
        assert!(held >= memory / 3 * 2, "{mib} MiB: {held} bytes");
        assert!(limits.connections_per_address <= limits.connections);
        assert!(limits.replay_bytes <= limits.replay_total_bytes);
    }
    // Each limit that is derived stays when it is set, and each that is not is as ever.
    let derived = [
        "body_bytes",
        "upstream_bytes",
        "tool_output_bytes",
        "stream_queue_bytes",
        "replay_total_bytes",
        "replay_bytes",
        "requests_in_flight",
        "streams",
        "connections",
        "connections_per_address",
        "sessions",
        "tasks",
    ];
    let origins = (Setup::default().cli("limits.memory=8MiB").load()).origins;
    let is_derived = |key: &&String| origins[*key].to_string() == "derived from `limits.memory`";
    let mut found: Vec<&str> = origins
        .keys()
        .filter(is_derived)
        .map(|key| key.strip_prefix("limits.").unwrap())
        .collect();
    found.sort_unstable();
    let mut expected = derived;
    expected.sort_unstable();
    assert_eq!(found, expected);
    for name in derived {
        let setup = Setup::default().cli("limits.memory=8MiB");
        let loaded = setup.cli(&format!("limits.{name}=70000")).load();
        let shown = loaded.render_effective();
        let origin = loaded.origins[&format!("limits.{name}")].to_string();
        assert_eq!(origin, "command line", "{name}");
        assert!(
            shown.contains(&format!("\n{name} = 70000")),
            "{name}: {shown}"
        );
    }
}

#[test]
fn memory_derives_what_nobody_set() {
    let loaded = Setup::toml("[limits]\nmemory = \"16MiB\"\nstreams = 500\n").load();
    let limits = &loaded.config.limits;
    assert_eq!(limits.streams, 500);
    assert_eq!(limits.body_bytes, 512 << 10);
    assert_eq!(
        limits.requests_in_flight,
        (8 << 20) / ((512 << 10) + (1 << 20) + (256 << 10))
    );
    assert_eq!(
        loaded.origins["limits.sessions"].to_string(),
        "derived from `limits.memory`"
    );
    assert_eq!(
        loaded.origins["limits.streams"].to_string(),
        "/c/base.toml:3:11"
    );
    // The smallest and the largest memory leave every limit within its bounds.
    for (memory, body) in [
        ("4MiB", "1KiB"),
        ("4MiB", "256MiB"),
        ("1GiB", "1KiB"),
        ("1GiB", "256MiB"),
    ] {
        let setup = ["body_bytes", "upstream_bytes"].iter().fold(
            Setup::default()
                .cli(&format!("limits.memory={memory}"))
                .cli("limits.tool_output_bytes=1KiB"),
            |setup, name| setup.cli(&format!("limits.{name}={body}")),
        );
        let shown = setup.load().render_effective();
        let limits = Setup::toml(&shown).load().config.limits;
        assert!(limits.requests_in_flight >= 1 && limits.requests_in_flight <= 100_000);
    }
}
