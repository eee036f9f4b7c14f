//! What people send: their own picture, which everybody may see, and the pictures that they keep
//! for themselves.

mod avatar;
mod export;
mod name;
mod own;
mod strays;

use std::{path::PathBuf, sync::Arc};

use app::{
    backend::{Caller, ClientInfo, Failure, Files},
    protocol::{User, error::Code, files::FileList},
    validation::ServerProblem,
};
use async_trait::async_trait;
use axum::body::Bytes;
use uuid::Uuid;

pub use export::{ActiveExports, ExportError};
pub use own::{Opened, Size};
pub use strays::SweepError;

use crate::{
    accounts::user_cache::UserCache,
    clock::Env,
    failure::internal,
    objects::Objects,
    pictures::{BlockingPool, Header, PoolError, Refusal, Rendered, Shape, render},
    store::Store,
};

/// Bytes of the largest picture.
pub const PICTURE_MAX: usize = 5 * 1024 * 1024;

/// Pictures and files. A handle: clones are the same.
#[derive(Clone)]
pub struct FileService(Arc<Inner>);

/// What the service works with.
pub struct Inner {
    /// Where rows are kept.
    pub store: Store,
    /// Where bytes are kept.
    pub objects: Objects,
    /// Where pictures are decoded.
    pub pictures: BlockingPool,
    /// The accounts that were seen.
    pub user_cache: Arc<UserCache>,
    /// Time and chance.
    pub env: Env,
    /// Bytes that a person's files may take up.
    pub quota: i64,
    /// Files that a user may keep.
    pub files_max: u64,
    /// The folder for what is put together and fetched once.
    pub scratch: PathBuf,
    /// Exports in work.
    pub exports: ActiveExports,
}

impl FileService {
    /// The service.
    #[must_use]
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Decodes a picture and renders it in some shapes, once there is memory for it.
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

/// What the sender is told of it.
fn refused(field: &'static str, refusal: Refusal) -> Failure {
    let problem = match refusal {
        Refusal::UnknownKind => {
            return Failure::Refused(Code::UnsupportedMediaType, ServerProblem::PictureKind.into());
        }
        Refusal::TooManyPixels => ServerProblem::PicturePixels,
        Refusal::TooMuchMemory => ServerProblem::PictureMemory,
        Refusal::Broken => ServerProblem::PictureBroken,
    };
    Failure::field(field, problem)
}

#[async_trait]
impl Files for FileService {
    async fn remove_avatar(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<User, Failure> {
        self.unset_avatar(caller, client_info).await
    }

    async fn files(
        &self,
        caller: &Caller,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<FileList, Failure> {
        self.list(caller, after, limit).await
    }

    async fn remove_file(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        self.remove(caller, id).await
    }

    async fn delete_orphans(&self) {
        // The background does the rest: the caller does not wait for a hundred thousand files.
        if let Err(error) = self.sweep_some().await {
            tracing::warn!(%error, "orphaned objects were not deleted; the next cleanup retries");
        }
    }
}
