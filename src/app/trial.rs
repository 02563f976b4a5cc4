//! Packs on the bench: a new one written, one file read, one tool of it run with everything it sends laid open.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::catalog::CatalogBuilder;
use crate::cli::{Answer, Exchange, ExitCode, Failure, PackFile, Trial};
use crate::config::{self, Config};
use crate::rt;
use crate::tools::declarative::trial::{self, Recorder};
use crate::tools::declarative::{Pack, World, scaffold, shipped};

use super::packs::{Outside, commands, folder_of, settings};
use super::siskin::{line, outcome};

/// Writes the pack `id` into the folder of packs: a copy of the one inside the binary if there is one, else one to begin
/// with.
pub(super) fn new_pack(config_folder: &Path, id: &str, url: &str) -> Result<PathBuf, Failure> {
    let text = match shipped::find(id) {
        Some(shipped) => shipped.text(),
        None => scaffold::scaffold(id, url).map_err(|problem| {
            let shown = id.escape_debug();
            Failure::new(ExitCode::Usage, format!("`{shown}`: {problem}"))
        })?,
    };
    let folder = folder_of(config_folder);
    let path = folder.join(format!("{id}.toml"));
    let shown = path.display();
    let written = std::fs::create_dir_all(&folder).and_then(|()| {
        let mut file = std::fs::File::create_new(&path)?;
        file.write_all(text.as_bytes())
    });
    match written {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Failure::new(
            ExitCode::Failed,
            format!("`{shown}` is there already: choose another id, or move the file away"),
        )),
        Err(error) => Err(Failure::new(
            ExitCode::Failed,
            format!("cannot write `{shown}`: {error}; `--config-dir` chooses another folder"),
        )),
    }
}

/// What is in a file, or what is wrong with it.
pub(super) fn read_pack(file: &Path) -> Result<PackFile, Failure> {
    Ok(match read(file)? {
        Ok(pack) => PackFile {
            problems: Vec::new(),
            title: pack.title().to_owned(),
            tools: pack.definitions().iter().map(line).collect(),
        },
        Err(problems) => PackFile {
            problems,
            ..PackFile::default()
        },
    })
}

fn read(file: &Path) -> Result<Result<Pack, Vec<String>>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let message = format!("cannot read `{}`: {error}", file.display());
        Failure::new(ExitCode::Failed, message)
    })?;
    let id = file.file_stem().unwrap_or_default().to_string_lossy();
    let pack = Pack::read(&file.to_string_lossy(), &id, text.into());
    Ok(pack.map_err(|wrong| wrong.iter().map(ToString::to_string).collect()))
}

/// Runs a tool of a file as a server would, policies of the configuration aside.
pub(super) fn try_tool(
    config: &Config,
    file: &Path,
    tool: &str,
    arguments_json: &str,
) -> Result<Trial, Failure> {
    let wrong = |problems: Vec<String>| Failure::new(ExitCode::Config, problems.join("\n"));
    let pack = read(file)?.map_err(wrong)?;
    let id = pack.id().to_owned();
    let default = config::Service::default();
    let service = config.services.get(&id).unwrap_or(&default);
    if service.url.is_none() && pack.needs_url() {
        return Err(wrong(vec![format!(
            "services.{id}.url: is missing; set it in a file, by `APP_SERVICES__{}__URL`, or by `--set services.{id}.url=…`",
            id.to_ascii_uppercase()
        )]));
    }
    let settings = settings(config, &id, service).map_err(|problem| wrong(vec![problem]))?;
    let outside = Outside::new();
    let recorder = Rc::new(Recorder::new(Rc::new(outside.client().clone())));
    let world = World {
        upstream: recorder.clone(),
        commands: commands(config),
        ..outside.world()
    };
    let (service, offered) = pack.open(settings, world).map_err(wrong)?;
    let mut builder = CatalogBuilder::default();
    let mut is_offered = false;
    for one in offered {
        is_offered |= one.tool.name() == tool;
        builder.tool(one.tool, one.handler);
    }
    if !is_offered {
        return Err(wrong(vec![format!(
            "`{tool}` is not offered: its `if_option` is not set in `[services.{id}]`"
        )]));
    }
    let catalog = builder
        .build(1)
        .map_err(|error| wrong(vec![error.to_string()]))?;
    Ok(rt::run(async {
        let result = catalog.call(tool, arguments_json).await;
        // Before the session is given back: it is one of the secrets that are masked.
        let exchanges = recorder.exchanges(&service);
        service.log_out().await;
        Trial {
            exchanges: exchanges.into_iter().map(exchange).collect(),
            outcome: outcome(&result),
        }
    }))
}

fn exchange(seen: trial::Exchange) -> Exchange {
    Exchange {
        request: format!("{} {}", seen.method, seen.url),
        headers: seen.headers,
        body: seen.body,
        answer: seen.answer.map(|answer| Answer {
            status: match answer.redirected_to {
                None => answer.status.to_string(),
                Some(url) => format!("{} from {url}", answer.status),
            },
            headers: answer.headers,
            body: answer.body,
        }),
    }
}
