//! Pictures that administrators look at and remove, and the notices of it to their owners.

use axum::http::{Method, StatusCode};
use image::ImageFormat;
use serde_json::{Value, json};

use crate::{
    app::{App, Response, START, Tokens},
    pictures::{objects, picture},
};

async fn upload(app: &App, pair: &Tokens, name: &str) -> String {
    let call = app.post(&format!("/api/me/files?name={name}")).bearer(&pair.access);
    let response = call.body(picture(ImageFormat::Png, 8, 8)).send().await;
    assert_eq!(response.status, StatusCode::CREATED, "{}", response.text());
    response.json()["file"]["id"].as_str().unwrap().to_owned()
}

async fn set_avatar(app: &App, pair: &Tokens) -> String {
    let call = app.call(Method::PUT, "/api/me/avatar").bearer(&pair.access);
    let response = call.body(picture(ImageFormat::Png, 16, 16)).send().await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    response.json()["user"]["avatar_url"].as_str().unwrap().to_owned()
}

async fn list(app: &App, pair: &Tokens, query: &str) -> Response {
    app.get(&format!("/api/users/files?{query}")).bearer(&pair.access).send().await
}

async fn remove(app: &App, pair: &Tokens, body: &Value) -> Response {
    app.post("/api/users/removals").bearer(&pair.access).json(body).send().await
}

async fn notices(app: &App, pair: &Tokens) -> Vec<Value> {
    let response = app.get("/api/me/notices").bearer(&pair.access).send().await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    let notices = response.json()["notices"].as_array().unwrap().clone();
    // The response that every visit requests says whether there are any.
    let files = app.get("/api/me/files").bearer(&pair.access).send().await;
    assert_eq!(files.json()["notices"], notices.len());
    notices
}

async fn events(app: &App, event: &str) -> Vec<(Option<String>, Option<String>)> {
    let entries = app.server.store.audit_entries().await.unwrap();
    let entries = entries.into_iter().filter(|entry| entry.event == event);
    entries.map(|entry| (entry.user.map(|user| user.to_string()), entry.detail)).collect()
}

#[tokio::test]
async fn invariant_42_picture_of_another_user_shown_to_an_administrator_is_recorded() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let (id, root) = (app.id_of(&alice).await, app.id_of(&admin).await);
    let first = upload(&app, &alice, "a.png").await;
    // Ids of one millisecond are in no order.
    app.clock.advance(1);
    let files = [first, upload(&app, &alice, "b.png").await];
    let page = list(&app, &admin, &format!("id={id}&limit=1")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert_eq!(page.json()["files"][0]["id"], files[1]);
    let next = page.json()["next"].as_str().unwrap().to_owned();
    let rest = list(&app, &admin, &format!("id={id}&after={next}")).await.json();
    assert_eq!((&rest["files"][0]["id"], &rest["next"]), (&json!(files[0]), &Value::Null));
    for (size, media_type) in [("", "image/png"), ("&size=thumb", "image/jpeg")] {
        let path = format!("/api/users/file?id={id}&file={}{size}", files[0]);
        let shown = app.get(&path).bearer(&admin.access).send().await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.header("content-type"), Some(media_type));
        assert!(shown.header("content-disposition").unwrap().starts_with("attachment;"));
    }
    // Once for both pages.
    assert_eq!(
        events(&app, "pictures_viewed").await,
        [(Some(id.clone()), Some(format!("by {root}")))]
    );
    let nobody = "019b76da-a800-7000-8000-000000000000";
    list(&app, &admin, &format!("id={nobody}")).await.assert_failure(404, "not_found");
    list(&app, &admin, "id=x").await.assert_failure(400, "bad_request");
    list(&app, &admin, &format!("id={id}&limit=101")).await.assert_failure(400, "bad_request");
    for (user, file) in [(root.as_str(), files[0].as_str()), (nobody, &files[0]), (&id, nobody)] {
        let path = format!("/api/users/file?id={user}&file={file}");
        app.get(&path).bearer(&admin.access).send().await.assert_failure(404, "not_found");
    }
    assert_eq!(events(&app, "pictures_viewed").await.len(), 1);
}

#[tokio::test]
async fn invariant_41_picture_of_another_user_is_never_readable_by_members() {
    let app = App::start().await;
    let (alice, mallory) =
        (app.register_and_login("alice").await, app.register_and_login("mallory").await);
    let id = app.id_of(&alice).await;
    let file = upload(&app, &alice, "a.png").await;
    list(&app, &mallory, &format!("id={id}")).await.assert_failure(403, "forbidden");
    // Not even with the own id.
    list(&app, &alice, &format!("id={id}")).await.assert_failure(403, "forbidden");
    let path = format!("/api/users/file?id={id}&file={file}");
    app.get(&path).bearer(&mallory.access).send().await.assert_failure(403, "forbidden");
    let body = json!({ "id": id, "file": file, "reason": "spam" });
    remove(&app, &mallory, &body).await.assert_failure(403, "forbidden");
    let own = format!("/api/me/file?id={file}");
    app.get(&own).bearer(&mallory.access).send().await.assert_failure(404, "not_found");
    assert_eq!(app.get(&own).bearer(&alice.access).send().await.status, StatusCode::OK);
    assert_eq!(events(&app, "pictures_viewed").await, []);
}

#[tokio::test]
async fn invariant_20_pictures_of_users_require_a_fresh_token_of_an_administrator() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let file = upload(&app, &alice, "a.png").await;
    let stale = app.refresh(&admin.refresh).await.pair();
    list(&app, &stale, &format!("id={id}")).await.assert_failure(401, "fresh_required");
    let path = format!("/api/users/file?id={id}&file={file}");
    app.get(&path).bearer(&stale.access).send().await.assert_failure(401, "fresh_required");
    let body = json!({ "id": id, "file": file, "reason": "spam" });
    remove(&app, &stale, &body).await.assert_failure(401, "fresh_required");
    assert_eq!(events(&app, "pictures_viewed").await, []);
}

#[tokio::test]
async fn removal_of_a_file_deletes_it_and_tells_its_owner_why() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let (id, root) = (app.id_of(&alice).await, app.id_of(&admin).await);
    let file = upload(&app, &alice, "beach.png").await;
    assert_eq!(objects(&app).len(), 2);
    let body = json!({ "id": id, "file": file, "reason": "other", "text": "  Shows a\nplan. " });
    let removed = remove(&app, &admin, &body).await;
    assert_eq!(removed.status, StatusCode::OK, "{}", removed.text());
    assert_eq!(removed.json(), json!({ "message": "Picture removed. The owner sees the reason" }));
    assert_eq!(objects(&app), Vec::<String>::new());
    let path = format!("/api/me/file?id={file}");
    app.get(&path).bearer(&alice.access).send().await.assert_failure(404, "not_found");

    let app = app.restart().await;
    let told = notices(&app, &alice).await;
    assert_eq!(told.len(), 1);
    let notice = told[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        told[0],
        json!({
            "id": notice, "file_name": "beach.png", "reason": "other", "text": "Shows a\nplan.",
            "created_at": START,
        })
    );
    assert_eq!(
        events(&app, "picture_removed").await,
        [(Some(id.clone()), Some(format!("file other by {root}")))]
    );
    // A second administrator comes too late.
    remove(&app, &admin, &body).await.assert_failure(404, "not_found");
    assert_eq!(notices(&app, &alice).await.len(), 1);

    // Another user can neither see nor dismiss it.
    let bob = app.register_and_login("bob").await;
    assert_eq!(notices(&app, &bob).await, [] as [Value; 0]);
    let dismiss = |pair: &Tokens, id: &str| {
        app.delete(&format!("/api/me/notices?id={id}")).bearer(&pair.access).send()
    };
    dismiss(&bob, &notice).await.assert_failure(404, "not_found");
    assert_eq!(notices(&app, &alice).await.len(), 1);
    assert_eq!(dismiss(&alice, &notice).await.status, StatusCode::OK);
    assert_eq!(notices(&app, &alice).await, [] as [Value; 0]);
    dismiss(&alice, &notice).await.assert_failure(404, "not_found");
    dismiss(&alice, "x").await.assert_failure(400, "bad_request");
}

#[tokio::test]
async fn removal_of_the_avatar_deletes_it_everywhere_at_once() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let url = set_avatar(&app, &alice).await;
    let removed = remove(&app, &admin, &json!({ "id": id, "reason": "nudity" })).await;
    assert_eq!(removed.status, StatusCode::OK, "{}", removed.text());
    assert_eq!(app.me(&alice.access).await.json()["avatar_url"], Value::Null);
    assert_eq!(app.get(&url).send().await.status, StatusCode::NOT_FOUND);
    assert_eq!(objects(&app), Vec::<String>::new());
    let told = notices(&app, &alice).await;
    assert_eq!(
        (&told[0]["file_name"], &told[0]["reason"], &told[0]["text"]),
        (&Value::Null, &json!("nudity"), &Value::Null)
    );
    remove(&app, &admin, &json!({ "id": id, "reason": "nudity" }))
        .await
        .assert_failure(404, "not_found");
    // A new picture may follow.
    set_avatar(&app, &alice).await;
}

#[tokio::test]
async fn removal_with_invalid_body_removes_nothing() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    let file = upload(&app, &alice, "a.png").await;
    for (body, field) in [
        (json!({ "file": file, "reason": "spam" }), "id"),
        (json!({ "id": id, "file": file }), "reason"),
        (json!({ "id": id, "file": file, "reason": "dislike" }), "reason"),
        (json!({ "id": id, "file": file, "reason": "other" }), "text"),
        (json!({ "id": id, "file": file, "reason": "other", "text": " \n " }), "text"),
        (json!({ "id": id, "file": file, "reason": "spam", "text": "x".repeat(501) }), "text"),
        (json!({ "id": id, "file": file, "reason": "spam", "text": "a\u{202e}b" }), "text"),
    ] {
        let response = remove(&app, &admin, &body).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"][field].is_string(), "{body}: {}", response.text());
    }
    let nobody = "019b76da-a800-7000-8000-000000000000";
    for (user, file) in [("x", file.as_str()), (&id, "x"), (nobody, &file), (&id, nobody)] {
        let body = json!({ "id": user, "file": file, "reason": "spam" });
        remove(&app, &admin, &body).await.assert_failure(404, "not_found");
    }
    assert_eq!(objects(&app).len(), 2);
    assert_eq!(notices(&app, &alice).await, [] as [Value; 0]);
    assert_eq!(events(&app, "picture_removed").await, []);
}

#[tokio::test]
async fn removal_of_one_picture_by_several_administrators_at_once_leaves_one_notice() {
    let app = App::start().await;
    let admins = [app.admin("root").await, app.admin("other").await];
    let alice = app.register_and_login("alice").await;
    let id = app.id_of(&alice).await;
    let file = upload(&app, &alice, "a.png").await;
    let body = json!({ "id": id, "file": file, "reason": "spam" });
    let calls = (0..8).map(|number| remove(&app, &admins[number % 2], &body));
    let responses = futures::future::join_all(calls).await;
    let done = responses.iter().filter(|response| response.status == StatusCode::OK).count();
    let late = responses.iter().filter(|response| response.status == StatusCode::NOT_FOUND);
    assert_eq!((done, late.count()), (1, 7));
    assert_eq!(notices(&app, &alice).await.len(), 1);
    assert_eq!(events(&app, "picture_removed").await.len(), 1);
}

#[tokio::test]
async fn notices_of_a_deleted_account_are_deleted_with_it() {
    let app = App::start().await;
    let (admin, alice) = (app.admin("root").await, app.register_and_login("alice").await);
    let id = app.id_of(&alice).await;
    set_avatar(&app, &alice).await;
    remove(&app, &admin, &json!({ "id": id, "reason": "spam" })).await;
    let body = json!({ "username": "alice" });
    let deleted = app.delete("/api/me").bearer(&alice.access).json(&body).send().await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.text());
    let left = app.server.store.removal_notices(id.parse().unwrap()).await.unwrap();
    assert_eq!(left.len(), 0);
    list(&app, &admin, &format!("id={id}")).await.assert_failure(404, "not_found");
    remove(&app, &admin, &json!({ "id": id, "reason": "spam" }))
        .await
        .assert_failure(404, "not_found");
}
