//! The pictures that a person keeps here for themselves: as they came, with a small one beside
//! each.

use app::{
    backend::{Caller, Failure},
    protocol::{
        error::Code,
        files::{FileEntry, FileList},
    },
    validation::ServerProblem,
};
use axum::body::Bytes;
use uuid::Uuid;

use super::{FileService, Inner, name};
use crate::{
    failure::{act_failure, internal},
    objects::Content,
    pictures::{Kind, Rendered, Shape},
    store::{ActError, Actor, FilesMax, Kept, StoredFile},
    task::run_to_completion,
};

/// The thumbnail. A scroll of many thousand pixels is no larger than four squares.
const THUMBNAIL: Shape = Shape::Within { width: 512, height: 2048 };
/// Files on a page at the most.
const PAGE_MAX: u32 = 100;

/// Which of a file's pictures somebody wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The small one that was made of it.
    Thumb,
    /// The one that was sent.
    Full,
}

/// A picture on its way to its person.
pub struct Opened {
    /// What it is saved as.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub content: Content,
}

impl FileService {
    /// Keeps a picture for the caller.
    ///
    /// # Errors
    ///
    /// [`Failure`]: nothing of it is kept then.
    pub async fn keep(
        &self,
        caller: &Caller,
        title: &str,
        bytes: Bytes,
    ) -> Result<FileEntry, Failure> {
        let Rendered { kind, dimensions: (width, height), images: [thumbnail] } =
            self.render("file", bytes.clone(), [THUMBNAIL]).await?;
        let pixels = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let count = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        let file = StoredFile {
            id: self.0.env.uuid(),
            user: caller.user,
            name: name::clean(title, kind),
            media_type: kind.media_type().to_owned(),
            size: count(bytes.len()),
            stored_bytes: count(bytes.len().saturating_add(thumbnail.len())),
            width: pixels(width),
            height: pixels(height),
            created_at: self.0.env.now(),
        };
        let (service, actor) = (self.clone(), Actor::new(caller, file.created_at));
        run_to_completion(async move { service.0.keep(actor, file, bytes, thumbnail.into()).await })
            .await
    }

    /// Some of the caller's files, newest first: those before the one with this id.
    ///
    /// # Errors
    ///
    /// [`Failure`]
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure> {
        let limit = limit.unwrap_or(PAGE_MAX / 2);
        if !(1..=PAGE_MAX).contains(&limit) {
            return Err(Code::BadRequest.into());
        }
        let wanted = u64::from(limit) + 1;
        let mut files = self.0.store.files(caller.user, after, wanted).await.map_err(internal)?;
        let there_are_more = files.len() > limit as usize;
        files.truncate(limit as usize);
        Ok(FileList {
            next: files.last().filter(|_| there_are_more).map(|file| file.id),
            files: files.into_iter().map(entry).collect(),
            used: self.0.store.files_usage(caller.user).await.map_err(internal)?.bytes,
            quota: self.0.quota,
        })
    }

    /// One of the caller's files.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` also for another person's.
    pub async fn open(&self, caller: &Caller, id: Uuid, size: Size) -> Result<Opened, Failure> {
        let file =
            self.0.store.file(caller.user, id).await.map_err(internal)?.ok_or(Code::NotFound)?;
        let (key, kind) = match size {
            Size::Thumb => (file.thumbnail_key(), Some(Kind::Jpeg)),
            Size::Full => (file.key(), Kind::of_media_type(&file.media_type)),
        };
        let kind = kind.ok_or(Code::InternalError)?;
        let content = self.0.objects.get(&key).await.map_err(internal)?.ok_or_else(|| {
            // Either it is being removed at this moment, or somebody has been at the folder.
            tracing::warn!(key, "static file not found");
            Code::NotFound
        })?;
        Ok(Opened { name: name::clean(&file.name, kind), media_type: kind.media_type(), content })
    }

    /// Removes one of the caller's files.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` also for another person's.
    pub async fn remove(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        let (service, actor) = (self.clone(), Actor::new(caller, self.0.env.now()));
        run_to_completion(async move {
            let inner = &service.0;
            let removed = inner.store.remove_file(actor, id).await.map_err(act_failure)?;
            inner.discard(removed.ok_or(Code::NotFound)?.keys()).await;
            Ok(())
        })
        .await
    }
}

impl Inner {
    async fn keep(
        &self,
        actor: Actor,
        file: StoredFile,
        bytes: Bytes,
        thumbnail: Bytes,
    ) -> Result<FileEntry, Failure> {
        let most = FilesMax { files: self.files_max, bytes: self.quota };
        // Spares the disk; what decides is the transaction, below.
        let usage = self.store.files_usage(file.user).await.map_err(internal)?;
        if let Some(refusal) = usage.refuses(&file, most) {
            return Err(refused(&refusal, most));
        }
        self.put_all(vec![(file.key(), bytes), (file.thumbnail_key(), thumbnail)]).await?;
        let refusal = match self.store.insert_file(actor, file.clone(), most).await {
            Ok(Kept::Done) => return Ok(entry(file)),
            Ok(refusal) => refused(&refusal, most),
            Err(ActError::Denied(denied)) => denied.into(),
            Err(ActError::Store(error)) => {
                // Where the row is there nevertheless, or nobody can tell, the objects stay for the
                // sweep to decide upon.
                if matches!(self.store.file(file.user, file.id).await, Ok(None)) {
                    self.discard(file.keys()).await;
                }
                return Err(internal(error));
            }
        };
        self.discard(file.keys()).await;
        Err(refusal)
    }
}

/// What the sender of a file that was not kept is told.
fn refused(refusal: &Kept, most: FilesMax) -> Failure {
    let problem = match refusal {
        Kept::OverQuota => ServerProblem::FilesQuota { bytes: most.bytes },
        Kept::OverCount => ServerProblem::FilesCount { max: most.files },
        Kept::Done => return Code::InternalError.into(),
    };
    Failure::Refused(Code::PayloadTooLarge, problem.into())
}

/// A file as its person sees it.
fn entry(file: StoredFile) -> FileEntry {
    let StoredFile { id, name, media_type, size, width, height, created_at, .. } = file;
    FileEntry { id, name, media_type, size, width, height, created_at }
}
