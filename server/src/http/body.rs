//! Request bodies: collected within limits of size and memory.
//!
//! A body that arrives slowly must not hold memory that others need, so that what a request may
//! occupy is decided before its body is read. JSON bodies are small and stay in memory. Uploads are
//! written to an unnamed temporary file while they arrive, and take a share of the memory for
//! uploads once they are complete: from then on the server alone decides how long it is held.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use app::{backend::Failure, protocol::error::Code, validation::ServerProblem};
use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody as _},
};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use uuid::Uuid;

use crate::{files::PICTURE_MAX, metrics::metrics};

/// Bytes of the largest JSON body.
const JSON_MAX: usize = 64 * 1024;
/// Bytes of a JSON body that need no permit: more than any log-in or registration has.
const JSON_FREE: usize = 4 * 1024;
/// JSON bodies above [`JSON_FREE`] that are collected at once: 16 MiB in all.
const JSON_LARGE_MAX: usize = 256;
/// Bytes of an upload that are kept in memory before they are written to its temporary file.
const UPLOAD_BUFFER: usize = 64 * 1024;
/// KiB of memory for complete uploads that are being processed.
const UPLOAD_MEMORY_KIB: u32 = 32 * 1024;
/// Longest wait of an upload for a permit, before it is rejected.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds after which a refused body is worth another try.
const RETRY_AFTER: u32 = 5;

/// Limits of concurrent uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// Of all users together.
    pub total: usize,
    /// Of one user.
    pub per_user: usize,
}

/// Collects request bodies within limits. A handle: clones share the limits.
#[derive(Clone, Debug)]
pub struct Bodies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    large_json: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    upload_memory: Arc<Semaphore>,
    users: Arc<UserPermits>,
    /// The folder of the temporary files.
    folder: PathBuf,
}

impl Bodies {
    /// Limits for a server that keeps temporary files in `folder`.
    #[must_use]
    pub fn new(limits: UploadLimits, folder: PathBuf) -> Self {
        Self(Arc::new(Inner {
            large_json: Arc::new(Semaphore::new(JSON_LARGE_MAX)),
            uploads: Arc::new(Semaphore::new(limits.total)),
            upload_memory: Arc::new(Semaphore::new(UPLOAD_MEMORY_KIB as usize)),
            users: Arc::new(UserPermits {
                per_user: limits.per_user,
                semaphores: Mutex::default(),
            }),
            folder,
        }))
    }

    /// Collects a JSON body.
    ///
    /// # Errors
    ///
    /// `payload_too_large` above [`JSON_MAX`], `unavailable` if too many large bodies are being
    /// collected, `bad_request` if the body does not arrive completely.
    pub(super) async fn json(&self, mut body: Body) -> Result<Bytes, Failure> {
        // A body that declares to be too large is not read at all.
        if body.size_hint().lower() > JSON_MAX as u64 {
            return Err(Code::PayloadTooLarge.into());
        }
        let (mut collected, mut permit) = (Vec::new(), None);
        while let Some(data) = next_data(&mut body).await? {
            let length = collected.len() + data.len();
            if length > JSON_MAX {
                return Err(Code::PayloadTooLarge.into());
            }
            if length > JSON_FREE && permit.is_none() {
                let taken = Arc::clone(&self.0.large_json).try_acquire_owned();
                permit =
                    Some(taken.map_err(|_| refused("json", Failure::Unavailable(RETRY_AFTER)))?);
            }
            // Copied: a frame may be one byte of a buffer of many kilobytes, which it would keep
            // alive.
            collected.extend_from_slice(&data);
        }
        Ok(match permit {
            Some(permit) => Bytes::from_owner(Held { bytes: collected, _permits: permit }),
            None => collected.into(),
        })
    }

    /// Collects an upload of a user. The permits are given back when the last clone of the returned
    /// bytes is dropped.
    ///
    /// # Errors
    ///
    /// `payload_too_large` above [`PICTURE_MAX`], `too_many_attempts` if the user already has as
    /// many uploads in progress as allowed, `unavailable` if all users together have, or if the
    /// temporary file cannot be written, `bad_request` if the body does not arrive completely.
    pub(super) async fn upload(&self, user: Uuid, mut body: Body) -> Result<Bytes, Failure> {
        let too_large =
            || Failure::Refused(Code::PayloadTooLarge, ServerProblem::ImageBytes.into());
        if body.size_hint().lower() > PICTURE_MAX as u64 {
            return Err(too_large());
        }
        let of_user = timeout(PERMIT_TIMEOUT, self.0.users.acquire(user)).await;
        let of_user = of_user
            .ok()
            .flatten()
            .ok_or_else(|| refused("user", Failure::TooManyUploads(RETRY_AFTER)))?;
        let of_all = acquire(&self.0.uploads, 1, "uploads").await?;
        let mut spool = Spool::new(self.0.folder.clone());
        while let Some(data) = next_data(&mut body).await? {
            if spool.length() + data.len() > PICTURE_MAX {
                return Err(too_large());
            }
            metrics().upload_bytes.inc_by(data.len() as u64);
            spool.write(&data).await.map_err(|error| not_stored(&error))?;
        }
        let kibibytes =
            u32::try_from(spool.length().div_ceil(1024)).unwrap_or(UPLOAD_MEMORY_KIB).max(1);
        let memory = acquire(&self.0.upload_memory, kibibytes, "upload memory").await?;
        let bytes = spool.into_bytes().await.map_err(|error| not_stored(&error))?;
        Ok(Bytes::from_owner(Held { bytes, _permits: (of_user, of_all, memory) }))
    }
}

/// The next bytes of a body; `None` at its end.
async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        // The connection broke, or the body did not arrive in time.
        let frame = frame.map_err(|error: axum::Error| {
            tracing::debug!(error = %BoxError::from(error), "a request body did not arrive completely");
            Failure::from(Code::BadRequest)
        })?;
        // Trailers are ignored.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

async fn acquire(
    semaphore: &Arc<Semaphore>,
    permits: u32,
    limit: &str,
) -> Result<OwnedSemaphorePermit, Failure> {
    let acquired = timeout(PERMIT_TIMEOUT, Arc::clone(semaphore).acquire_many_owned(permits)).await;
    acquired
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| refused(limit, Failure::Unavailable(RETRY_AFTER)))
}

/// Logs that a limit refused a body.
fn refused(limit: &str, failure: Failure) -> Failure {
    tracing::warn!(limit, "a request body was refused: too many are being received at once");
    failure
}

fn not_stored(error: &io::Error) -> Failure {
    tracing::error!(%error, "an upload could not be written to a temporary file");
    Failure::Unavailable(RETRY_AFTER)
}

/// Bytes with the permits that account for them.
struct Held<P> {
    bytes: Vec<u8>,
    _permits: P,
}

impl<P> AsRef<[u8]> for Held<P> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An upload that is arriving: in memory as long as it is small, then in an unnamed file.
struct Spool {
    folder: PathBuf,
    file: Option<File>,
    written: usize,
    buffer: Vec<u8>,
}

impl Spool {
    fn new(folder: PathBuf) -> Self {
        Self { folder, file: None, written: 0, buffer: Vec::new() }
    }

    fn length(&self) -> usize {
        self.written + self.buffer.len()
    }

    async fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() < UPLOAD_BUFFER {
            return Ok(());
        }
        let (folder, file, mut buffer) =
            (self.folder.clone(), self.file.take(), std::mem::take(&mut self.buffer));
        let writing = move || {
            let mut file = file.map_or_else(|| tempfile::tempfile_in(folder), Ok)?;
            file.write_all(&buffer)?;
            let written = buffer.len();
            buffer.clear();
            io::Result::Ok((file, written, buffer))
        };
        let (file, written, buffer) = tokio::task::spawn_blocking(writing).await??;
        self.file = Some(file);
        self.written += written;
        self.buffer = buffer;
        Ok(())
    }

    async fn into_bytes(self) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.file else { return Ok(self.buffer) };
        let reading = move || {
            let mut bytes = Vec::with_capacity(self.written + self.buffer.len());
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            bytes.extend_from_slice(&self.buffer);
            io::Result::Ok(bytes)
        };
        tokio::task::spawn_blocking(reading).await?
    }
}

/// A semaphore for each user that has uploads in progress.
#[derive(Debug)]
struct UserPermits {
    per_user: usize,
    semaphores: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

/// A permit of a user.
struct UserPermit {
    users: Arc<UserPermits>,
    user: Uuid,
    permit: Option<OwnedSemaphorePermit>,
}

impl UserPermits {
    async fn acquire(self: &Arc<Self>, user: Uuid) -> Option<UserPermit> {
        let semaphore = {
            let mut semaphores = self.semaphores.lock();
            Arc::clone(
                semaphores.entry(user).or_insert_with(|| Arc::new(Semaphore::new(self.per_user))),
            )
        };
        // Removes the entry also if the wait is given up.
        let mut held = UserPermit { users: Arc::clone(self), user, permit: None };
        held.permit = Some(semaphore.acquire_owned().await.ok()?);
        Some(held)
    }
}

impl Drop for UserPermit {
    fn drop(&mut self) {
        let mut semaphores = self.users.semaphores.lock();
        drop(self.permit.take());
        // Every holder of and every waiter for a permit has a clone of its own: without them the
        // entry is of no use.
        if semaphores.get(&self.user).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            semaphores.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests;
