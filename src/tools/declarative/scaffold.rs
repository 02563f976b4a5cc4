//! The pack that `siskin pack new` writes: sound as it is, and commented where somebody goes on.

use super::Pack;

/// The text of a new pack for the service `id`, which is at `url`.
///
/// # Errors
/// Why `id` cannot name a pack.
pub fn scaffold(id: &str, url: &str) -> Result<String, String> {
    let text = TEXT
        .replace("@id", id)
        .replace("@title", &title(id))
        .replace("@url", url);
    // The only thing that can be wrong is what was put in.
    match Pack::read(id, id, text.clone().into()) {
        Ok(_) => Ok(text),
        Err(problems) => Err(match problems.into_iter().next() {
            Some(problem) => problem.text,
            None => "cannot name a pack".to_owned(),
        }),
    }
}

/// `home_assistant` as `Home Assistant`.
fn title(id: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    id.split('_').map(word).collect::<Vec<_>>().join(" ")
}

const TEXT: &str = r#"# Tools for @title. Every key is explained in config/packs/README.md of siskin.
#
#   siskin pack test FILE                        checks this file
#   siskin pack test FILE @id_list_items limit=3   sends a request and shows what comes back
#
# Where the service is and its token stand in the configuration, not here:
#
#   [services.@id]
#   url = "@url"
#   token = "…"                       # or: token_file = "/run/secrets/@id"

[service]
id = "@id"                           # the same as the file's name
title = "@title"
description = "What the service is, in one line."
setup = "Where to get the token, and what it needs to be allowed to do."
# path = "/api/v1"                    # behind the configured url, for every request
auth = { kind = "bearer" }            # or: none, header, basic, bearer_or_basic, query, login
probe = { path = "/api/health" }      # asked by `siskin check` and /ready

# An argument that several tools take, by `use = ["item_id"]`:
[service.args]
item_id = { type = "integer", required = true, minimum = 1, description = "The item's id, from @id_list_items." }

[[tool]]
name = "@id_list_items"
title = "List items"
description = "Items, newest first. Say for the model what it gets, and when another tool is the better one."
access = "read"                       # read, write or destructive
[tool.args]
query = { description = "Only items whose name has this in it." }
limit = { type = "integer", default = 50, minimum = 1, maximum = 500, description = "At most so many." }
[tool.request]
path = "/api/items"
query = { search = "{query}", per_page = "{limit}" }    # what was not given is not sent
[tool.response]
# at = "/data/items"                  # where the list is in the answer
list = true
limit = "{limit}"
pick = ["id", "name", "state", "modified = updated_at"]    # what the model is to see: less is more

[[tool]]
name = "@id_rename_item"
title = "Rename item"
description = "Gives an item another name."
access = "write"
idempotent = true                     # twice is as good as once
use = ["item_id"]
[tool.args]
name = { required = true, minLength = 1, description = "The new name." }
[tool.request]
method = "PATCH"
path = "/api/items/{item_id}"
json = { name = "{name}" }
[tool.response]
errors = { 404 = "no item {item_id}" }
decode = "none"
text = "item {item_id} is named `{name}` now"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_pack_is_sound_and_its_tools_have_its_name() {
        let text = scaffold("home_box2", "http://127.0.0.1:8080").unwrap();
        let pack = Pack::read("home_box2.toml", "home_box2", text.clone().into()).unwrap();
        assert_eq!(pack.title(), "Home Box2");
        assert!(pack.tool_names().all(|name| name.starts_with("home_box2_")));
        assert!(text.contains("#   url = \"http://127.0.0.1:8080\"\n"));
        assert!(!text.contains('@'));
    }

    #[test]
    fn other_names_are_refused() {
        for id in ["", "Kettle", "2x", "a-b", "a b", "a\"\nb", "../a"] {
            assert!(scaffold(id, "http://h").is_err(), "{id}");
        }
    }
}
