//! Everything about a person, for that person.

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
    app::{App, Pair},
    pictures::{located, picture, seen},
};

async fn archive(app: &App, pair: &Pair) -> BTreeMap<String, Vec<u8>> {
    let answer = app.get("/api/me/export").bearer(&pair.access).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/zip"));
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment; filename=\"gatehouse.zip\""));
    assert_eq!(answer.header("content-length"), Some(answer.bytes.len().to_string().as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut archive = ZipArchive::new(Cursor::new(answer.bytes)).unwrap();
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        entries.insert(entry.name().unwrap().into_owned(), bytes);
    }
    entries
}

#[tokio::test]
async fn it_has_everything_about_the_person_and_nothing_about_others() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let bertha = app.person("bertha").await;
    let sent = located();
    for (name, body) in [("Sommer.jpg", sent.clone()), ("Sommer.jpg", picture(ImageFormat::Jpeg, 9, 9))] {
        let call = app.post(&format!("/api/me/files?name={name}")).bearer(&pair.access).body(body);
        assert_eq!(call.send().await.status, StatusCode::CREATED);
        app.clock.advance(1);
    }
    let other = app.post("/api/me/files?name=theirs.png").bearer(&bertha.access);
    other.body(picture(ImageFormat::Png, 9, 9)).send().await;
    let avatar = app.call(Method::PUT, "/api/me/avatar").bearer(&pair.access).body(picture(ImageFormat::Png, 20, 20));
    assert_eq!(avatar.send().await.status, StatusCode::OK);

    let entries = archive(&app, &pair).await;
    let names: Vec<_> = entries.keys().map(String::as_str).collect();
    assert_eq!(names, ["account.json", "files/Sommer (2).jpg", "files/Sommer.jpg", "picture.jpg"]);
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
    let events: Vec<_> = document["events"].as_array().unwrap().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(events, ["registered", "logged_in", "profile_changed"]);
    let text = document.to_string();
    assert!(!text.contains("argon2") && !text.contains("bertha") && !text.contains("theirs"), "{text}");

    let entries = app.server.store.audit_entries().await.unwrap();
    let exported: Vec<_> = entries.iter().filter(|entry| entry.event == "exported").collect();
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0].user.unwrap().to_string(), document["account"]["id"].as_str().unwrap());
}

#[tokio::test]
async fn invariant_20_an_export_asks_for_a_fresh_token() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let refreshed = app.refresh(&pair.refresh).await.pair();
    let answer = app.get("/api/me/export").bearer(&refreshed.access).send().await;
    answer.assert_failure(401, "fresh_required");
    assert_eq!(app.get("/api/me/export").bearer(&pair.access).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_archive_at_a_time_and_nothing_of_it_stays() {
    let app = App::start().await;
    let pair = app.person("alice").await;
    let request = axum::http::Request::get("/api/me/export").header("authorization", format!("Bearer {}", pair.access));
    let first = app.server.router(axum::Router::new());
    let first = first.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let again = app.get("/api/me/export").bearer(&pair.access).send().await;
    again.assert_failure(429, "too_many_attempts");
    let bertha = app.person("bertha").await;
    archive(&app, &bertha).await;
    let before = std::fs::read_dir(app.folder.path().join("data")).unwrap().count();
    assert_eq!(
        before, 6,
        "the database with its journal and its lock, the keys, the objects: what is fetched has no name"
    );
    assert!(first.into_body().collect().await.unwrap().to_bytes().starts_with(b"PK"));
    archive(&app, &pair).await;
    // Who hangs up gives the turn back, too.
    let request = axum::http::Request::get("/api/me/export").header("authorization", format!("Bearer {}", pair.access));
    let router = app.server.router(axum::Router::new());
    drop(router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap());
    archive(&app, &pair).await;
}
