//! The packs inside the binary, deflated. A service that is not configured costs its text and nothing more: it is not
//! even parsed. One that is has its text inflated whenever it is read, which takes less than the parsing.

use crate::deflated::inflate;

/// A pack of the table.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its id, the name of its file.
    pub id: &'static str,
    /// Its text, made by `build.rs`.
    deflated: &'static [u8],
}

/// The rows of the table.
macro_rules! packs {
    ($($id:literal,)+) => {
        &[$(Shipped {
            id: $id,
            deflated: include_bytes!(concat!(env!("OUT_DIR"), "/", $id, ".toml.deflated")),
        },)+]
    };
}

/// All of them, in the order of their ids.
pub const PACKS: &[Shipped] = packs! {
    "adguard",
    "gitea",
    "grafana",
    "home_assistant",
    "immich",
    "jellyfin",
    "node_red",
    "ntfy",
    "paperless",
    "pihole",
    "portainer",
    "prometheus",
    "proxmox",
    "silverbullet",
    "uptime_kuma",
    "vikunja",
};

/// The pack of this id.
pub fn find(id: &str) -> Option<&'static Shipped> {
    PACKS.iter().find(|shipped| shipped.id == id)
}

impl Shipped {
    /// Its text, as in `config/packs`.
    pub fn text(&self) -> String {
        inflate(self.deflated)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::super::Pack;
    use super::*;

    #[test]
    fn every_pack_is_free_of_mistakes_and_no_two_have_a_tool_of_one_name() {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for shipped in PACKS {
            let id = shipped.id;
            let pack = match Pack::read(&format!("config/packs/{id}.toml"), id, (*shipped).into()) {
                Ok(pack) => pack,
                Err(problems) => {
                    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    panic!("{}", lines.join("\n"));
                }
            };
            assert!(pack.tool_names().count() > 0, "{id}");
            for name in pack.tool_names() {
                assert!(name.starts_with(&format!("{id}_")), "`{name}` of `{id}`");
                assert_eq!(owners.insert(name.to_owned(), id), None, "{name}");
            }
        }
    }

    #[test]
    fn every_file_is_in_the_table_and_the_table_is_sorted() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/packs");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let ids: Vec<&str> = PACKS.iter().map(|shipped| shipped.id).collect();
        assert_eq!(files, ids);
    }

    #[test]
    fn every_text_is_that_of_its_file() {
        for Shipped { id, .. } in PACKS {
            let file = format!("{}/config/packs/{id}.toml", env!("CARGO_MANIFEST_DIR"));
            let text = find(id).map(Shipped::text);
            assert_eq!(text, Some(std::fs::read_to_string(file).unwrap()), "{id}");
        }
        assert!(find("kettle").is_none());
    }
}
