use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::{StreamExt as _, stream};
use tempfile::TempDir;

use super::*;

const ALICE: Uuid = Uuid::from_u128(1);
const BERTHA: Uuid = Uuid::from_u128(2);

fn bodies(total: usize, per_user: usize) -> (TempDir, Bodies) {
    let folder = tempfile::tempdir().unwrap();
    let bodies = Bodies::new(UploadLimits { total, per_user }, folder.path().to_owned());
    (folder, bodies)
}

/// A body of unknown length.
fn chunked(chunks: Vec<Bytes>) -> Body {
    Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)))
}

/// A body that never ends.
fn unfinished(begin: &'static [u8]) -> Body {
    let begin = stream::iter([Ok::<_, Infallible>(Bytes::from_static(begin))]);
    Body::from_stream(begin.chain(stream::pending()))
}

/// One byte that counts how many of its kind are alive.
struct Counted([u8; 1], Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn collecting_a_body_of_single_bytes_keeps_none_of_its_frames() {
    let (_folder, bodies) = bodies(1, 1);
    for is_upload in [false, true] {
        let alive = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let frames = {
            let (alive, most) = (Arc::clone(&alive), Arc::clone(&most));
            stream::iter(0..JSON_MAX).map(move |_| {
                most.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                Ok::<_, Infallible>(Bytes::from_owner(Counted(*b" ", Arc::clone(&alive))))
            })
        };
        let body = Body::from_stream(frames);
        let bytes =
            if is_upload { bodies.upload(ALICE, body).await } else { bodies.json(body).await };
        assert_eq!(bytes.unwrap().len(), JSON_MAX);
        assert!(most.load(Ordering::SeqCst) <= 2, "{} frames at once", most.load(Ordering::SeqCst));
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn collecting_large_json_bodies_beyond_the_limit_is_refused_and_small_ones_are_accepted() {
    let (_folder, bodies) = bodies(1, 1);
    let taken = Arc::clone(&bodies.0.large_json).acquire_many_owned(256).await.unwrap();
    let large = || chunked(vec![Bytes::from(vec![b' '; JSON_FREE]), Bytes::from_static(b"{}")]);
    assert_eq!(bodies.json(large()).await, Err(Failure::Unavailable(RETRY_AFTER)));
    assert_eq!(bodies.json(chunked(vec![Bytes::from_static(b"{}")])).await.unwrap(), "{}");
    drop(taken);
    let bytes = bodies.json(large()).await.unwrap();
    assert_eq!(bodies.0.large_json.available_permits(), JSON_LARGE_MAX - 1);
    drop(bytes);
    assert_eq!(bodies.0.large_json.available_permits(), JSON_LARGE_MAX);
}

#[tokio::test]
async fn collecting_a_body_that_is_too_large_is_refused() {
    let (_folder, bodies) = bodies(1, 1);
    let chunks = |count: usize| chunked(vec![Bytes::from(vec![b' '; 8192]); count]);
    assert_eq!(bodies.json(chunks(9)).await, Err(Code::PayloadTooLarge.into()));
    let declared = Body::from(vec![b' '; PICTURE_MAX + 1]);
    for body in [chunks(PICTURE_MAX / 8192 + 1), declared] {
        let refusal = bodies.upload(ALICE, body).await.unwrap_err();
        assert_eq!(refusal.code(), Code::PayloadTooLarge);
    }
    assert_eq!(bodies.upload(ALICE, chunks(PICTURE_MAX / 8192)).await.unwrap().len(), PICTURE_MAX);
}

#[tokio::test]
async fn uploading_returns_the_bytes_as_they_came_and_leaves_no_file() {
    let (folder, bodies) = bodies(1, 1);
    for length in [0, 1, UPLOAD_BUFFER - 1, UPLOAD_BUFFER, 3 * UPLOAD_BUFFER + 17] {
        let sent: Vec<u8> = (0..=250).cycle().take(length).collect();
        let chunks = sent.chunks(1000).map(Bytes::copy_from_slice).collect();
        assert!(bodies.upload(ALICE, chunked(chunks)).await.unwrap() == sent, "{length}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn uploading_to_a_folder_that_is_gone_is_unavailable() {
    let (folder, bodies) = bodies(1, 1);
    drop(folder);
    let body = Body::from(vec![0; UPLOAD_BUFFER]);
    assert_eq!(bodies.upload(ALICE, body).await, Err(Failure::Unavailable(RETRY_AFTER)));
}

#[tokio::test(start_paused = true)]
async fn invariant_30_uploading_more_than_a_user_may_is_refused_and_others_go_on() {
    let (_folder, bodies) = bodies(3, 2);
    let held: Vec<_> = (0..2)
        .map(|_| {
            let bodies = bodies.clone();
            tokio::spawn(async move { bodies.upload(ALICE, unfinished(b"x")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(
        bodies.upload(ALICE, Body::from("x")).await,
        Err(Failure::TooManyUploads(RETRY_AFTER))
    );
    let of_bertha = bodies.upload(BERTHA, Body::from("x")).await.unwrap();
    // All uploads together: three are in progress as long as the bytes of the third are in use.
    assert_eq!(
        bodies.upload(BERTHA, Body::from("x")).await,
        Err(Failure::Unavailable(RETRY_AFTER))
    );
    drop(of_bertha);
    assert_eq!(bodies.upload(BERTHA, Body::from("x")).await.unwrap(), "x");
    for upload in held {
        upload.abort();
        assert!(upload.await.unwrap_err().is_cancelled());
    }
    assert_eq!(bodies.upload(ALICE, Body::from("x")).await.unwrap(), "x");
    assert!(
        bodies.0.users.semaphores.lock().is_empty(),
        "nothing is kept of users without uploads"
    );
    assert_eq!(bodies.0.uploads.available_permits(), 3);
    assert_eq!(bodies.0.upload_memory.available_permits(), UPLOAD_MEMORY_KIB as usize);
}

#[tokio::test(start_paused = true)]
async fn uploads_wait_for_memory_until_those_before_them_are_done() {
    let (_folder, bodies) = bodies(100, 100);
    let large = || Body::from(vec![0; PICTURE_MAX]);
    let mut complete = Vec::new();
    for _ in 0..6 {
        complete.push(bodies.upload(ALICE, large()).await.unwrap());
    }
    assert_eq!(bodies.upload(ALICE, large()).await, Err(Failure::Unavailable(RETRY_AFTER)));
    let waiting = tokio::spawn({
        let bodies = bodies.clone();
        async move { bodies.upload(BERTHA, large()).await }
    });
    tokio::task::yield_now().await;
    complete.pop();
    assert_eq!(waiting.await.unwrap().unwrap().len(), PICTURE_MAX);
}
