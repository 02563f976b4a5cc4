//! Immich, from the controllers and data types of its source (v3, August 2026).

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The key it accepts.
pub const KEY: &str = "Wq5v0sKq0Jm1";

/// The photo it knows.
pub const PHOTO: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

/// The album it has.
pub const ALBUM: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// A library.
pub struct Immich {
    /// What the key may do; another thing is 403.
    pub permissions: &'static [&'static str],
    /// Whether the machine learning that smart search needs is on.
    pub is_smart: bool,
    /// The albums.
    pub albums: Vec<Value>,
    /// The assets in each album.
    pub members: Vec<(String, String)>,
}

impl Immich {
    /// One whose key may do everything.
    pub fn new() -> Immich {
        let mut older = album("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "Summer before", 9);
        older["startDate"] = json!("2025-06-01T00:00:00.000Z");
        older["endDate"] = json!("2025-08-31T00:00:00.000Z");
        Immich {
            permissions: &[
                "asset.read",
                "album.read",
                "album.create",
                "albumAsset.create",
                "server.storage",
                "server.statistics",
            ],
            is_smart: true,
            albums: vec![older, album(ALBUM, "Summer", 2)],
            members: Vec::new(),
        }
    }

    fn allow(&self, permission: &str) -> Option<Answer> {
        let message = format!("Missing required permission: {permission}");
        (!self.permissions.contains(&permission)).then(|| error(403, &message))
    }

    fn search(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = self.allow("asset.read") {
            return refusal;
        }
        let Some(body) = call.try_json() else {
            return error(400, "Unexpected end of JSON input");
        };
        let is_smart = call.path().ends_with("/smart");
        if is_smart && !self.is_smart {
            return error(400, "Smart search is not enabled");
        }
        let size = match &body["size"] {
            Value::Null => 250,
            size => match size.as_u64().filter(|size| (1..=1000).contains(size)) {
                Some(size) => size,
                None => return invalid("size", "Too big: expected number to be <=1000"),
            },
        };
        for time in ["takenAfter", "takenBefore"] {
            if body[time]
                .as_str()
                .is_some_and(|time| !(time.contains('T') && time.ends_with('Z')))
            {
                return invalid(time, "Invalid ISO datetime");
            }
        }
        if !body["page"].is_null() && body["page"].as_u64().is_none() {
            return invalid("page", "Invalid input: expected number, received string");
        }
        let asset = |id: &str, name: &str, city: &str| {
            json!({
                "id": id, "createdAt": TIME, "deviceAssetId": "x", "ownerId": "o", "deviceId": "d", "libraryId": null, "type": "IMAGE",
                "originalPath": format!("/data/library/{name}"), "originalFileName": name, "originalMimeType": "image/jpeg", "thumbhash": "abc",
                "fileCreatedAt": TIME, "fileModifiedAt": TIME, "localDateTime": TIME, "updatedAt": TIME, "isFavorite": true, "isArchived": false,
                "isTrashed": false, "visibility": "timeline", "duration": null, "exifInfo": {"city": city, "country": "Norway", "make": "Fuji", "latitude": 60.39, "longitude": 5.32},
                "livePhotoVideoId": null, "people": [], "checksum": "c2hh", "isOffline": false, "hasMetadata": true, "duplicateId": null, "resized": true,
            })
        };
        let all = [
            asset(PHOTO, "IMG_0001.jpg", "Bergen"),
            asset(
                "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
                "IMG_0002.jpg",
                "Oslo",
            ),
        ];
        let found: Vec<_> = all
            .into_iter()
            .filter(|it| body["city"].is_null() || it["exifInfo"]["city"] == body["city"])
            .filter(|it| {
                body["originalFileName"].as_str().is_none_or(|name| {
                    it["originalFileName"]
                        .as_str()
                        .is_some_and(|it| it.contains(name))
                })
            })
            .map(|mut it| {
                if body["withExif"] != true {
                    _ = it.as_object_mut().map(|it| it.remove("exifInfo"));
                }
                it
            })
            .collect();
        let size = usize::try_from(size).unwrap_or(250);
        let page = body["page"]
            .as_u64()
            .and_then(|page| usize::try_from(page).ok())
            .unwrap_or(1)
            .max(1);
        let from = ((page - 1) * size).min(found.len());
        let shown = &found[from..(from + size).min(found.len())];
        let next = (from + size < found.len()).then(|| (page + 1).to_string());
        Answer::json(
            200,
            &json!({
                "albums": {"total": 0, "count": 0, "items": [], "facets": []},
                "assets": {"total": shown.len(), "count": shown.len(), "items": shown, "facets": [], "nextPage": next},
            }),
        )
    }

    fn list_albums(&mut self, _: &Call) -> Answer {
        self.allow("album.read")
            .unwrap_or_else(|| Answer::json(200, &json!(self.albums)))
    }

    fn create_album(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = self.allow("album.create") {
            return refusal;
        }
        let body = call.try_json().unwrap_or_default();
        let Some(name) = body["albumName"].as_str() else {
            return invalid(
                "albumName",
                "Invalid input: expected string, received undefined",
            );
        };
        let ids = body["assetIds"].as_array().map_or(0, Vec::len);
        let mut new = album("16fd2706-8baf-433b-82eb-8c7fada847da", name, ids);
        new["description"] = json!(body["description"].as_str().unwrap_or_default());
        self.albums.push(new.clone());
        Answer::json(201, &new)
    }

    fn add_assets(&mut self, call: &Call) -> Answer {
        if let Some(refusal) = self.allow("albumAsset.create") {
            return refusal;
        }
        if !self
            .albums
            .iter()
            .any(|album| album["id"] == call.arg("id"))
        {
            return error(400, "Not found or no albumAsset.create access");
        }
        let body = call.try_json().unwrap_or_default();
        let Some(ids) = body["ids"].as_array() else {
            return invalid("ids", "Invalid input: expected array, received undefined");
        };
        let results: Vec<_> = ids
            .iter()
            .map(|id| {
                let member = (
                    call.arg("id").to_owned(),
                    id.as_str().unwrap_or_default().to_owned(),
                );
                let problem = if id != PHOTO {
                    "no_permission"
                } else if self.members.contains(&member) {
                    "duplicate"
                } else {
                    self.members.push(member);
                    return json!({"id": id, "success": true});
                };
                json!({"id": id, "success": false, "error": problem})
            })
            .collect();
        // 200, whatever became of each.
        Answer::json(200, &json!(results))
    }

    fn storage(&mut self, _: &Call) -> Answer {
        let body = json!({"diskSize": "1.8 TiB", "diskUse": "900.1 GiB", "diskAvailable": "915.2 GiB", "diskSizeRaw": 1_979_120_929_996_u64,
            "diskUseRaw": 966_475_612_160_u64, "diskAvailableRaw": 982_688_677_888_u64, "diskUsagePercentage": 48.834});
        self.allow("server.storage")
            .unwrap_or_else(|| Answer::json(200, &body))
    }

    fn version(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({"major": 3, "minor": 0, "patch": 2, "prerelease": null}),
        )
    }

    fn statistics(&mut self, _: &Call) -> Answer {
        let user = json!({"userId": "o", "userName": "Ada", "photos": 1200, "videos": 30, "usage": 966_475_612_160_u64,
            "usagePhotos": 900_000_000_000_u64, "usageVideos": 66_475_612_160_u64, "quotaSizeInBytes": null});
        let body = json!({"photos": 1200, "videos": 30, "usage": 966_475_612_160_u64, "usagePhotos": 900_000_000_000_u64,
            "usageVideos": 66_475_612_160_u64, "usageByUser": [user]});
        self.allow("server.statistics")
            .unwrap_or_else(|| Answer::json(200, &body))
    }
}

impl Service for Immich {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Immich>] = &[
        ("POST", "/api/search/smart", Immich::search),
        ("POST", "/api/search/metadata", Immich::search),
        ("GET", "/api/albums", Immich::list_albums),
        ("POST", "/api/albums", Immich::create_album),
        ("PUT", "/api/albums/{id}/assets", Immich::add_assets),
        ("GET", "/api/server/storage", Immich::storage),
        ("GET", "/api/server/version", Immich::version),
        ("GET", "/api/server/statistics", Immich::statistics),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        match call.header("x-api-key") {
            _ if call.path() == "/api/server/version" => Ok(()),
            Some(KEY) => Ok(()),
            Some(_) => Err(error(401, "Invalid API key")),
            None => Err(error(401, "Authentication required")),
        }
    }

    fn unknown(&self, call: &Call) -> Answer {
        error(404, &format!("Cannot {} {}", call.method, call.path()))
    }

    fn wrong_verb(&self, call: &Call) -> Answer {
        self.unknown(call)
    }
}

const TIME: &str = "2026-07-12T14:30:00.000Z";

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}

fn invalid(member: &str, problem: &str) -> Answer {
    Answer::json(
        400,
        &json!({"message": "Validation failed", "errors": [{"code": "custom", "path": [member], "message": problem}]}),
    )
}

fn album(id: &str, name: &str, count: usize) -> Value {
    json!({
        "id": id, "albumName": name, "description": "", "createdAt": TIME, "updatedAt": TIME, "albumThumbnailAssetId": PHOTO, "shared": false,
        "albumUsers": [], "hasSharedLink": false, "assetCount": count, "lastModifiedAssetTimestamp": TIME, "startDate": TIME, "endDate": TIME,
        "isActivityEnabled": true, "order": "desc",
    })
}
