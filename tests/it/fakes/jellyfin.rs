//! Jellyfin, from the controllers, models and authorisation of its source (12.0, August 2026).
//! There is no legacy authorisation: only the `Authorization` header and `?ApiKey=` are read.

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The API key it accepts.
pub const KEY: &str = "0f5c2a";

/// The session that plays something.
pub const SESSION: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// A media server.
pub struct Jellyfin {
    /// How often its library was asked to be scanned.
    pub scans: usize,
    /// What the session was told: messages and commands, in order.
    pub told: Vec<Value>,
}

impl Jellyfin {
    /// One with two films and one session.
    pub fn new() -> Jellyfin {
        Jellyfin {
            scans: 0,
            told: Vec::new(),
        }
    }

    fn info(&mut self, _: &Call) -> Answer {
        answer(&json!({
            "LocalAddress": "http://192.168.1.7:8096", "ServerName": "attic", "Version": "12.0.0", "ProductName": "Jellyfin Server",
            "OperatingSystem": "", "Id": "9f86d081884c7d659a2feaa0c55ad015", "StartupWizardCompleted": true,
            "OperatingSystemDisplayName": "", "PackageName": "docker", "HasPendingRestart": true, "IsShuttingDown": false,
            "SupportsLibraryMonitor": true, "WebSocketPortNumber": 8096, "CompletedInstallations": [], "CanSelfRestart": true,
            "CanLaunchWebBrowser": false, "ProgramDataPath": "/config", "WebPath": "/jellyfin/web", "ItemsByNamePath": "/config/metadata",
            "CachePath": "/cache", "LogPath": "/config/log", "InternalMetadataPath": "/config/metadata", "TranscodingTempPath": "/cache/transcodes",
            "CastReceiverApplications": [{"Id": "F007D354", "Name": "Stable"}], "HasUpdateAvailable": false,
            "EncoderLocation": "System", "SystemArchitecture": "X64",
        }))
    }

    fn sessions(&mut self, call: &Call) -> Answer {
        if call
            .query("activeWithinSeconds")
            .is_some_and(|it| it.parse::<i32>().is_err())
        {
            return problem("activeWithinSeconds");
        }
        answer(&json!([{
            "PlayState": {"PositionTicks": 36_000_000_000_u64, "CanSeek": true, "IsPaused": false, "IsMuted": false, "PlayMethod": "DirectPlay", "RepeatMode": "RepeatNone"},
            "AdditionalUsers": [], "Capabilities": {"PlayableMediaTypes": ["Video"], "SupportedCommands": ["DisplayMessage"]},
            "RemoteEndPoint": "192.168.1.20", "PlayableMediaTypes": ["Video"], "Id": SESSION, "UserId": "5a1b", "UserName": "ada",
            "Client": "Jellyfin Web", "LastActivityDate": "2026-11-20T20:15:00.1234567Z", "LastPlaybackCheckIn": "2026-11-20T20:15:00.1234567Z",
            "DeviceName": "Firefox", "DeviceId": "dev1", "ApplicationVersion": "12.0.0", "IsActive": true, "SupportsMediaControl": true,
            "SupportsRemoteControl": true, "HasCustomDeviceName": false, "ServerId": "9f86", "SupportedCommands": ["DisplayMessage"],
            "NowPlayingItem": {"Name": "The Heron", "Id": "f1", "Type": "Movie", "RunTimeTicks": 72_000_000_000_u64, "MediaStreams": [{"Codec": "hevc"}]},
            "TranscodingInfo": null, "NowPlayingQueue": [],
        }]))
    }

    fn items(&mut self, call: &Call) -> Answer {
        let Some(limit) = call
            .query("limit")
            .map_or(Some(100), |limit| limit.parse().ok())
        else {
            return problem("limit");
        };
        let film = |id: &str, name: &str, kind: &str, year: u16| {
            let mut item = json!({
                "Name": name, "ServerId": "9f86", "Id": id, "PremiereDate": format!("{year}-03-01T00:00:00.0000000Z"), "ProductionYear": year,
                "RunTimeTicks": 72_000_000_000_u64, "IsFolder": false, "Type": kind, "CommunityRating": 7.4, "OfficialRating": "PG",
                "UserData": {"PlayCount": 1, "Played": true}, "ImageTags": {"Primary": "abc"}, "BackdropImageTags": ["def"],
                "ImageBlurHashes": {"Primary": {"abc": "WOF"}}, "LocationType": "FileSystem", "MediaType": "Video",
            });
            // An API key is nobody's: without `userId` there is no user's data.
            if call.query("userId").is_none() {
                _ = item.as_object_mut().map(|item| item.remove("UserData"));
            }
            if call
                .query("fields")
                .is_some_and(|fields| fields.contains("Overview"))
            {
                item["Overview"] = json!("A bird stands in a river and waits.");
            }
            item
        };
        let all = [
            film("f1", "The Heron", "Movie", 2019),
            film("f2", "Herons of the North", "Series", 2023),
        ];
        let term = call.query("searchTerm").unwrap_or_default().to_lowercase();
        let kinds = call.query("includeItemTypes").unwrap_or_default();
        // Only what lies directly under the root, unless asked for: nothing.
        let is_deep = call.query("recursive").as_deref() == Some("true");
        let found: Vec<_> = all
            .into_iter()
            .filter(|item| {
                is_deep
                    && item["Name"]
                        .as_str()
                        .is_some_and(|name| name.to_lowercase().contains(&term))
            })
            .filter(|item| kinds.is_empty() || kinds.split(',').any(|kind| item["Type"] == kind))
            .collect();
        let shown: Vec<_> = found.iter().take(limit).collect();
        answer(&json!({"Items": shown, "TotalRecordCount": found.len(), "StartIndex": 0}))
    }

    fn refresh(&mut self, _: &Call) -> Answer {
        self.scans += 1;
        Answer::empty(204)
    }

    fn message(&mut self, call: &Call) -> Answer {
        // Model binding comes before the controller looks for the session.
        let body = call.try_json().unwrap_or_default();
        if body["Text"].as_str().is_none_or(str::is_empty) {
            return problem("Text");
        }
        self.tell(call, body)
    }

    fn command(&mut self, call: &Call) -> Answer {
        const COMMANDS: &[&str] = &[
            "Stop",
            "Pause",
            "Unpause",
            "NextTrack",
            "PreviousTrack",
            "Seek",
            "Rewind",
            "FastForward",
            "PlayPause",
        ];
        if !COMMANDS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(call.arg("command")))
        {
            return problem("command");
        }
        let seek = call.query("seekPositionTicks");
        self.tell(call, json!({"command": call.arg("command"), "seek": seek}))
    }

    fn tell(&mut self, call: &Call, what: Value) -> Answer {
        if call.arg("session") != SESSION {
            return Answer::text(404, "Error processing request.");
        }
        self.told.push(what);
        Answer::empty(204)
    }

    fn activity(&mut self, call: &Call) -> Answer {
        let Some(limit) = call
            .query("limit")
            .map_or(Some(100), |limit| limit.parse().ok())
        else {
            return problem("limit");
        };
        let entry = |id: u32, name: &str, kind: &str, severity: &str| {
            json!({"Id": id, "Name": name, "Overview": null, "ShortOverview": null, "Type": kind, "ItemId": null,
                "Date": "2026-11-20T20:10:00.0000000Z", "UserId": "5a1b", "UserPrimaryImageTag": null, "Severity": severity})
        };
        let all = [
            entry(
                2,
                "ada is playing The Heron on Firefox",
                "VideoPlayback",
                "Information",
            ),
            entry(
                1,
                "Failed login try from eve",
                "AuthenticationFailed",
                "Error",
            ),
        ];
        let shown: Vec<_> = all.iter().take(limit).collect();
        answer(&json!({"Items": shown, "TotalRecordCount": 2, "StartIndex": 0}))
    }
}

impl Service for Jellyfin {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<Jellyfin>] = &[
        ("GET", "/System/Info", Jellyfin::info),
        ("GET", "/Sessions", Jellyfin::sessions),
        ("GET", "/Items", Jellyfin::items),
        ("POST", "/Library/Refresh", Jellyfin::refresh),
        ("POST", "/Sessions/{session}/Message", Jellyfin::message),
        (
            "POST",
            "/Sessions/{session}/Playing/{command}",
            Jellyfin::command,
        ),
        ("GET", "/System/ActivityLog/Entries", Jellyfin::activity),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        let header = call.header("authorization").unwrap_or_default();
        let by_header = header.strip_prefix("MediaBrowser ").is_some_and(|fields| {
            let wanted = format!("Token=\"{KEY}\"");
            fields.split(',').any(|field| field.trim() == wanted)
        });
        match by_header || call.query("ApiKey").as_deref() == Some(KEY) {
            true => Ok(()),
            false => Err(Answer::empty(401)),
        }
    }

    fn unknown(&self, _: &Call) -> Answer {
        Answer::empty(404)
    }

    fn wrong_verb(&self, _: &Call) -> Answer {
        Answer::empty(405)
    }
}

fn answer(body: &Value) -> Answer {
    Answer::new(
        200,
        "application/json; profile=\"PascalCase\"",
        body.to_string(),
    )
}

/// A value that could not be bound.
fn problem(field: &str) -> Answer {
    let body = json!({
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": {field: [format!("The {field} field is required or not valid.")]},
        "traceId": "00-4bf92f3577b34da6a3ce929d0e0e4736-00",
    });
    Answer::new(
        400,
        "application/problem+json; charset=utf-8",
        body.to_string(),
    )
}
