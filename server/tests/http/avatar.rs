//! Avatars: re-encoded, public, and never served as anything but an image.

use axum::{
    body::{Body, Bytes},
    http::{Method, StatusCode},
};
use futures::stream;
use image::{GenericImageView as _, ImageFormat};

use crate::{
    app::{App, Response, Tokens},
    pictures::{bomb, endless_gif, located, moving, noise, objects, picture, polyglot, seen},
};

async fn send(app: &App, pair: &Tokens, body: impl Into<Body>) -> Response {
    app.call(Method::PUT, "/api/me/avatar").bearer(&pair.access).body(body).send().await
}

fn address(response: &Response) -> String {
    response.json()["user"]["avatar_url"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", response.text()))
        .to_owned()
}

#[tokio::test]
async fn avatar_upload_serves_two_sizes_until_replaced() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let response = send(&app, &pair, picture(ImageFormat::Png, 800, 600)).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text());
    assert_eq!(response.json()["message"], "Picture updated");
    let first = address(&response);
    assert_eq!(app.me(&pair.access).await.json()["avatar_url"], first.as_str());
    assert_eq!(seen(&app.get(&first).send().await.bytes).dimensions(), (512, 512));
    let small = first.replace("-512.", "-96.");
    assert_eq!(seen(&app.get(&small).send().await.bytes).dimensions(), (96, 96));
    let head = app.call(Method::HEAD, &first).send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));

    let second = address(&send(&app, &pair, picture(ImageFormat::WebP, 50, 70)).await);
    assert_ne!(first, second);
    for gone in [&first, &small] {
        assert_eq!(app.get(gone).send().await.status, StatusCode::NOT_FOUND);
    }
    let app = app.restart().await;
    assert_eq!(seen(&app.get(&second).send().await.bytes).dimensions(), (50, 50));
    for _ in 0..2 {
        let response = app.delete("/api/me/avatar").bearer(&pair.access).send().await;
        assert_eq!(
            (response.status, &response.json()["user"]["avatar_url"]),
            (StatusCode::OK, &serde_json::Value::Null)
        );
    }
    assert_eq!(app.get(&second).send().await.status, StatusCode::NOT_FOUND);
    assert_eq!(objects(&app), Vec::<String>::new());
    let entries = app.server.store.audit_entries().await.unwrap();
    let changes: Vec<_> = entries.iter().filter(|entry| entry.event == "profile_changed").collect();
    assert_eq!(changes.len(), 3, "that nothing was taken away is no event");
    assert!(
        changes
            .iter()
            .all(|entry| entry.detail.as_deref() == Some("avatar") && entry.user.is_some())
    );
}

#[tokio::test]
async fn invariant_40_avatar_is_reencoded_and_served_as_an_image_only() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    for sent in [located(), polyglot(), moving(70_000)] {
        let response = send(&app, &pair, sent).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        let address = address(&response);
        let name = address
            .strip_prefix("/avatars/")
            .and_then(|name| name.strip_suffix("-512.jpg"))
            .unwrap();
        assert!(
            name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "128 bits by chance: {name}"
        );
        let served = app.get(&address).send().await;
        for secret in ["GPS", "Exif", "camera", "script", "html"] {
            assert!(
                !served.bytes.windows(secret.len()).any(|part| part == secret.as_bytes()),
                "{secret}"
            );
        }
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("content-disposition", "inline; filename=\"picture.jpg\""),
            ("cache-control", "public, max-age=31536000, immutable"),
        ] {
            assert_eq!(served.header(name), Some(value));
        }
    }
}

#[tokio::test]
async fn invariant_40_avatar_upload_of_other_content_with_any_content_type_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let kept = address(&send(&app, &pair, picture(ImageFormat::Png, 20, 20)).await);
    let before = objects(&app);
    let svg = &b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..];
    for (sent, media_type) in [
        (svg.to_vec(), "image/svg+xml"),
        (svg.to_vec(), "image/png"),
        (b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), "image/png"),
        (endless_gif(), "image/gif"),
        (endless_gif(), "image/jpeg"),
        (Vec::new(), "image/png"),
        (b"{}".to_vec(), "application/json"),
    ] {
        let call = app.call(Method::PUT, "/api/me/avatar").header("content-type", media_type);
        let response = call.bearer(&pair.access).body(sent).send().await;
        response.assert_failure(415, "unsupported_media_type");
        assert_eq!(response.json()["message"], "Choose a JPEG, PNG or WebP picture");
    }
    let whole = picture(ImageFormat::Png, 64, 64);
    for broken in
        [bomb(), whole[..whole.len() / 2].to_vec(), b"\xff\xd8\xff\xe0 and nothing else".to_vec()]
    {
        let response = send(&app, &pair, broken).await;
        response.assert_failure(400, "validation_failed");
        assert!(response.json()["fields"]["avatar"].is_string());
    }
    assert_eq!(objects(&app), before);
    assert_eq!(app.me(&pair.access).await.json()["avatar_url"], kept.as_str());
}

#[tokio::test]
async fn invariant_40_avatar_upload_beyond_five_megabytes_is_refused() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let large = noise(5_300_000);
    assert!(large.len() > 5 * 1024 * 1024);
    let response = send(&app, &pair, large.clone()).await;
    response.assert_failure(413, "payload_too_large");
    assert_eq!(response.json()["message"], "Pictures can be at most 5 MB");
    // Without `Content-Length` the bytes are counted as they arrive.
    let parts =
        large.chunks(100_000).map(|part| Ok::<_, std::io::Error>(Bytes::copy_from_slice(part)));
    let parts: Vec<_> = parts.collect();
    send(&app, &pair, Body::from_stream(stream::iter(parts)))
        .await
        .assert_failure(413, "payload_too_large");
    assert_eq!(send(&app, &pair, noise(5_000_000)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn avatar_upload_that_is_cut_off_leaves_no_file() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let whole = picture(ImageFormat::Jpeg, 300, 300);
    let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    let cut =
        stream::iter([Ok(half), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))]);
    send(&app, &pair, Body::from_stream(cut)).await.assert_failure(400, "bad_request");
    assert_eq!(objects(&app), Vec::<String>::new());
    assert_eq!(app.me(&pair.access).await.json()["avatar_url"], serde_json::Value::Null);
}

#[tokio::test]
async fn avatar_upload_without_valid_token_is_refused_before_the_body_is_read() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let unread = || {
        Body::from_stream(stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
                panic!("the body must not be read")
            },
        ))
    };
    for path in ["/api/me/avatar", "/api/me/files"] {
        let method = if path.ends_with('s') { Method::POST } else { Method::PUT };
        app.call(method.clone(), path)
            .body(unread())
            .send()
            .await
            .assert_failure(401, "token_missing");
        let call = app.call(method, path).bearer(&pair.refresh).body(unread());
        call.send().await.assert_failure(401, "token_wrong_type");
    }
}

#[tokio::test]
async fn avatar_upload_to_a_full_disk_is_503_and_keeps_the_previous_avatar() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let kept = address(&send(&app, &pair, picture(ImageFormat::Png, 20, 20)).await);
    let (folder, aside) =
        (app.folder.path().join("data/objects/avatars"), app.folder.path().join("aside"));
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "a file in its place").unwrap();
    send(&app, &pair, picture(ImageFormat::Png, 30, 30)).await.assert_failure(503, "unavailable");
    assert_eq!(app.me(&pair.access).await.json()["avatar_url"], kept.as_str());
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    assert_eq!(app.get(&kept).send().await.status, StatusCode::OK);
    assert_eq!(send(&app, &pair, picture(ImageFormat::Png, 30, 30)).await.status, StatusCode::OK);
    assert_eq!(objects(&app).len(), 2);
}

#[tokio::test]
async fn avatar_path_with_other_names_is_not_found() {
    let app = App::start().await;
    app.register_and_login("alice").await;
    for path in [
        "..%2f..%2fkeys.json",
        "x",
        "%2e%2e%2fgatehouse.sqlite",
        &"0".repeat(32),
        &format!("{}-512.jpg", "0".repeat(32)),
    ] {
        assert_eq!(
            app.get(&format!("/avatars/{path}")).send().await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    app.post("/avatars/x").send().await.assert_failure(405, "method_not_allowed");
}

#[tokio::test]
async fn avatar_upload_with_color_profile_is_converted_to_srgb() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    // The same pixel bytes with different color profiles: left and right half in sRGB.
    for (name, sent, expected) in [
        (
            "srgb",
            &include_bytes!("../fixtures/srgb-same.jpg")[..],
            [[226, 106, 90], [90, 190, 120]],
        ),
        ("p3", include_bytes!("../fixtures/p3.jpg"), [[244, 97, 82], [18, 194, 113]]),
        (
            "adobe-rgb",
            include_bytes!("../fixtures/adobe-rgb.jpg"),
            [[255_u8, 106, 89], [0, 191, 116]],
        ),
    ] {
        let large = address(&send(&app, &pair, sent).await);
        let small = app.get(&large.replace("-512.", "-96.")).send().await;
        let large = app.get(&large).send().await;
        let kept =
            app.post("/api/me/files?name=x").bearer(&pair.access).body(sent).send().await.json();
        let thumbnail =
            format!("/api/me/file?size=thumb&id={}", kept["file"]["id"].as_str().unwrap());
        let thumbnail = app.get(&thumbnail).bearer(&pair.access).send().await;
        for made in [large, small, thumbnail] {
            let made = seen(&made.bytes).to_rgb8();
            for (at, expected) in [made.width() / 8, made.width() * 7 / 8].into_iter().zip(expected)
            {
                let found = made.get_pixel(at, made.height() / 2).0;
                let off = found.iter().zip(expected).map(|(one, other)| one.abs_diff(other)).max();
                assert!(off <= Some(24), "{name}: {found:?} instead of {expected:?}");
            }
        }
    }
}

#[tokio::test]
async fn invariant_40_a_picture_that_is_too_large_is_called_that_in_every_format() {
    let app = App::start().await;
    let pair = app.register_and_login("alice").await;
    let mut jpeg = picture(ImageFormat::Jpeg, 16, 16);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    let mut webp = moving(1);
    webp[24..30].copy_from_slice(&[0x2f, 0x75, 0, 0x2f, 0x75, 0]);
    for sent in [bomb(), jpeg, webp] {
        let response = send(&app, &pair, sent).await;
        response.assert_failure(400, "validation_failed");
        let words = "A picture has at most 24 megapixels, and 16,384 pixels a side";
        assert_eq!(response.json()["fields"]["avatar"], words);
    }
    // An animation needs several copies of its pixels.
    let mut webp = moving(1);
    webp[24..30].copy_from_slice(&[0x9f, 0x0f, 0, 0x9f, 0x0f, 0]);
    let response = send(&app, &pair, webp).await;
    response.assert_failure(400, "validation_failed");
    let words = response.json()["fields"]["avatar"].as_str().unwrap().to_owned();
    assert!(words.starts_with("Reading this picture takes too much memory"), "{words}");
}
