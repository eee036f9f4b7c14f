//! Export of account data: a ZIP with a JSON document, a page to read and the user's files. Rows and
//! files are streamed; in memory for the whole export are the files' paths and what the page shows.

mod archive;
mod document;
mod index;

use std::{collections::HashSet, fs::File, io, sync::Arc};

use app::{
    backend::{Caller, ClientInfo, Failure},
    i18n::Lang,
    protocol::files::export_file_name,
};
use axum::body::Bytes;
use futures::{TryStreamExt as _, stream};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use uuid::Uuid;
use zip::result::ZipError;

use self::{
    archive::Archive,
    document::{Account, ExportedEvent, ExportedFile, ExportedSession, PICTURE},
    index::Index,
};
use super::{
    FileService, Inner, avatar,
    name::{UniqueNames, clean},
};
use crate::{
    clock::utc,
    failure::{ErrorClass, InternalError, internal},
    objects::Content,
    pictures::Kind,
    store::{Actor, AuditEntry, AuditFilter, Event, StoredUser},
};

/// `Retry-After` in seconds while another export of the user is in progress.
const RETRY_AFTER: u32 = 10;
/// Rows per query.
const PAGE: u64 = 500;
/// Bytes per read of the archive.
const CHUNK: usize = 64 * 1024;

/// Error of an export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The temporary file.
    #[error("the archive cannot be written: {0}")]
    File(#[from] io::Error),
    /// The archive.
    #[error("the archive cannot be created: {0}")]
    Zip(#[from] ZipError),
    /// The JSON document.
    #[error("the account cannot be serialized: {0}")]
    Document(#[from] serde_json::Error),
    /// A file of the user.
    #[error("a file of the archive cannot be read: {0}")]
    Part(#[from] object_store::Error),
    /// The client disconnected during the export.
    #[error("the export was cancelled")]
    Cancelled,
}

impl InternalError for ExportError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::File(_) => ErrorClass::Unavailable,
            Self::Cancelled => ErrorClass::Cancelled,
            Self::Zip(_) | Self::Document(_) | Self::Part(_) => ErrorClass::Failed,
        }
    }
}

/// Limits concurrent exports: one per user, and a maximum of all users. Until it is downloaded, an
/// export takes up to the user's quota on disk once more.
#[derive(Clone, Debug)]
pub struct ActiveExports {
    users: Arc<Mutex<HashSet<Uuid>>>,
    all: Arc<Semaphore>,
}

/// Permit for an export, released when the archive is dropped.
struct ExportPermit {
    exports: ActiveExports,
    user: Uuid,
    _one: OwnedSemaphorePermit,
}

impl ActiveExports {
    /// Creates the limit with a maximum of concurrent exports of all users.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { users: Arc::default(), all: Arc::new(Semaphore::new(max)) }
    }

    fn begin(&self, user: Uuid) -> Result<ExportPermit, Failure> {
        let mut users = self.users.lock();
        if users.contains(&user) {
            return Err(Failure::TooManyAttempts(RETRY_AFTER));
        }
        let one = Arc::clone(&self.all).try_acquire_owned().map_err(|_| {
            tracing::warn!(%user, "an export was refused: GATEHOUSE_EXPORTS_MAX others are in work");
            Failure::Unavailable(RETRY_AFTER)
        })?;
        users.insert(user);
        Ok(ExportPermit { exports: self.clone(), user, _one: one })
    }
}

impl Drop for ExportPermit {
    fn drop(&mut self) {
        self.exports.users.lock().remove(&self.user);
    }
}

impl FileService {
    /// Exports the caller's account data as a ZIP, and returns its name, too.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `too_many_attempts` while another export of the user is in progress,
    /// `unavailable` while too many exports of others are.
    pub async fn export(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
        lang: Lang,
    ) -> Result<(String, Content), Failure> {
        let permit = self.0.exports.begin(caller.user)?;
        let now = self.0.env.now();
        let (username, file, size) = self.0.archive(caller.user, now, lang).await?;
        let (user, session) = (Some(caller.user), Some(caller.session));
        let entry =
            AuditEntry { user, session, ..AuditEntry::of(Event::Exported, now, client_info) };
        let (store, actor) = (self.0.store.clone(), Actor::new(caller, now));
        let recording = async move { Ok(store.record_export(actor, entry).await?) };
        self.run_to_completion(recording).await?;
        tracing::info!(user = %caller.user, size, "account data exported");
        let date: String = utc(now).chars().take(10).collect();
        let stream = Box::pin(stream::try_unfold((file, permit), next));
        Ok((export_file_name(&username, &date), Content { size, stream }))
    }
}

/// Reads the next chunk of an archive. The permit is released with it, and the file, which has no
/// name, is deleted with its last handle.
async fn next(
    (mut file, permit): (File, ExportPermit),
) -> Result<Option<(Bytes, (File, ExportPermit))>, object_store::Error> {
    let read = spawn_blocking(move || {
        let mut chunk = vec![0; CHUNK];
        let count = io::Read::read(&mut file, &mut chunk)?;
        chunk.truncate(count);
        Ok::<_, io::Error>((chunk, file))
    });
    let read = read.await.map_err(io::Error::other).flatten();
    let (chunk, file) = read.map_err(|source| object_store::Error::Generic {
        store: "archive",
        source: Box::new(source),
    })?;
    Ok(if chunk.is_empty() { None } else { Some((chunk.into(), (file, permit))) })
}

/// A file to add to the archive.
struct Entry {
    path: String,
    key: String,
    /// Seconds of Unix time.
    at: i64,
}

impl Inner {
    /// Builds the archive. Dropping the future, as when the client disconnects, stops it.
    async fn archive(
        &self,
        user: Uuid,
        now: i64,
        lang: Lang,
    ) -> Result<(String, File, u64), Failure> {
        let account =
            self.store.user(user).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        let picture = account.user.avatar_url.as_deref().map(avatar::key);
        let picture = picture.map(|key| Entry { path: PICTURE.to_owned(), key, at: now });
        let username = account.user.username.clone();
        let mut archive = Archive::begin(self.scratch.clone());
        let files = self.write_documents(account, now, lang, &mut archive).await?;
        for Entry { path, key, at } in picture.into_iter().chain(files) {
            // A file that was deleted a moment ago is skipped.
            let Some(content) = self.objects.get(&key).await.map_err(internal)? else { continue };
            archive.entry(&path, at).await?;
            let mut chunks = content.stream;
            while let Some(chunk) =
                chunks.try_next().await.map_err(|error| internal(ExportError::from(error)))?
            {
                archive.content(chunk).await?;
            }
        }
        let (file, size) = archive.finish().await?;
        Ok((username, file, size))
    }

    /// Writes the document and the page, and returns the files that they reference.
    async fn write_documents(
        &self,
        account: StoredUser,
        now: i64,
        lang: Lang,
        archive: &mut Archive,
    ) -> Result<Vec<Entry>, Failure> {
        let user = account.user.id;
        let account = Account::from(account);
        let mut index = Index::begin(lang, now, &account);
        archive.entry("account.json", now).await?;
        archive.text(b"{\n  \"exported_at\": ").await?;
        archive.text(&json(&utc(now))?).await?;
        archive.text(b",\n  \"account\": ").await?;
        archive.text(&json(&account)?).await?;

        let mut sessions = List::begin("sessions", archive).await?;
        for device in self.store.all_sessions(user).await.map_err(internal)? {
            let session = ExportedSession::from(device);
            sessions.push(&session, archive).await?;
            index.add_session(session);
        }
        sessions.end(archive).await?;

        let mut events = List::begin("events", archive).await?;
        let filter = AuditFilter { user: Some(user), ..AuditFilter::default() };
        let mut after = 0;
        'pages: loop {
            let page = self.store.audit_page(filter, after, PAGE).await.map_err(internal)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for event in page {
                // Events may be added as fast as they are written here.
                if event.at > now {
                    break 'pages;
                }
                let event = ExportedEvent::from(event);
                events.push(&event, archive).await?;
                index.add_event(event);
            }
        }
        events.end(archive).await?;

        let mut listed = List::begin("files", archive).await?;
        let (mut names, mut files, mut before) = (UniqueNames::default(), Vec::new(), None);
        loop {
            let page = self.store.files(user, before, PAGE).await.map_err(internal)?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for file in &page {
                // Names from earlier versions are cleaned too.
                let kind = Kind::of_media_type(&file.media_type).unwrap_or(Kind::Jpeg);
                let path = format!("files/{}", names.take(&clean(&file.name, kind)));
                listed.push(&ExportedFile::new(&path, file), archive).await?;
                index.add_file(&path, file);
                files.push(Entry { path, key: file.key(), at: file.created_at });
            }
        }
        listed.end(archive).await?;
        archive.text(b"\n}\n").await?;
        archive.entry("index.html", now).await?;
        archive.text(index.page().as_bytes()).await?;
        Ok(files)
    }
}

/// A JSON array of the document, one item per line.
struct List {
    is_empty: bool,
}

impl List {
    async fn begin(name: &str, archive: &mut Archive) -> Result<Self, Failure> {
        archive.text(format!(",\n  \"{name}\": [").as_bytes()).await?;
        Ok(Self { is_empty: true })
    }

    async fn push(&mut self, item: &impl Serialize, archive: &mut Archive) -> Result<(), Failure> {
        let separator: &[u8] = if self.is_empty { b"\n    " } else { b",\n    " };
        self.is_empty = false;
        archive.text(separator).await?;
        archive.text(&json(item)?).await
    }

    async fn end(self, archive: &mut Archive) -> Result<(), Failure> {
        archive.text(if self.is_empty { b"]" } else { b"\n  ]" }).await
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| internal(ExportError::from(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begin_for_same_user_or_beyond_limit_is_refused_until_permit_ends() {
        let exports = ActiveExports::new(2);
        let [one, two, three] = [1, 2, 3].map(Uuid::from_u128);
        let first = exports.begin(one).ok();
        assert!(matches!(exports.begin(one), Err(Failure::TooManyAttempts(RETRY_AFTER))));
        let second = exports.begin(two).ok();
        assert!(first.is_some() && second.is_some());
        assert!(matches!(exports.begin(three), Err(Failure::Unavailable(RETRY_AFTER))));
        drop(first);
        assert!(exports.begin(three).is_ok(), "a refusal keeps nothing");
        assert!(exports.begin(one).is_ok());
    }
}
