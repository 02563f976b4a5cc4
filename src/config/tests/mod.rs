//! Tests of the loader as a whole, over files held in memory. One module per promise.

mod environment;
mod jwt;
mod kinds;
mod layers;
mod listeners;
mod masking;
mod reload;
mod samples;
mod shipped;

use std::path::PathBuf;

use crate::sorted::SortedMap;

use super::{Loaded, Sources, load};

/// Sources under construction. The folder is `/c`, the working directory `/w`.
#[derive(Default)]
struct Setup {
    files: SortedMap<PathBuf, String>,
    environment: SortedMap<String, String>,
    overrides: Vec<String>,
    given: Vec<PathBuf>,
}

impl Setup {
    fn toml(text: &str) -> Setup {
        Setup::default().file("/c/base.toml", text)
    }

    fn file(mut self, path: &str, text: &str) -> Setup {
        self.files.insert(path.into(), text.to_owned());
        self
    }

    fn env(mut self, name: &str, value: &str) -> Setup {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn cli(mut self, argument: &str) -> Setup {
        self.overrides.push(argument.to_owned());
        self
    }

    fn give(mut self, path: &str) -> Setup {
        self.given.push(path.into());
        self
    }

    fn sources(mut self) -> Sources {
        self.files.or_default("/c/base.toml".into());
        let files = self.files;
        Sources {
            config_dir: Some("/c".into()),
            working_dir: "/w".into(),
            files: self.given,
            environment: self.environment,
            overrides: self.overrides,
            read: Box::new(move |path| {
                files
                    .get(path)
                    .cloned()
                    .ok_or_else(|| std::io::ErrorKind::NotFound.into())
            }),
            ..Sources::default()
        }
    }

    #[track_caller]
    fn load(self) -> Loaded {
        match load(&self.sources()) {
            Ok(loaded) => loaded,
            Err(errors) => panic!("refused:\n{errors}"),
        }
    }

    #[track_caller]
    fn refused(self) -> String {
        match load(&self.sources()) {
            Ok(_) => panic!("accepted"),
            Err(errors) => errors.to_string(),
        }
    }
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.warnings.iter().map(ToString::to_string).collect()
}

/// Compares with a file of the repository, or writes it when `SISKIN_BLESS` is set.
#[track_caller]
fn check_file(path: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SISKIN_BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let shown = path.display();
    assert_eq!(
        actual, expected,
        "{shown} is not current; SISKIN_BLESS=1 cargo test config:: writes it"
    );
}
