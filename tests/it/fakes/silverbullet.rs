//! SilverBullet. From its own description (`docs/HTTP API.md`, `Authentication`) and from the two
//! servers that speak it: the one in Go up to 2.9, the one in Rust from 2.10 on. A space is files;
//! pages are those that end in `.md`.

use std::collections::BTreeMap;

use crate::support::{Answer, Call, Paths, Route, Service, Value, json, percent_decoded};

/// The token it knows.
pub const TOKEN: &str = "sbt_fake_token";

/// A SilverBullet.
pub struct SilverBullet {
    /// Whether it is one of 2.0 to 2.9: lists only in sync mode, else sends to its pages.
    pub is_old: bool,
    /// Whether nobody may write.
    pub is_read_only: bool,
    /// Whether `/.shell` runs commands.
    pub has_shell: bool,
    /// Files by name.
    pub files: BTreeMap<String, File>,
    clock_ms: u64,
}

/// A file.
pub struct File {
    /// What it holds.
    pub body: Vec<u8>,
    /// Its media type.
    pub media_type: String,
    created_ms: u64,
    modified_ms: u64,
}

impl SilverBullet {
    /// Three pages, one of them of the library, and a picture.
    pub fn new() -> SilverBullet {
        let mut space = SilverBullet {
            is_old: false,
            is_read_only: false,
            has_shell: true,
            files: BTreeMap::new(),
            clock_ms: 1_700_000_000_000,
        };
        space.write("index.md", b"Welcome. See [[Projects/Garden plan]].");
        space.write("Library/Std.md", b"tomato helpers");
        space.write("photo.png", b"\x89PNG\0");
        space.write("Projects/Garden plan.md", b"# Garden\n* [ ] Sow tomatoes\n");
        space
    }

    /// Writes a file a minute after the last one.
    pub fn write(&mut self, name: &str, body: &[u8]) {
        self.clock_ms += 60_000;
        let media_type = match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("md") => "text/markdown",
            Some("png") => "image/png",
            _ => "application/octet-stream",
        };
        let created_ms = self.files.get(name).map(|file| file.created_ms);
        let file = File {
            body: body.to_vec(),
            media_type: media_type.to_owned(),
            created_ms: created_ms.unwrap_or(self.clock_ms),
            modified_ms: self.clock_ms,
        };
        self.files.insert(name.to_owned(), file);
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<String> {
        let file = self.files.get(name)?;
        String::from_utf8(file.body.clone()).ok()
    }

    fn perm(&self) -> &'static str {
        if self.is_read_only { "ro" } else { "rw" }
    }

    fn list(&mut self, call: &Call) -> Answer {
        if self.is_old && call.header("x-sync-mode").is_none() {
            return Answer::empty(307).header("Location", "/");
        }
        let files = self.files.iter();
        let files: Value = files
            .map(|(name, file)| {
                json!({"name": name, "created": file.created_ms, "lastModified": file.modified_ms,
                    "contentType": file.media_type, "size": file.body.len(), "perm": self.perm()})
            })
            .collect();
        Answer::json(200, &files).header("X-Space-Path", "/space")
    }

    /// The name a path gives; what leaves the space is refused.
    fn name(&self, call: &Call) -> Result<String, Answer> {
        let mut name = call.arg("name").to_owned();
        if self.is_old {
            // It decodes as queries are decoded: a bare plus is a space.
            let raw = call.path().split_once("/.fs/").map_or("", |(_, raw)| raw);
            name = percent_decoded(&raw.replace('+', " "));
        }
        let mut segments = name.split('/');
        if segments.any(|segment| segment == "..") {
            return Err(Answer::text(403, "Path not in space"));
        }
        Ok(name)
    }

    fn with_meta(&self, answer: Answer, file: &File) -> Answer {
        answer
            .header("Content-Type", &file.media_type)
            .header("X-Created", &file.created_ms.to_string())
            .header("X-Last-Modified", &file.modified_ms.to_string())
            .header("X-Content-Length", &file.body.len().to_string())
            .header("X-Permission", self.perm())
            .header("Cache-Control", "no-cache")
    }

    fn read(&mut self, call: &Call) -> Answer {
        let name = match self.name(call) {
            Ok(name) => name,
            Err(answer) => return answer,
        };
        let wants_meta = call.header("x-get-meta").is_some();
        match self.files.get(&name) {
            None => Answer::text(404, "404 page not found\n"),
            Some(file) if wants_meta => self.with_meta(Answer::empty(200), file),
            Some(file) => self.with_meta(Answer::empty(200).body(&file.body), file),
        }
    }

    fn put(&mut self, call: &Call) -> Answer {
        match self.name(call) {
            Err(answer) => answer,
            Ok(_) if self.is_read_only && self.is_old => Answer::text(405, "Read-only mode"),
            Ok(name) if self.is_read_only => {
                Answer::text(403, &format!("read-only: cannot write {name}"))
            }
            Ok(name) => {
                self.write(&name, &call.body);
                let file = &self.files[&name];
                self.with_meta(Answer::empty(200).body("OK"), file)
            }
        }
    }

    fn delete(&mut self, call: &Call) -> Answer {
        match self.name(call) {
            Err(answer) => answer,
            Ok(name) if self.is_read_only => {
                Answer::text(403, &format!("read-only: cannot delete {name}"))
            }
            Ok(name) => match self.files.remove(&name) {
                Some(_) => Answer::text(200, "OK"),
                None => Answer::text(404, "404 page not found\n"),
            },
        }
    }

    fn config(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({"readOnly": self.is_read_only, "spaceFolderPath": "/space", "indexPage": "index", "logPush": false}),
        )
    }

    /// Runs `grep` of these options, or nothing.
    fn shell(&mut self, call: &Call) -> Answer {
        let result = |stdout: &str, stderr: &str, code: i32| json!({"stdout": stdout, "stderr": stderr, "code": code});
        if self.is_read_only || !self.has_shell {
            let why = match self.is_read_only {
                true => "Read-only mode",
                false => "Shell commands are disabled",
            };
            return Answer::json(405, &result("", why, -1));
        }
        let Some(request) = call.try_json() else {
            return Answer::json(400, &result("", "Invalid JSON", -1));
        };
        if request["cmd"] != "grep" {
            let why = "Not allowed, command not in whitelist";
            return Answer::json(200, &result("", why, -1));
        }
        let args: Vec<&str> = request["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        // Without `--` a text that begins with a dash would be an option.
        let Some(end) = args.iter().position(|arg| *arg == "--") else {
            return Answer::json(200, &result("", "grep: unrecognized option", 2));
        };
        let (options, [text, "."]) = (&args[..end], &args[end + 1..]) else {
            return Answer::json(
                200,
                &result("", "usage: grep [OPTION]... PATTERNS [FILE]...", 2),
            );
        };
        let has = |letter: char| {
            let mut short = options.iter().filter(|option| !option.starts_with("--"));
            short.any(|option| option.contains(letter))
        };
        assert!(
            has('r') && has('l') && has('F'),
            "the fake greps recursively for fixed strings and lists files: {options:?}"
        );
        let fold = |text: &str| match has('i') {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        let is_pages_only = options.contains(&"--include=*.md");
        let mut stdout = String::new();
        for (name, file) in &self.files {
            let body = String::from_utf8_lossy(&file.body);
            if (!is_pages_only || name.ends_with(".md")) && fold(&body).contains(&fold(text)) {
                stdout += &format!("./{name}\n");
            }
        }
        let code = i32::from(stdout.is_empty());
        Answer::json(200, &result(&stdout, "", code))
    }
}

impl Service for SilverBullet {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<SilverBullet>] = &[
        ("GET", "/.ping", |_, _| Answer::text(200, "OK")),
        ("GET", "/.config", SilverBullet::config),
        ("GET", "/.fs", SilverBullet::list),
        ("GET", "/.fs/{name:rest}", SilverBullet::read),
        ("PUT", "/.fs/{name:rest}", SilverBullet::put),
        ("DELETE", "/.fs/{name:rest}", SilverBullet::delete),
        ("POST", "/.shell", SilverBullet::shell),
        ("GET", "/", |_, _| page()),
        ("GET", "/{name:rest}", |_, _| page()),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let expected = format!("Bearer {TOKEN}");
        match call.header("authorization") {
            _ if call.path().ends_with("/.ping") => Ok(()),
            Some(given) if given == expected => Ok(()),
            _ if self.is_old => Err(Answer::empty(302).header("Location", "/.auth")),
            _ => Err(Answer::text(401, "Unauthorized").header("Location", "/.auth")),
        }
    }
}

/// Every other path shows the client.
fn page() -> Answer {
    Answer::new(
        200,
        "text/html",
        "<!DOCTYPE html><html><body>SilverBullet</body></html>",
    )
}
