//! The tools of `config/packs/paperless.toml` against a fake Paperless-ngx.

use crate::fakes::paperless::{Paperless, TOKEN};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<Paperless> {
    Rig::start(
        "services__paperless",
        Some(TOKEN),
        Upstream::start(Paperless::new()),
    )
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "r get_document",
        "r list_correspondents",
        "r list_document_types",
        "r list_tags",
        "r search_documents",
        "wi bulk_edit",
        "wi update_document",
    ];
    assert_eq!(rig().offers("paperless_"), expected);
}

#[test]
fn documents_are_searched_with_an_excerpt() {
    let mut rig = rig();
    let bill = json!({"id": 11, "title": "Water bill", "created": "2026-03-01", "correspondent": 2, "tags": [1], "pages": 2,
        "excerpt": "owe 12.30 for <span class=\"match\">water bill</span>"});
    let call = rig.expect_list(
        "paperless_search_documents",
        json!({"query": "water bill", "tag_id": 1}),
        "GET /api/documents/?query=water%20bill&tags__id__all=1&page_size=20",
        json!([bill]),
    );
    assert_eq!(
        call.header("authorization"),
        Some(format!("Token {TOKEN}").as_str())
    );
    assert_eq!(call.header("accept"), Some("application/json; version=9"));
    let one = rig.json("paperless_search_documents", json!({"limit": 1}));
    assert_eq!(
        (&one["shown"], &one["total"]),
        (&json!(1), &json!(3)),
        "{one}"
    );
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/documents/?ordering=-created&page_size=1"
    );
}

#[test]
fn the_version_may_be_another_and_a_wrong_one_is_said() {
    let start = |version: &'static str| {
        let option = ("APP_SERVICES__PAPERLESS__API_VERSION", version);
        Rig::start_with(
            "services__paperless",
            Some(TOKEN),
            Upstream::start(Paperless::new()),
            &[option],
        )
    };
    let mut ten = start("10");
    ten.json("paperless_list_tags", json!({}));
    assert_eq!(
        ten.upstream.only().header("accept"),
        Some("application/json; version=10")
    );
    let mut old = start("5");
    let told = old.failure("paperless_list_tags", json!({}));
    assert_eq!(
        told,
        "paperless_list_tags: Paperless-ngx answered 406: Invalid version in \"Accept\" header."
    );
}

#[test]
fn a_document_is_read_and_changed() {
    let mut rig = rig();
    rig.expect(
        "paperless_get_document",
        json!({"document_id": 13}),
        "GET /api/documents/13/",
        json!({"id": 13, "title": "Lease", "created": "2026-03-01", "added": "2026-03-02T09:00:00+01:00", "correspondent": 2, "tags": [1],
            "file": "scan.pdf", "pages": 2, "content": "This is a long lease."}),
    );
    let call = rig.expect(
        "paperless_update_document",
        json!({"document_id": 13, "title": "Lease 2026", "tags": [1, 4]}),
        "PATCH /api/documents/13/",
        json!({"id": 13, "title": "Lease 2026", "created": "2026-03-01", "correspondent": 2, "tags": [1, 4]}),
    );
    assert_eq!(call.json(), json!({"title": "Lease 2026", "tags": [1, 4]}));
    let told = rig.failure(
        "paperless_update_document",
        json!({"document_id": 13, "tags": [99]}),
    );
    assert_eq!(
        told,
        "paperless_update_document: Paperless-ngx answered 400: Invalid pk \"99\" - object does not exist."
    );
    for tool in ["paperless_get_document", "paperless_update_document"] {
        let told = rig.failure(tool, json!({"document_id": 7}));
        assert!(
            told.contains("no document 7, or the token may not see it"),
            "{told}"
        );
    }
}

#[test]
fn many_are_edited_at_once() {
    let mut rig = rig();
    for (method, parameters) in [
        ("add_tag", json!({"tag": 4})),
        ("remove_tag", json!({"tag": 4})),
        ("set_correspondent", json!({"correspondent": 4})),
        ("set_document_type", json!({"document_type": 4})),
        ("set_storage_path", json!({"storage_path": 4})),
    ] {
        let call = rig.expect_text(
            "paperless_bulk_edit",
            json!({"documents": [11, 12], "method": method, "id": 4}),
            "POST /api/documents/bulk_edit/",
            &format!("{method} 4 was begun."),
        );
        assert_eq!(
            call.json(),
            json!({"documents": [11, 12], "method": method, "parameters": parameters})
        );
    }
    let told = rig.failure(
        "paperless_bulk_edit",
        json!({"documents": [11, 99], "method": "add_tag", "id": 4}),
    );
    assert!(
        told.contains("answered 400: Some documents in documents don't exist"),
        "{told}"
    );
    rig.upstream
        .state(|paperless| assert_eq!(paperless.edits.len(), 5));
}

#[test]
fn lists_name_the_ids() {
    let mut rig = rig();
    let (bills, house) = (
        json!({"id": 1, "name": "Bills", "documents": 3, "inbox": false}),
        json!({"id": 4, "name": "House", "documents": 3, "inbox": false}),
    );
    rig.expect_list(
        "paperless_list_tags",
        json!({}),
        "GET /api/tags/?page_size=200",
        json!([bills, house]),
    );
    let one = rig.json("paperless_list_tags", json!({"limit": 1}));
    assert_eq!((&one["shown"], &one["total"]), (&json!(1), &json!(2)));
    rig.upstream.taken();
    rig.expect_list(
        "paperless_list_correspondents",
        json!({"query": "water"}),
        "GET /api/correspondents/?page_size=200&name__icontains=water",
        json!([{"id": 2, "name": "Water works", "documents": 2}]),
    );
    rig.expect_list(
        "paperless_list_document_types",
        json!({}),
        "GET /api/document_types/?page_size=200",
        json!([{"id": 5, "name": "Invoice", "documents": 0}]),
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let edit = json!({"documents": [1], "method": "add_tag", "id": 1});
    rig.expect_failures(
        &Answer::json(
            403,
            &json!({"detail": "You do not have permission to perform this action."}),
        ),
        "Paperless-ngx answered 403: You do not have permission to perform this action.",
        &[
            (
                "paperless_search_documents",
                json!({}),
                "GET",
                "/api/documents/",
            ),
            (
                "paperless_get_document",
                json!({"document_id": 1}),
                "GET",
                "/api/documents/1/",
            ),
            (
                "paperless_update_document",
                json!({"document_id": 1, "title": "x"}),
                "PATCH",
                "/api/documents/1/",
            ),
            (
                "paperless_bulk_edit",
                edit.clone(),
                "POST",
                "/api/documents/bulk_edit/",
            ),
            ("paperless_list_tags", json!({}), "GET", "/api/tags/"),
            (
                "paperless_list_correspondents",
                json!({}),
                "GET",
                "/api/correspondents/",
            ),
            (
                "paperless_list_document_types",
                json!({}),
                "GET",
                "/api/document_types/",
            ),
        ],
    );
    // A server whose paths lie elsewhere sends a write there: it is not sent again.
    rig.upstream.next(
        "POST",
        "/api/documents/bulk_edit/",
        Answer::empty(301).header("Location", "/paper/api/documents/bulk_edit/"),
    );
    let told = rig.failure("paperless_bulk_edit", edit);
    assert!(told.contains("301"), "{told}");
    assert_eq!(rig.upstream.lines(), ["POST /api/documents/bulk_edit/"]);
    let mut stranger = Rig::start(
        "services__paperless",
        None,
        Upstream::start(Paperless::new()),
    );
    let told = stranger.failure("paperless_list_tags", json!({}));
    assert_eq!(
        told,
        "paperless_list_tags: Paperless-ngx answered 401: Authentication credentials were not provided."
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    let edit =
        |documents: Value, method: &str| json!({"documents": documents, "method": method, "id": 1});
    rig().expect_refusals(&[
        (
            "paperless_search_documents",
            json!({"limit": 101}),
            "`limit`",
        ),
        (
            "paperless_get_document",
            json!({"document_id": 0}),
            "`document_id`",
        ),
        ("paperless_get_document", json!({}), "`document_id`"),
        (
            "paperless_update_document",
            json!({"document_id": 1, "created": "1 March"}),
            "`created`",
        ),
        (
            "paperless_update_document",
            json!({"document_id": 1, "tags": ["Bills"]}),
            "tags",
        ),
        (
            "paperless_bulk_edit",
            edit(json!([]), "add_tag"),
            "`documents`",
        ),
        (
            "paperless_bulk_edit",
            edit(json!([1]), "delete"),
            "`method`",
        ),
        ("paperless_list_tags", json!({"limit": 0}), "`limit`"),
        (
            "paperless_list_correspondents",
            json!({"name": "x"}),
            "`name`",
        ),
        (
            "paperless_list_document_types",
            json!({"limit": "all"}),
            "`limit`",
        ),
    ]);
}
