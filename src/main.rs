//! The `siskin` binary: arguments in, exit code out; nothing else.
#![allow(clippy::print_stderr)]
use siskin::app::{Plan, device::DeviceTools, serve::Hooks};
fn main() {
    let mut sources = siskin::config::Sources::of_process();
    sources.overrides = std::env::args().skip(2).collect();
    let loaded = siskin::config::load(&sources).unwrap_or_else(|e| panic!("{e}"));
    _ = siskin::log::init(siskin::log::Format::Text, loaded.config.log.level.filter());
    let device = DeviceTools::new();
    let plan = Plan::new(&loaded.config, &device, 1).unwrap_or_else(|e| panic!("{e}"));
    if std::env::args().nth(1).as_deref() == Some("stdio") {
        siskin::app::serve_stdio(plan).unwrap_or_else(|e| panic!("{e}"));
        return;
    }
    siskin::app::serve(
        plan,
        &Hooks {
            ready: &|a| eprintln!("listening http {a}"),
            reload: &|_| None,
        },
    )
    .unwrap_or_else(|e| panic!("{e}"));
}
