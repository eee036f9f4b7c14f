//! Uploaded files: avatars, which are public, and private files of users.

mod avatar;
mod export;
mod moderation;
mod name;
mod orphan_sweep;
mod shared_objects;
mod user_files;

use std::{path::PathBuf, sync::Arc};

use app::{
    backend::{Caller, ClientInfo, Failure, Files, RemovalRequest},
    protocol::{
        User, error::Code, files::FileList, moderation::RemovalNotice, users::AccountFilesQuery,
    },
    validation::ServerProblem,
};
use async_trait::async_trait;
use axum::body::Bytes;
use uuid::Uuid;

pub use export::{ActiveExports, ExportError};
pub use orphan_sweep::SweepError;
pub use shared_objects::{SharedObjectsError, ensure_shared};
pub use user_files::Opened;

use crate::{
    accounts::user_cache::UserCache,
    clock::Env,
    failure::internal,
    objects::Objects,
    pictures::{BlockingPool, Header, PoolError, Refusal, Rendered, Shape, render},
    store::Store,
    task::Tasks,
};

/// Maximum size of an upload, in bytes.
pub const PICTURE_MAX: usize = 5 * 1024 * 1024;

/// Service for avatars, files and exports. Clones share it.
#[derive(Clone)]
pub struct FileService(Arc<Inner>);

/// Dependencies and settings of the service.
pub struct Inner {
    /// Database.
    pub store: Store,
    /// Object store.
    pub objects: Objects,
    /// Pool that decodes pictures.
    pub pictures: BlockingPool,
    /// Cached accounts.
    pub user_cache: Arc<UserCache>,
    /// Clock and random numbers.
    pub env: Env,
    /// Storage quota per user, in bytes.
    pub quota: i64,
    /// Maximum number of files per user.
    pub files_max: u64,
    /// Folder of temporary files.
    pub scratch: PathBuf,
    /// Limit of concurrent exports.
    pub exports: ActiveExports,
    /// Tasks that may outlive their request.
    pub tasks: Tasks,
}

impl FileService {
    /// Creates the service.
    #[must_use]
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Runs a change to completion: see [`Tasks::run_to_completion`].
    async fn run_to_completion<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.tasks.run_to_completion(change).await
    }

    /// Decodes a picture and renders it in some shapes, once memory is free.
    async fn render<const N: usize>(
        &self,
        field: &'static str,
        bytes: Bytes,
        shapes: [Shape; N],
    ) -> Result<Rendered<N>, Failure> {
        let refuse = |refusal| refused(field, refusal);
        let file = bytes.clone();
        let header = self.0.pictures.run(0, move || Header::read(&file)).await.map_err(internal)?;
        let header = header.unwrap_or(Err(Refusal::Broken)).map_err(refuse)?;
        match self.0.pictures.run(header.memory, move || render(&bytes, shapes)).await {
            Ok(done) => done.unwrap_or(Err(Refusal::Broken)).map_err(refuse),
            Err(PoolError::TooMuchMemory) => Err(refuse(Refusal::TooMuchMemory)),
            Err(error) => Err(internal(error)),
        }
    }
}

/// Converts a refusal into the error of a request field.
fn refused(field: &'static str, refusal: Refusal) -> Failure {
    let problem = match refusal {
        Refusal::UnknownKind => {
            return Failure::Refused(Code::UnsupportedMediaType, ServerProblem::ImageFormat.into());
        }
        Refusal::TooManyPixels => ServerProblem::ImagePixels,
        Refusal::TooMuchMemory => ServerProblem::ImageMemory,
        Refusal::Broken => ServerProblem::ImageDamaged,
    };
    Failure::field(field, problem)
}

#[async_trait]
impl Files for FileService {
    async fn delete_avatar(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<User, Failure> {
        self.unset_avatar(caller, client_info).await
    }

    async fn list_files(
        &self,
        caller: &Caller,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure> {
        self.list(caller, after, limit).await
    }

    async fn delete_file(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        self.remove(caller, id).await
    }

    async fn list_files_of(
        &self,
        caller: &Caller,
        query: AccountFilesQuery,
        client_info: ClientInfo,
    ) -> Result<FileList, Failure> {
        self.list_of(caller, query, client_info).await
    }

    async fn remove_picture(
        &self,
        caller: &Caller,
        removal: RemovalRequest,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        self.remove_for(caller, removal, client_info).await
    }

    async fn notices(&self, caller: &Caller) -> Result<Vec<RemovalNotice>, Failure> {
        self.notices_to(caller).await
    }

    async fn dismiss_notice(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        self.dismiss(caller, id).await
    }

    async fn delete_orphans(&self) {
        // One batch; the background task deletes the rest, so the caller does not wait for 100 000
        // files.
        if let Err(error) = self.sweep_batch().await {
            tracing::warn!(%error, "orphaned objects were not deleted; the next cleanup retries");
        }
    }
}
