//! The `siskin` binary: arguments in, exit code out; nothing else.
#![allow(clippy::print_stderr)]
fn main() -> std::process::ExitCode {
    let mut sources = siskin::config::Sources::of_process();
    sources.overrides = std::env::args().skip(2).collect();
    let loaded = match siskin::config::load(&sources) {
        Ok(loaded) => loaded,
        Err(errors) => {
            eprintln!("{errors}");
            return 78.into();
        }
    };
    let is_stdio = std::env::args().nth(1).as_deref() == Some("stdio");
    let ended = match is_stdio {
        true => siskin::app::run_stdio(&loaded).map(drop),
        false => siskin::app::run_http(loaded, sources),
    };
    match ended {
        Ok(()) => 0.into(),
        Err(error) => {
            eprintln!("siskin: {error}");
            69.into()
        }
    }
}
