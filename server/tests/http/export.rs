//! Data export: `GET /api/me/export`.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

use axum::http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use image::ImageFormat;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use zip::ZipArchive;

use crate::{
    app::{App, Tokens},
    pictures::{located, picture, seen},
};

async fn archive(app: &App, pair: &Tokens) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip(app, pair).await;
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        entries.insert(entry.name().unwrap().into_owned(), bytes);
    }
    entries
}

async fn zip(app: &App, pair: &Tokens) -> ZipArchive<Cursor<Vec<u8>>> {
    let response = app.get("/api/me/export").bearer(&pair.access).send().await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/zip"));
    let disposition = response.header("content-disposition").unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"gatehouse-")
            && disposition.ends_with("-2027-01-15.zip"),
        "{disposition}"
    );
    assert_eq!(response.header("content-length"), Some(response.bytes.len().to_string().as_str()));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    ZipArchive::new(Cursor::new(response.bytes)).unwrap()
}

#[tokio::test]
async fn export_contains_all_data_of_the_user_and_none_of_others() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let bertha = app.register_and_login("bertha").await;
    let sent = located();
    for (name, body) in
        [("Sommer.jpg", sent.clone()), ("Sommer.jpg", picture(ImageFormat::Jpeg, 9, 9))]
    {
        let call = app.post(&format!("/api/me/files?name={name}")).bearer(&pair.access).body(body);
        assert_eq!(call.send().await.status, StatusCode::CREATED);
        app.clock.advance(1);
    }
    let other = app.post("/api/me/files?name=theirs.png").bearer(&bertha.access);
    other.body(picture(ImageFormat::Png, 9, 9)).send().await;
    let avatar = app.call(Method::PUT, "/api/me/avatar").bearer(&pair.access).body(picture(
        ImageFormat::Png,
        20,
        20,
    ));
    assert_eq!(avatar.send().await.status, StatusCode::OK);

    let entries = archive(&app, &pair).await;
    let names: Vec<_> = entries.keys().map(String::as_str).collect();
    let expected =
        ["account.json", "files/Sommer (2).jpg", "files/Sommer.jpg", "index.html", "picture.jpg"];
    assert_eq!(names, expected);
    assert_eq!(entries["files/Sommer (2).jpg"], sent, "the newest has the plain name");
    assert_eq!(seen(&entries["picture.jpg"]).width(), 20);
    let document: Value = serde_json::from_slice(&entries["account.json"]).unwrap();
    assert_eq!(document["exported_at"], "2027-01-15T08:00:02Z");
    assert_eq!(
        (&document["account"]["username"], &document["account"]["picture"]),
        (&json!("alice"), &json!("picture.jpg"))
    );
    assert_eq!(document["files"][1]["path"], "files/Sommer (2).jpg");
    assert_eq!(document["sessions"].as_array().unwrap().len(), 1);
    let events: Vec<_> =
        document["events"].as_array().unwrap().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(events, ["registered", "logged_in", "profile_changed"]);
    let text = document.to_string();
    assert!(
        !text.contains("argon2") && !text.contains("bertha") && !text.contains("theirs"),
        "{text}"
    );

    let entries = app.server.store.audit_entries().await.unwrap();
    let exported: Vec<_> = entries.iter().filter(|entry| entry.event == "exported").collect();
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0].user.unwrap().to_string(), document["account"]["id"].as_str().unwrap());
}

#[tokio::test]
async fn export_entries_have_the_time_of_their_content() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let body = picture(ImageFormat::Png, 9, 9);
    app.post("/api/me/files?name=a.png").bearer(&pair.access).body(body).send().await;
    app.clock.advance(100);
    let mut archive = zip(&app, &pair).await;
    let mut time = |name: &str| {
        archive.by_name(name).unwrap().last_modified().map(|time| time.to_string()).unwrap()
    };
    assert_eq!(time("files/a.png"), "2027-01-15 08:00:00");
    assert_eq!(time("account.json"), "2027-01-15 08:01:40");
    assert_eq!(time("index.html"), "2027-01-15 08:01:40");
}

#[tokio::test]
async fn export_page_shows_the_data_as_text_in_the_language_of_the_request() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let nickname = json!({ "nickname": "<script>alert(1)</script>" });
    let call = app.call(Method::PATCH, "/api/me").bearer(&pair.access).json(&nickname);
    assert_eq!(call.send().await.status, StatusCode::OK);
    let body = picture(ImageFormat::Png, 9, 9);
    app.post("/api/me/files?name=100%25%231.png").bearer(&pair.access).body(body).send().await;
    let entries = archive(&app, &pair).await;
    let page = String::from_utf8(entries["index.html"].clone()).unwrap();
    assert!(!page.contains("<script"), "{page}");
    for part in [
        "<html lang=\"en\">",
        "Your Gatehouse data",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "href=\"files/100%25%231.png\"",
        ">100%#1.png</a>",
        "<td>logged_in",
        "account.json",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let call = app.get("/api/me/export").bearer(&pair.access).header("accept-language", "zh");
    let response = call.send().await;
    let mut archive = ZipArchive::new(Cursor::new(response.bytes)).unwrap();
    let mut page = String::new();
    archive.by_name("index.html").unwrap().read_to_string(&mut page).unwrap();
    assert!(page.contains("<html lang=\"zh\">") && page.contains("最近活动记录"), "{page}");
}

#[tokio::test]
async fn invariant_20_export_requires_fresh_token() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let refreshed = app.refresh(&pair.refresh).await.pair();
    let response = app.get("/api/me/export").bearer(&refreshed.access).send().await;
    response.assert_failure(401, "fresh_required");
    assert_eq!(app.get("/api/me/export").bearer(&pair.access).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn export_twice_at_once_is_refused_and_leaves_no_file() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let request = axum::http::Request::get("/api/me/export")
        .header("authorization", format!("Bearer {}", pair.access));
    let first = app.server.router(axum::Router::new());
    let first = first.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let again = app.get("/api/me/export").bearer(&pair.access).send().await;
    again.assert_failure(429, "too_many_attempts");
    let bertha = app.register_and_login("bertha").await;
    archive(&app, &bertha).await;
    let before = std::fs::read_dir(app.folder.path().join("data")).unwrap().count();
    // An archive being fetched has no name. The objects; with SQLite also the database with its
    // journal and its lock, and the keys.
    assert_eq!(before, if app.is_on_postgres() { 1 } else { 6 });
    assert!(first.into_body().collect().await.unwrap().to_bytes().starts_with(b"PK"));
    archive(&app, &pair).await;
    // A disconnect releases the permit, too.
    let request = axum::http::Request::get("/api/me/export")
        .header("authorization", format!("Bearer {}", pair.access));
    let router = app.server.router(axum::Router::new());
    drop(router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap());
    archive(&app, &pair).await;
}

#[tokio::test]
async fn export_file_names_are_portable_and_unique() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let names = [
        "CON.png",
        "aux.png",
        "x.png",
        "X.PNG",
        "e%CC%81.png",
        "%C3%89.png",
        "a%3Ab%3F.png",
        "trail%20.%20.png",
    ];
    for name in names {
        let call = app.post(&format!("/api/me/files?name={name}")).bearer(&pair.access);
        assert_eq!(
            call.body(picture(ImageFormat::Png, 9, 9)).send().await.status,
            StatusCode::CREATED
        );
        app.clock.advance(1);
    }
    let entries = archive(&app, &pair).await;
    let mut names: Vec<_> = entries.keys().filter_map(|path| path.strip_prefix("files/")).collect();
    names.sort_unstable();
    let expected = [
        "X.PNG",
        "_CON.png",
        "_aux.png",
        "a_b_.png",
        "trail.png",
        "x (2).png",
        "\u{c9}.png",
        "\u{e9} (2).png",
    ];
    assert_eq!(names, expected);
    let document: Value = serde_json::from_slice(&entries["account.json"]).unwrap();
    let mut paths: Vec<_> = document["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, expected.map(|name| format!("files/{name}")));
}

#[tokio::test]
async fn export_beyond_the_concurrency_limit_is_503() {
    let app = App::with(&[("EXPORTS_MAX", "1")]).await;
    let (alice, bertha) =
        (app.register_and_login("alice").await, app.register_and_login("bertha").await);
    let request = axum::http::Request::get("/api/me/export")
        .header("authorization", format!("Bearer {}", alice.access));
    let router = app.server.router(axum::Router::new());
    let first = router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let refused = app.get("/api/me/export").bearer(&bertha.access).send().await;
    refused.assert_failure(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("10"));
    drop(first);
    archive(&app, &bertha).await;
}

#[tokio::test]
async fn export_of_many_events_and_sessions_contains_each() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let me = app.me(&pair.access).await.json();
    let user: uuid::Uuid = me["id"].as_str().unwrap().parse().unwrap();
    for number in 0..1_100 {
        let entry = server::store::AuditEntry {
            user: Some(user),
            detail: Some(format!("\"{number}\"\n")),
            ..server::store::AuditEntry::of(
                server::store::Event::ProfileChanged,
                1_800_000_000,
                ::app::backend::ClientInfo::default(),
            )
        };
        app.server.store.insert_audit_entry(entry).await.unwrap();
    }
    let document: Value =
        serde_json::from_slice(&archive(&app, &pair).await["account.json"]).unwrap();
    let events = document["events"].as_array().unwrap();
    let details: Vec<_> = events.iter().filter_map(|event| event["detail"].as_str()).collect();
    let expected: Vec<_> = (0..1_100).map(|number| format!("\"{number}\"\n")).collect();
    assert_eq!(details, expected);
    assert_eq!((&document["files"], &document["account"]["picture"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn export_with_disconnected_client_stops_and_releases_its_permit() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for number in 0..3 {
        let call = app.post(&format!("/api/me/files?name={number}")).bearer(&pair.access);
        call.body(picture(ImageFormat::Png, 9, 9)).send().await;
    }
    let request = axum::http::Request::get("/api/me/export")
        .header("authorization", format!("Bearer {}", pair.access));
    let router = app.server.router(axum::Router::new());
    let mut export = Box::pin(router.oneshot(request.body(axum::body::Body::empty()).unwrap()));
    // Until the export has started.
    let mut complete = 0;
    let again = loop {
        assert!(futures::poll!(export.as_mut()).is_pending());
        let again = app.get("/api/me/export").bearer(&pair.access).send().await;
        if again.status != StatusCode::OK {
            break again;
        }
        complete += 1;
    };
    again.assert_failure(429, "too_many_attempts");
    drop(export);
    archive(&app, &pair).await;
    let entries = app.server.store.audit_entries().await.unwrap();
    let exported = entries.iter().filter(|entry| entry.event == "exported").count();
    assert_eq!(exported, complete + 1, "all but the one that was given up");
}
