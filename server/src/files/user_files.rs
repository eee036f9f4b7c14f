//! Private files of users, stored as uploaded, each with a thumbnail.

use app::{
    backend::{Caller, Failure},
    protocol::{
        error::Code,
        files::{FileEntry, FileList, FileSize},
    },
    validation::ServerProblem,
};
use axum::body::Bytes;
use uuid::Uuid;

use super::{FileService, Inner, name};
use crate::{
    failure::internal,
    objects::Content,
    pictures::{Kind, Rendered, Shape},
    store::{ActError, Actor, FileLimits, InsertFileOutcome, StoredFile},
};

/// Bounds of a thumbnail. A very tall picture is no larger than four squares.
const THUMBNAIL: Shape = Shape::Within { width: 512, height: 2048 };
/// Maximum page size.
const PAGE_MAX: u32 = 100;

/// A file to download.
pub struct Opened {
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: &'static str,
    /// Content.
    pub content: Content,
}

impl FileService {
    /// Stores a picture for the caller.
    ///
    /// # Errors
    ///
    /// [`Failure`]: nothing was stored.
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
        self.run_to_completion(
            async move { service.0.keep(actor, file, bytes, thumbnail.into()).await },
        )
        .await
    }

    /// Returns a page of the caller's files, newest first, starting before the one with this id.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure> {
        self.list_page(caller.user, after, limit).await
    }

    /// Returns a page of a user's files.
    pub(super) async fn list_page(
        &self,
        user: Uuid,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure> {
        let limit = limit.unwrap_or(PAGE_MAX / 2);
        if !(1..=PAGE_MAX).contains(&limit) {
            return Err(Code::BadRequest.into());
        }
        let wanted = u64::from(limit) + 1;
        let mut files = self.0.store.files(user, after, wanted).await.map_err(internal)?;
        let there_are_more = files.len() > limit as usize;
        files.truncate(limit as usize);
        let usage = self.0.store.files_usage(user).await.map_err(internal)?;
        let notices = self.0.store.count_removal_notices(user).await.map_err(internal)?;
        Ok(FileList {
            next: files.last().filter(|_| there_are_more).map(|file| file.id),
            files: files.into_iter().map(entry).collect(),
            total: usage.files,
            used: usage.bytes,
            quota: self.0.quota,
            notices,
        })
    }

    /// Opens one of the caller's files.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` also for files of other users.
    pub async fn open(&self, caller: &Caller, id: Uuid, size: FileSize) -> Result<Opened, Failure> {
        self.open_file(caller.user, id, size).await
    }

    /// Opens a user's file.
    pub(super) async fn open_file(
        &self,
        user: Uuid,
        id: Uuid,
        size: FileSize,
    ) -> Result<Opened, Failure> {
        let file = self.0.store.file(user, id).await.map_err(internal)?.ok_or(Code::NotFound)?;
        let (key, kind) = match size {
            FileSize::Thumb => (file.thumbnail_key(), Some(Kind::Jpeg)),
            FileSize::Full => (file.key(), Kind::of_media_type(&file.media_type)),
        };
        let kind = kind.ok_or(Code::InternalError)?;
        let content = self.0.objects.get(&key).await.map_err(internal)?.ok_or_else(|| {
            // It was deleted a moment ago, or is missing in the object store.
            tracing::warn!(key, "static file not found");
            Code::NotFound
        })?;
        Ok(Opened { name: name::clean(&file.name, kind), media_type: kind.media_type(), content })
    }

    /// Deletes one of the caller's files.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` also for files of other users.
    pub async fn remove(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        let (service, actor) = (self.clone(), Actor::new(caller, self.0.env.now()));
        self.run_to_completion(async move {
            let inner = &service.0;
            let removed = inner.store.remove_file(actor, id).await.map_err(Failure::from)?;
            inner.delete_objects(removed.ok_or(Code::NotFound)?.keys()).await;
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
        let most = FileLimits { files: self.files_max, bytes: self.quota };
        // Avoids useless writes; the transaction below decides.
        let usage = self.store.files_usage(file.user).await.map_err(internal)?;
        if let Some(refusal) = usage.refuses(&file, most) {
            return Err(refused(&refusal, most));
        }
        self.put_all(vec![(file.key(), bytes), (file.thumbnail_key(), thumbnail)]).await?;
        let refusal = match self.store.insert_file(actor, file.clone(), most).await {
            Ok(InsertFileOutcome::Inserted) => return Ok(entry(file)),
            Ok(refusal) => refused(&refusal, most),
            Err(ActError::Denied(denied)) => denied.into(),
            Err(ActError::Store(error)) => {
                // If the row exists nevertheless, or its existence is unknown, the objects stay
                // until the orphan sweep decides.
                if matches!(self.store.file(file.user, file.id).await, Ok(None)) {
                    self.delete_objects(file.keys()).await;
                }
                return Err(internal(error));
            }
        };
        self.delete_objects(file.keys()).await;
        Err(refusal)
    }
}

/// Converts a refused insert into an error.
fn refused(refusal: &InsertFileOutcome, most: FileLimits) -> Failure {
    let problem = match refusal {
        InsertFileOutcome::OverQuota => ServerProblem::FilesQuotaExceeded { bytes: most.bytes },
        InsertFileOutcome::OverCount => ServerProblem::FilesCountExceeded { max: most.files },
        InsertFileOutcome::Inserted => return Code::InternalError.into(),
    };
    Failure::Refused(Code::PayloadTooLarge, problem.into())
}

/// Converts a row into the response.
fn entry(file: StoredFile) -> FileEntry {
    let StoredFile { id, name, media_type, size, width, height, created_at, .. } = file;
    FileEntry { id, name, media_type, size, width, height, created_at }
}
