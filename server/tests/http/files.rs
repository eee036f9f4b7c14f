//! Private files: `/api/me/files`.

use axum::{body::Body, http::StatusCode};
use image::{GenericImageView as _, ImageFormat};
use serde_json::{Value, json};

use crate::{
    app::{App, Response, START, Tokens},
    pictures::{bomb, located, noise, objects, picture, seen},
};

async fn keep(app: &App, pair: &Tokens, name: &str, body: impl Into<Body>) -> Response {
    app.post(&format!("/api/me/files?name={name}")).bearer(&pair.access).body(body).send().await
}

async fn list(app: &App, pair: &Tokens, query: &str) -> Value {
    let response = app.get(&format!("/api/me/files{query}")).bearer(&pair.access).send().await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    response.json()
}

async fn open(app: &App, pair: &Tokens, query: &str) -> Response {
    app.get(&format!("/api/me/file?{query}")).bearer(&pair.access).send().await
}

async fn remove(app: &App, pair: &Tokens, query: &str) -> Response {
    app.delete(&format!("/api/me/files?{query}")).bearer(&pair.access).send().await
}

fn id(response: &Response) -> String {
    response.json()["file"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", response.text()))
        .to_owned()
}

#[tokio::test]
async fn file_upload_keeps_the_original_and_adds_a_thumbnail() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let sent = located();
    let response = keep(&app, &pair, "%E5%A4%8F%20..%2F..%2Fx.png", sent.clone()).await;
    assert_eq!(response.status, StatusCode::CREATED, "{}", response.text());
    let id = id(&response);
    let expected = json!({
        "id": id, "name": "x.png.jpg", "size": sent.len(), "width": 640, "height": 480, "type": "image/jpeg",
        "created_at": START,
    });
    assert_eq!(response.json()["file"], expected);
    let app = app.restart().await;
    let listed = list(&app, &pair, "").await;
    assert_eq!((&listed["files"], &listed["next"]), (&json!([expected]), &Value::Null));
    let full = open(&app, &pair, &format!("id={id}")).await;
    assert_eq!(full.bytes, sent, "it is theirs, with all that it says");
    for (name, value) in [
        ("content-type", "image/jpeg"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "attachment; filename=\"x.png.jpg\"; filename*=UTF-8''x.png.jpg"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ] {
        assert_eq!(full.header(name), Some(value));
    }
    let thumbnail = open(&app, &pair, &format!("id={id}&size=thumb")).await;
    assert_eq!(seen(&thumbnail.bytes).dimensions(), (512, 384));
    assert_eq!(listed["used"], sent.len() + thumbnail.bytes.len());
    assert_eq!(listed["total"], 1);
    let removed = remove(&app, &pair, &format!("id={id}")).await;
    assert_eq!(
        (removed.status, &removed.json()["message"]),
        (StatusCode::OK, &json!("File deleted"))
    );
    assert_eq!(list(&app, &pair, "").await["used"], 0);
    assert_eq!(objects(&app), Vec::<String>::new());
}

#[tokio::test]
async fn file_list_is_paginated_newest_first() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let mut ids = Vec::new();
    for side in 1..6 {
        app.clock.advance(1);
        ids.insert(0, id(&keep(&app, &pair, "x", picture(ImageFormat::Png, side, side)).await));
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    let mut pages = 0;
    loop {
        let page = list(&app, &pair, &query).await;
        seen.extend(
            page["files"]
                .as_array()
                .unwrap()
                .iter()
                .map(|file| file["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!((seen, pages), (ids, 3));
    for query in ["?limit=x", "?after=1", "?limit=-1", "?limit=0", "?limit=101"] {
        let response = app.get(&format!("/api/me/files{query}")).bearer(&pair.access).send().await;
        response.assert_failure(400, "bad_request");
    }
}

#[tokio::test]
async fn invariant_41_file_of_another_user_is_not_found() {
    let app = App::start().await;
    let (alice, bertha) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    let theirs = id(&keep(&app, &alice, "x", picture(ImageFormat::Png, 9, 9)).await);
    let unknown = "01900000-0000-7000-8000-000000000000";
    for (another, none) in [
        (
            open(&app, &bertha, &format!("id={theirs}")).await,
            open(&app, &bertha, &format!("id={unknown}")).await,
        ),
        (
            open(&app, &bertha, &format!("id={theirs}&size=thumb")).await,
            open(&app, &bertha, &format!("id={unknown}&size=thumb")).await,
        ),
        (
            remove(&app, &bertha, &format!("id={theirs}")).await,
            remove(&app, &bertha, &format!("id={unknown}")).await,
        ),
    ] {
        another.assert_failure(404, "not_found");
        assert_eq!(another.comparable(), none.comparable());
    }
    assert_eq!(list(&app, &bertha, &format!("?user={theirs}")).await["files"], json!([]));
    assert_eq!(open(&app, &alice, &format!("id={theirs}")).await.status, StatusCode::OK);
    for rubbish in ["id=x", "", "id=", &format!("id={theirs}&size=huge")] {
        open(&app, &alice, rubbish).await.assert_failure(400, "bad_request");
    }
    remove(&app, &alice, "id=x").await.assert_failure(400, "bad_request");
}

#[tokio::test]
async fn file_upload_twice_at_once_exceeds_the_quota_once() {
    let sent = noise(300_000);
    let app = App::with(&[("FILES_QUOTA_BYTES", "700000")]).await;
    let pair = app.register_and_login("alice").await;
    assert_eq!(keep(&app, &pair, "first", sent.clone()).await.status, StatusCode::CREATED);
    let used = list(&app, &pair, "").await["used"].as_i64().unwrap();
    let room = 700_000 - used;
    assert!(room > used / 2 && room < used * 2, "room for one more: {used}");
    let (one, other) =
        tokio::join!(keep(&app, &pair, "a", sent.clone()), keep(&app, &pair, "b", sent.clone()));
    let (kept, refused) =
        if one.status == StatusCode::CREATED { (one, other) } else { (other, one) };
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.text());
    refused.assert_failure(413, "payload_too_large");
    assert_eq!(objects(&app).len(), 4, "nothing of the other one stays");
    assert_eq!(list(&app, &pair, "").await["files"].as_array().unwrap().len(), 2);
    // Each user has a quota, and deletion frees space.
    let bertha = app.register_and_login("bertha").await;
    assert_eq!(keep(&app, &bertha, "x", sent.clone()).await.status, StatusCode::CREATED);
    remove(&app, &pair, &format!("id={}", id(&kept))).await;
    assert_eq!(keep(&app, &pair, "again", sent).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn file_upload_of_other_content_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    keep(&app, &pair, "x.png", "<!DOCTYPE html>")
        .await
        .assert_failure(415, "unsupported_media_type");
    let response = keep(&app, &pair, "x.png", bomb()).await;
    response.assert_failure(400, "validation_failed");
    assert!(response.json()["fields"]["file"].is_string());
    keep(&app, &pair, "x.png", noise(5_300_000)).await.assert_failure(413, "payload_too_large");
    assert_eq!(objects(&app), Vec::<String>::new());
    assert_eq!(list(&app, &pair, "").await["files"], json!([]));
}

#[tokio::test]
async fn file_upload_to_a_full_disk_is_503_and_keeps_nothing() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let folder = app.folder.path().join("data/objects/files");
    std::fs::write(&folder, "a file in its place").unwrap();
    keep(&app, &pair, "x", picture(ImageFormat::Png, 9, 9))
        .await
        .assert_failure(503, "unavailable");
    assert_eq!(list(&app, &pair, "").await["used"], 0);
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(
        keep(&app, &pair, "x", picture(ImageFormat::Png, 9, 9)).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn orphan_sweep_after_a_crash_deletes_orphans_only() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    keep(&app, &pair, "x", picture(ImageFormat::Png, 9, 9)).await;
    let kept = objects(&app);
    // An orphan, as after a kill between writing the file and the database.
    let keys = ["files/somebody/half", "files/somebody/half-small.jpg"].map(str::to_owned).to_vec();
    app.server.store.mark_pending(keys, START + 3600).await.unwrap();
    let folder = app.folder.path().join("data/objects/files/somebody");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("half"), "bytes").unwrap();
    let app = app.restart().await;
    app.clock.advance(3599);
    app.server.state.files.sweep().await.unwrap();
    assert_eq!(objects(&app).len(), kept.len() + 1, "it may still be on its way");
    app.clock.advance(1);
    app.server.state.files.sweep().await.unwrap();
    assert_eq!(objects(&app), kept);
    assert_eq!(
        app.server.store.orphaned_objects(i64::MAX, 10).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn file_upload_beyond_the_file_limit_is_refused_also_concurrently() {
    let app = App::with(&[("FILES_MAX", "2")]).await;
    let pair = app.register_and_login("alice").await;
    let sent = picture(ImageFormat::Png, 9, 9);
    let first = keep(&app, &pair, "first", sent.clone()).await;
    let (one, other) =
        tokio::join!(keep(&app, &pair, "a", sent.clone()), keep(&app, &pair, "b", sent.clone()));
    let refused = if one.status == StatusCode::CREATED { other } else { one };
    refused.assert_failure(413, "payload_too_large");
    assert_eq!(
        refused.json()["message"],
        "You can keep at most 2 files: delete some of them first"
    );
    assert_eq!(
        (list(&app, &pair, "").await["files"].as_array().unwrap().len(), objects(&app).len()),
        (2, 4)
    );
    remove(&app, &pair, &format!("id={}", id(&first))).await;
    assert_eq!(keep(&app, &pair, "again", sent).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn orphan_sweep_without_restart_removes_unfinished_uploads() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    keep(&app, &pair, "x", picture(ImageFormat::Png, 9, 9)).await;
    let kept = objects(&app);
    let unfinished = format!("{}#1", kept[0]);
    let file = std::fs::File::create(&unfinished).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(START.unsigned_abs()))
        .unwrap();
    app.clock.advance(3_599);
    app.server.state.files.sweep().await.unwrap();
    assert_eq!(objects(&app).len(), kept.len() + 1, "another process may be writing it");
    app.clock.advance(1);
    app.server.state.files.sweep().await.unwrap();
    assert_eq!(objects(&app), kept);
}
