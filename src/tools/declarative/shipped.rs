//! The packs inside the binary, as text. A service that is not configured costs its text and nothing more: it is not
//! even parsed.

/// The rows of the table.
macro_rules! packs {
    ($($id:literal,)+) => {
        &[$(($id, include_str!(concat!("../../../config/packs/", $id, ".toml"))),)+]
    };
}

/// Id and text of each, in the order of their ids.
pub const PACKS: &[(&str, &str)] = packs! {
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

/// The text of a pack.
pub fn text(id: &str) -> Option<&'static str> {
    let found = PACKS.iter().find(|(known, _)| *known == id);
    found.map(|(_, text)| *text)
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
        for (id, text) in PACKS {
            let pack = match Pack::read(&format!("config/packs/{id}.toml"), id, text) {
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
        let ids: Vec<&str> = PACKS.iter().map(|(id, _)| *id).collect();
        assert_eq!(files, ids);
    }
}
