//! The tools of `config/packs/jellyfin.toml` against a fake Jellyfin 12.

use crate::fakes::jellyfin::{Jellyfin, KEY, SESSION};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<Jellyfin> {
    Rig::start(
        "services__jellyfin",
        Some(KEY),
        Upstream::start(Jellyfin::new()),
    )
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "r get_system_info",
        "r list_activity",
        "r list_sessions",
        "r search_items",
        "w control_playback",
        "w send_message",
        "wi refresh_library",
    ];
    assert_eq!(rig().offers("jellyfin_"), expected);
}

#[test]
fn the_key_goes_by_the_one_header_that_stays() {
    let mut rig = rig();
    let call = rig.expect(
        "jellyfin_get_system_info",
        json!({}),
        "GET /System/Info",
        json!({"name": "attic", "version": "12.0.0", "restart_pending": true, "update_available": false,
            "shutting_down": false, "address": "http://192.168.1.7:8096", "package": "docker"}),
    );
    assert_eq!(
        call.header("authorization"),
        Some("MediaBrowser Token=\"0f5c2a\"")
    );
    assert!(
        !call
            .headers
            .iter()
            .any(|(name, _)| name.to_lowercase().starts_with("x-emby"))
    );

    let mut stranger = Rig::start(
        "services__jellyfin",
        Some("wrong"),
        Upstream::start(Jellyfin::new()),
    );
    let told = stranger.failure("jellyfin_get_system_info", json!({}));
    assert!(
        told.starts_with("jellyfin_get_system_info: Jellyfin answered 401"),
        "{told}"
    );
}

#[test]
fn sessions_show_what_plays() {
    let mut rig = rig();
    rig.expect_list(
        "jellyfin_list_sessions",
        json!({"active_within": "5m", "playing_only": true}),
        "GET /Sessions?activeWithinSeconds=300",
        json!([{
            "session_id": SESSION, "user": "ada", "client": "Jellyfin Web", "device": "Firefox", "last_active": "2026-11-20T20:15:00.1234567Z",
            "playing": {"id": "f1", "name": "The Heron", "type": "Movie", "length_ticks": 72_000_000_000_u64},
            "position_ticks": 36_000_000_000_u64, "paused": false, "play_method": "DirectPlay", "remote_control": true,
        }]),
    );
}

#[test]
fn items_are_searched_everywhere() {
    let mut rig = rig();
    let heron = json!({"id": "f1", "name": "The Heron", "type": "Movie", "year": 2019, "rating": 7.4, "age": "PG"});
    rig.expect_list(
        "jellyfin_search_items",
        json!({"query": "the heron"}),
        "GET /Items?searchTerm=the%20heron&includeItemTypes=Movie%2CSeries&recursive=true&limit=20",
        json!([heron]),
    );
    let found = rig.json(
        "jellyfin_search_items",
        json!({"query": "heron", "types": ["Series"], "overview": true}),
    );
    assert_eq!(
        found["items"][0]["overview"],
        "A bird stands in a river and waits."
    );
    let call = rig.upstream.only();
    assert_eq!(call.query("includeItemTypes").as_deref(), Some("Series"));
    assert_eq!(call.query("fields").as_deref(), Some("Overview"));
    let user = ("APP_SERVICES__JELLYFIN__USER_ID", "5a1b");
    let jellyfin = Upstream::start(Jellyfin::new());
    let mut ada = Rig::start_with("services__jellyfin", Some(KEY), jellyfin, &[user]);
    let found = ada.json("jellyfin_search_items", json!({}));
    assert_eq!(found["items"][0]["watched"], true, "{found}");
    assert_eq!(ada.upstream.only().query("userId").as_deref(), Some("5a1b"));
    let one = rig.json(
        "jellyfin_search_items",
        json!({"query": "heron", "limit": 1}),
    );
    assert_eq!(
        (&one["shown"], &one["total"]),
        (&json!(1), &json!(2)),
        "{one}"
    );
}

#[test]
fn players_are_told_and_the_library_is_scanned() {
    let mut rig = rig();
    let call = rig.expect_text(
        "jellyfin_send_message",
        json!({"session_id": SESSION, "text": "Dinner!", "header": "Kitchen", "seconds": 5}),
        &format!("POST /Sessions/{SESSION}/Message"),
        "Shown.",
    );
    assert_eq!(
        call.json(),
        json!({"Header": "Kitchen", "Text": "Dinner!", "TimeoutMs": 5000})
    );
    let call = rig.expect_text(
        "jellyfin_control_playback",
        json!({"session_id": SESSION, "command": "Pause"}),
        &format!("POST /Sessions/{SESSION}/Playing/Pause"),
        "Pause was sent.",
    );
    assert!(call.body.is_empty());
    rig.expect_text(
        "jellyfin_refresh_library",
        json!({}),
        "POST /Library/Refresh",
        "The scan has started.",
    );
    rig.upstream.state(|it| {
        assert_eq!((it.scans, it.told.len()), (1, 2));
        assert_eq!(it.told[1], json!({"command": "Pause", "seek": Value::Null}));
    });
    for (tool, arguments) in [
        (
            "jellyfin_send_message",
            json!({"session_id": "abc", "text": "x"}),
        ),
        (
            "jellyfin_control_playback",
            json!({"session_id": "abc", "command": "Stop"}),
        ),
    ] {
        let told = rig.failure(tool, arguments);
        assert!(
            told.contains("no session `abc`; see jellyfin_list_sessions"),
            "{told}"
        );
    }
}

#[test]
fn activity_is_listed() {
    let mut rig = rig();
    let found = rig.json(
        "jellyfin_list_activity",
        json!({"since": "2026-11-20", "limit": 1}),
    );
    assert_eq!(
        rig.upstream.only().line(),
        "GET /System/ActivityLog/Entries?limit=1&minDate=2026-11-20T00%3A00%3A00Z"
    );
    assert_eq!(
        found["items"],
        json!([{"date": "2026-11-20T20:10:00.0000000Z", "name": "ada is playing The Heron on Firefox", "type": "VideoPlayback", "severity": "Information"}])
    );
    assert_eq!((&found["shown"], &found["total"]), (&json!(1), &json!(2)));
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let message = format!("/Sessions/{SESSION}/Message");
    let playing = format!("/Sessions/{SESSION}/Playing/Stop");
    rig.expect_failures(
        &Answer::text(500, "Error processing request."),
        "Jellyfin answered 500: Error processing request.",
        &[
            ("jellyfin_get_system_info", json!({}), "GET", "/System/Info"),
            ("jellyfin_list_sessions", json!({}), "GET", "/Sessions"),
            ("jellyfin_search_items", json!({}), "GET", "/Items"),
            (
                "jellyfin_refresh_library",
                json!({}),
                "POST",
                "/Library/Refresh",
            ),
            (
                "jellyfin_send_message",
                json!({"session_id": SESSION, "text": "x"}),
                "POST",
                &message,
            ),
            (
                "jellyfin_control_playback",
                json!({"session_id": SESSION, "command": "Stop"}),
                "POST",
                &playing,
            ),
            (
                "jellyfin_list_activity",
                json!({}),
                "GET",
                "/System/ActivityLog/Entries",
            ),
        ],
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("jellyfin_get_system_info", json!({"x": 1}), "`x`"),
        (
            "jellyfin_list_sessions",
            json!({"active_within": "long"}),
            "active_within",
        ),
        ("jellyfin_search_items", json!({"types": ["Film"]}), "types"),
        ("jellyfin_search_items", json!({"limit": 201}), "`limit`"),
        ("jellyfin_refresh_library", json!({"x": 1}), "`x`"),
        (
            "jellyfin_send_message",
            json!({"session_id": "a/../b", "text": "x"}),
            "`session_id`",
        ),
        (
            "jellyfin_send_message",
            json!({"session_id": "a"}),
            "`text`",
        ),
        (
            "jellyfin_control_playback",
            json!({"session_id": "a", "command": "Eject"}),
            "`command`",
        ),
        ("jellyfin_list_activity", json!({"since": "then"}), "since"),
    ]);
}
