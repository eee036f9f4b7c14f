//! Everything about a person, for that person: one document, and the pictures, as a ZIP.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use app::{
    api::Role,
    backend::{Caller, Failure, Origin},
};
use axum::body::Bytes;
use futures::{TryStreamExt as _, stream};
use serde::Serialize;
use tokio::task::spawn_blocking;
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::{FileService, Inner, avatar};
use crate::{
    clock::utc,
    failure::{act_failure, internal},
    objects::Content,
    store::{Actor, AuditEntry, AuditFilter, Event, StoredDevice, StoredEntry, StoredFile},
};

/// Seconds after which somebody may ask again whose archive is still being fetched.
const RETRY_AFTER: u32 = 10;
/// Rows that are read at a time.
const PAGE: u64 = 500;
/// Bytes that are read from the archive at a time.
const CHUNK: usize = 64 * 1024;

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file that it is put together in.
    #[error("the archive cannot be written: {0}")]
    File(#[from] io::Error),
    /// What is in it.
    #[error("the archive cannot be put together: {0}")]
    Zip(#[from] ZipError),
    /// The document in it.
    #[error("the account cannot be written down: {0}")]
    Document(#[from] serde_json::Error),
    /// Of something in it.
    #[error("a part of the archive cannot be read: {0}")]
    Part(#[from] object_store::Error),
}

/// Who is fetching an archive. Each takes up its person's whole quota once more until it is fetched: one of each person is enough.
#[derive(Clone, Debug, Default)]
pub struct Fetching(Arc<Mutex<HashSet<Uuid>>>);

/// A person's turn, given back when the archive is gone.
struct Turn(Fetching, Uuid);

impl Fetching {
    fn begin(&self, user: Uuid) -> Result<Turn, Failure> {
        let mut fetching = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fetching.insert(user) { Ok(Turn(self.clone(), user)) } else { Err(Failure::TooManyAttempts(RETRY_AFTER)) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// The document. Times are in UTC (RFC 3339).
#[derive(Serialize)]
struct Document {
    exported_at: String,
    account: Account,
    sessions: Vec<Listed>,
    events: Vec<Told>,
    files: Vec<Filed>,
}

#[derive(Serialize)]
struct Account {
    id: Uuid,
    username: String,
    nickname: Option<String>,
    email: Option<String>,
    mobile: Option<String>,
    role: Role,
    created_at: String,
    picture: Option<&'static str>,
}

#[derive(Serialize)]
struct Listed {
    id: Uuid,
    created_at: String,
    refreshed_at: String,
    expires_at: String,
    remember: bool,
    address: Option<String>,
    user_agent: Option<String>,
    ended: Option<&'static str>,
}

#[derive(Serialize)]
struct Told {
    at: String,
    event: String,
    outcome: String,
    session: Option<Uuid>,
    address: Option<String>,
    user_agent: Option<String>,
    detail: Option<String>,
}

#[derive(Serialize)]
struct Filed {
    id: Uuid,
    name: String,
    path: String,
    #[serde(rename = "type")]
    media_type: String,
    size: i64,
    width: i32,
    height: i32,
    created_at: String,
}

/// Where in the archive a person's own picture is.
const PICTURE: &str = "picture.jpg";

impl FileService {
    /// Everything about the caller, as a ZIP.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `too_many_attempts` while the one before is being fetched.
    pub async fn export(&self, caller: &Caller, origin: Origin) -> Result<Content, Failure> {
        let turn = self.0.fetching.begin(caller.user)?;
        let (file, size) = self.0.archive(caller.user).await?;
        let now = self.0.world.now();
        let (user, session) = (Some(caller.user), Some(caller.session));
        let entry = AuditEntry { user, session, ..AuditEntry::of(Event::Exported, now, origin) };
        self.0.store.insert_audit_entry_as(Actor::new(caller, now), entry).await.map_err(act_failure)?;
        tracing::info!(user = %caller.user, size, "exported");
        Ok(Content { size, stream: Box::pin(stream::try_unfold((file, turn), next)) })
    }
}

/// The next bytes of an archive. The person's turn ends with it, and the file, which has no name, with its last handle.
async fn next((mut file, turn): (File, Turn)) -> Result<Option<(Bytes, (File, Turn))>, object_store::Error> {
    let read = spawn_blocking(move || {
        let mut chunk = vec![0; CHUNK];
        let count = io::Read::read(&mut file, &mut chunk)?;
        chunk.truncate(count);
        Ok::<_, io::Error>((chunk, file))
    });
    let read = read.await.map_err(io::Error::other).flatten();
    let (chunk, file) =
        read.map_err(|source| object_store::Error::Generic { store: "archive", source: Box::new(source) })?;
    Ok(if chunk.is_empty() { None } else { Some((chunk.into(), (file, turn))) })
}

impl Inner {
    /// Puts the archive together, in a file that nobody else can open and that is gone with whoever holds it.
    async fn archive(&self, user: Uuid) -> Result<(File, u64), Failure> {
        let account = self.store.user(user).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        let files = self.all_files(user).await?;
        let mut names = HashSet::new();
        let files: Vec<_> = files.into_iter().map(|file| (unique(&file.name, &mut names), file)).collect();
        let document = Document {
            exported_at: utc(self.world.now()),
            sessions: self.store.known_devices(user).await.map_err(internal)?.into_iter().map(listed).collect(),
            events: self.all_events(user).await?.into_iter().map(told).collect(),
            files: files.iter().map(|(path, file)| filed(path, file)).collect(),
            account: Account {
                id: account.user.id,
                username: account.user.username,
                nickname: account.user.nickname,
                email: account.email,
                mobile: account.mobile,
                role: account.user.role,
                created_at: utc(account.created_at),
                picture: account.user.avatar_url.as_ref().map(|_| PICTURE),
            },
        };
        let document = serde_json::to_vec_pretty(&document).map_err(|error| internal(ExportError::from(error)))?;
        let folder = self.scratch.clone();
        let begun = in_peace(move || Ok(ZipWriter::new(tempfile::tempfile_in(folder)?))).await?;
        let mut archive = add(begun, "account.json".to_owned(), document.into()).await?;
        let picture = account.user.avatar_url.as_deref().map(avatar::key);
        let pictures = picture.map(|key| (PICTURE.to_owned(), key)).into_iter();
        for (path, key) in pictures.chain(files.iter().map(|(path, file)| (path.clone(), file.key()))) {
            // What was removed a moment ago is not there.
            let Some(content) = self.objects.get(&key).await.map_err(internal)? else { continue };
            let parts: Vec<Bytes> =
                content.stream.try_collect().await.map_err(|error| internal(ExportError::from(error)))?;
            archive = add(archive, path, parts.concat().into()).await?;
        }
        in_peace(move || {
            let mut file = archive.finish()?;
            let size = file.seek(SeekFrom::End(0))?;
            file.rewind()?;
            Ok((file, size))
        })
        .await
    }

    async fn all_files(&self, user: Uuid) -> Result<Vec<StoredFile>, Failure> {
        let mut files: Vec<StoredFile> = Vec::new();
        loop {
            let page = self.store.files(user, files.last().map(|file| file.id), PAGE).await.map_err(internal)?;
            if page.is_empty() {
                return Ok(files);
            }
            files.extend(page);
        }
    }

    async fn all_events(&self, user: Uuid) -> Result<Vec<StoredEntry>, Failure> {
        let filter = AuditFilter { user: Some(user), ..AuditFilter::default() };
        let mut events: Vec<StoredEntry> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.id);
            let page = self.store.audit_page(filter, after, PAGE).await.map_err(internal)?;
            if page.is_empty() {
                return Ok(events);
            }
            events.extend(page);
        }
    }
}

/// Waits for the disk off the async threads.
async fn in_peace<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExportError> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(internal)?.map_err(internal)
}

async fn add(mut archive: ZipWriter<File>, path: String, bytes: Bytes) -> Result<ZipWriter<File>, Failure> {
    in_peace(move || {
        // Pictures cannot be made smaller by it.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(path, options)?;
        archive.write_all(&bytes)?;
        Ok(archive)
    })
    .await
}

/// Where a file is in the archive: by its name, and by a number where that is there already, also for those who do not tell
/// capitals from small letters.
fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let mut path = format!("files/{name}");
    let mut number = 2_u32;
    while !taken.insert(path.to_lowercase()) {
        path = format!("files/{stem} ({number}).{ending}");
        number += 1;
    }
    path
}

fn listed(device: StoredDevice) -> Listed {
    let StoredDevice { session, address, user_agent, .. } = device;
    Listed {
        id: session.id,
        created_at: utc(session.created_at),
        refreshed_at: utc(session.refreshed_at),
        expires_at: utc(session.expires_at),
        remember: session.remember,
        address,
        user_agent,
        ended: session.ended.map(crate::store::EndReason::as_str),
    }
}

fn told(entry: StoredEntry) -> Told {
    let StoredEntry { at, event, outcome, session, address, user_agent, detail, .. } = entry;
    Told { at: utc(at), event, outcome, session, address, user_agent, detail }
}

fn filed(path: &str, file: &StoredFile) -> Filed {
    Filed {
        id: file.id,
        name: file.name.clone(),
        path: path.to_owned(),
        media_type: file.media_type.clone(),
        size: file.size,
        width: file.width,
        height: file.height,
        created_at: utc(file.created_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_of_an_archive_have_one_name() {
        let mut taken = HashSet::new();
        let paths = ["x.png", "X.PNG", "x.png", "x (2).png", "y.jpg"].map(|name| unique(name, &mut taken));
        let expected = ["files/x.png", "files/X (2).PNG", "files/x (3).png", "files/x (2) (2).png", "files/y.jpg"];
        assert_eq!(paths, expected);
    }
}
