//! The tools of `config/packs/immich.toml` against a fake Immich.

use crate::fakes::immich::{ALBUM, Immich, KEY, PHOTO};
use crate::support::{Answer, Rig, Upstream, json};

fn rig() -> Rig<Immich> {
    rig_of(Immich::new())
}

fn rig_of(immich: Immich) -> Rig<Immich> {
    Rig::start("services__immich", Some(KEY), Upstream::start(immich))
}

#[test]
fn tools_and_their_hints() {
    // Searches are POST, and yet they only read.
    let expected = [
        "r get_statistics",
        "r get_storage",
        "r get_version",
        "r list_albums",
        "r search_metadata",
        "r search_smart",
        "w create_album",
        "wi add_to_album",
    ];
    assert_eq!(rig().offers("immich_"), expected);
}

#[test]
fn photos_are_found_and_come_without_their_fat() {
    let mut rig = rig();
    let bergen = json!({"id": PHOTO, "file": "IMG_0001.jpg", "type": "IMAGE", "taken": "2026-07-12T14:30:00.000Z",
        "city": "Bergen", "country": "Norway", "favorite": true});
    let call = rig.expect_list(
        "immich_search_smart",
        json!({"query": "boats in the rain", "city": "Bergen", "taken_after": "2026-07-01"}),
        "POST /api/search/smart",
        json!([bergen]),
    );
    assert_eq!(call.header("x-api-key"), Some(KEY));
    assert_eq!(
        call.json(),
        json!({"query": "boats in the rain", "city": "Bergen", "takenAfter": "2026-07-01T00:00:00Z", "size": 20, "page": 1, "withExif": true})
    );
    let call = rig.expect_list(
        "immich_search_metadata",
        json!({"file_name": "0001", "favorite": true, "type": "IMAGE", "taken_before": "2026-08-01T12:00:00+02:00"}),
        "POST /api/search/metadata",
        json!([bergen]),
    );
    assert_eq!(
        call.json(),
        json!({"originalFileName": "0001", "isFavorite": true, "type": "IMAGE", "takenBefore": "2026-08-01T10:00:00Z", "size": 20, "page": 1, "withExif": true})
    );
    let first = rig.json("immich_search_metadata", json!({"limit": 1}));
    assert_eq!(
        (&first["next_page"], &first["shown"]),
        (&json!("2"), &json!(1)),
        "{first}"
    );
    // What it says is next can be asked for as it is.
    let second = rig.json("immich_search_metadata", json!({"limit": 1, "page": "2"}));
    assert_eq!(
        (&second["items"][0]["city"], second.get("next_page")),
        (&json!("Oslo"), None)
    );
    assert_eq!(rig.upstream.taken()[1].json()["page"], 2);
}

#[test]
fn albums_are_made_and_filled() {
    let mut rig = rig();
    let time = "2026-07-12T14:30:00.000Z";
    rig.expect_list(
        "immich_list_albums",
        json!({"query": "summ"}),
        "GET /api/albums",
        // The newest first.
        json!([
            {"id": ALBUM, "name": "Summer", "assets": 2, "from": time, "to": time, "shared": false},
            {"id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "name": "Summer before", "assets": 9,
                "from": "2025-06-01T00:00:00.000Z", "to": "2025-08-31T00:00:00.000Z", "shared": false},
        ]),
    );
    let call = rig.expect(
        "immich_create_album",
        json!({"name": "Rain", "asset_ids": [PHOTO]}),
        "POST /api/albums",
        json!({"id": "16fd2706-8baf-433b-82eb-8c7fada847da", "name": "Rain", "assets": 1}),
    );
    assert_eq!(
        call.json(),
        json!({"albumName": "Rain", "assetIds": [PHOTO]})
    );

    // 200, whatever became of each.
    let other = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
    let both = json!({"album_id": ALBUM, "asset_ids": [PHOTO, other]});
    let line = format!("PUT /api/albums/{ALBUM}/assets");
    let refused = json!({"id": other, "added": false, "error": "no_permission"});
    let call = rig.expect_list(
        "immich_add_to_album",
        both.clone(),
        &line,
        json!([{"id": PHOTO, "added": true}, refused]),
    );
    assert_eq!(call.json(), json!({"ids": [PHOTO, other]}));
    let again = json!([{"id": PHOTO, "added": false, "error": "duplicate"}, refused]);
    rig.expect_list("immich_add_to_album", both, &line, again);
    let none = json!({"album_id": "16fd2706-8baf-433b-82eb-000000000000", "asset_ids": [PHOTO]});
    let told = rig.failure("immich_add_to_album", none);
    assert_eq!(
        told,
        "immich_add_to_album: Immich answered 400: Not found or no albumAsset.create access"
    );
}

#[test]
fn the_server_is_described() {
    let mut rig = rig();
    rig.expect(
        "immich_get_storage",
        json!({}),
        "GET /api/server/storage",
        json!({"size": "1.8 TiB", "used": "900.1 GiB", "free": "915.2 GiB", "percent": 48.8}),
    );
    rig.expect_text(
        "immich_get_version",
        json!({}),
        "GET /api/server/version",
        "3.0.2",
    );
    rig.expect(
        "immich_get_statistics",
        json!({}),
        "GET /api/server/statistics",
        json!({"photos": 1200, "videos": 30, "bytes": 966_475_612_160_u64,
            "users": [{"name": "Ada", "photos": 1200, "videos": 30, "bytes": 966_475_612_160_u64}]}),
    );
}

#[test]
fn what_the_key_may_not_is_named() {
    let mut rig = rig_of(Immich {
        permissions: &["asset.read"],
        is_smart: false,
        ..Immich::new()
    });
    for (tool, arguments, permission) in [
        ("immich_list_albums", json!({}), "album.read"),
        ("immich_create_album", json!({"name": "x"}), "album.create"),
        (
            "immich_add_to_album",
            json!({"album_id": ALBUM, "asset_ids": [PHOTO]}),
            "albumAsset.create",
        ),
        ("immich_get_storage", json!({}), "server.storage"),
        ("immich_get_statistics", json!({}), "server.statistics"),
    ] {
        let told = rig.failure(tool, arguments);
        assert_eq!(
            told,
            format!("{tool}: Immich answered 403: Missing required permission: {permission}")
        );
    }
    let told = rig.failure("immich_search_smart", json!({"query": "x"}));
    assert_eq!(
        told,
        "immich_search_smart: Immich answered 400: Smart search is not enabled"
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let assets = format!("/api/albums/{ALBUM}/assets");
    rig.expect_failures(
        &Answer::json(500, &json!({"message": "Internal server error"})),
        "Immich answered 500: Internal server error",
        &[
            (
                "immich_search_smart",
                json!({"query": "x"}),
                "POST",
                "/api/search/smart",
            ),
            (
                "immich_search_metadata",
                json!({}),
                "POST",
                "/api/search/metadata",
            ),
            ("immich_list_albums", json!({}), "GET", "/api/albums"),
            (
                "immich_create_album",
                json!({"name": "x"}),
                "POST",
                "/api/albums",
            ),
            (
                "immich_add_to_album",
                json!({"album_id": ALBUM, "asset_ids": [PHOTO]}),
                "PUT",
                &assets,
            ),
            (
                "immich_get_storage",
                json!({}),
                "GET",
                "/api/server/storage",
            ),
            (
                "immich_get_version",
                json!({}),
                "GET",
                "/api/server/version",
            ),
            (
                "immich_get_statistics",
                json!({}),
                "GET",
                "/api/server/statistics",
            ),
        ],
    );
    let invalid = json!({"message": "Validation failed", "errors": [{"code": "custom", "path": ["size"], "message": "Too big"}]});
    rig.expect_failures(
        &Answer::json(400, &invalid),
        "Immich answered 400: Too big",
        &[(
            "immich_search_metadata",
            json!({}),
            "POST",
            "/api/search/metadata",
        )],
    );
    let mut stranger = Rig::start(
        "services__immich",
        Some("nobody"),
        Upstream::start(Immich::new()),
    );
    let told = stranger.failure("immich_list_albums", json!({}));
    assert_eq!(
        told,
        "immich_list_albums: Immich answered 401: Invalid API key"
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("immich_search_smart", json!({}), "`query`"),
        (
            "immich_search_smart",
            json!({"query": "x", "limit": 251}),
            "`limit`",
        ),
        (
            "immich_search_metadata",
            json!({"taken_after": "last summer"}),
            "taken_after",
        ),
        ("immich_search_metadata", json!({"type": "AUDIO"}), "`type`"),
        ("immich_list_albums", json!({"limit": 0}), "`limit`"),
        ("immich_create_album", json!({"name": ""}), "`name`"),
        (
            "immich_add_to_album",
            json!({"album_id": "summer", "asset_ids": [PHOTO]}),
            "`album_id`",
        ),
        (
            "immich_add_to_album",
            json!({"album_id": ALBUM, "asset_ids": []}),
            "`asset_ids`",
        ),
        ("immich_get_storage", json!({"x": 1}), "`x`"),
        ("immich_get_version", json!({"x": 1}), "`x`"),
        ("immich_get_statistics", json!({"x": 1}), "`x`"),
    ]);
}
