//! Object storage over S3: `make test-s3` starts a server and passes its address.

use axum::http::{Method, StatusCode};
use image::ImageFormat;

use crate::{
    app::App,
    pictures::{noise, picture},
};

#[tokio::test]
#[ignore = "it needs a store that speaks S3: make test-s3"]
async fn s3_storage_keeps_avatars_files_and_exports() {
    let endpoint = std::env::var("TEST_S3_ENDPOINT").expect("the address of a store");
    let settings = |secret| {
        [
            ("S3_ENDPOINT", endpoint.as_str()),
            ("S3_BUCKET", "pictures"),
            ("S3_ACCESS_KEY_ID", "gatehouse"),
            ("S3_SECRET_ACCESS_KEY", secret),
        ]
    };
    let app = App::with(&settings("correct horse battery staple")).await;
    let pair = app.register_and_login("alice").await;
    let sent = noise(1_000_000);
    let kept =
        app.post("/api/me/files?name=x.png").bearer(&pair.access).body(sent.clone()).send().await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.text());
    let query = format!("id={}", kept.json()["file"]["id"].as_str().unwrap());
    let open = || app.get(&format!("/api/me/file?{query}")).bearer(&pair.access).send();
    assert_eq!(open().await.bytes, sent);
    let avatar = app.call(Method::PUT, "/api/me/avatar").bearer(&pair.access).body(picture(
        ImageFormat::Png,
        600,
        600,
    ));
    let avatar = avatar.send().await.json()["user"]["avatar_url"].as_str().unwrap().to_owned();
    assert_eq!(app.get(&avatar).send().await.header("content-type"), Some("image/jpeg"));
    let archive = app.get("/api/me/export").bearer(&pair.access).send().await;
    assert!(archive.status == StatusCode::OK && archive.bytes.len() > sent.len());
    let removed = app.delete(&format!("/api/me/files?{query}")).bearer(&pair.access).send().await;
    assert_eq!(removed.status, StatusCode::OK);
    open().await.assert_failure(404, "not_found");
    assert_eq!(
        app.delete("/api/me/avatar").bearer(&pair.access).send().await.status,
        StatusCode::OK
    );
    assert_eq!(app.get(&avatar).send().await.status, StatusCode::NOT_FOUND);
    let left = app.server.store.orphaned_objects(i64::MAX, 10).await.unwrap();
    assert_eq!(left, Vec::<String>::new(), "what was removed is gone");

    // A store that rejects the credentials counts as unreachable.
    let app = app.restart_with(&settings("a wrong one")).await;
    let refused = app.post("/api/me/files?name=x.png").bearer(&pair.access).body(sent).send().await;
    refused.assert_failure(503, "unavailable");
}
