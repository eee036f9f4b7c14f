//! What people send: their own picture, which everybody may see, and the pictures that they keep for themselves.

mod avatar;
mod export;
mod name;
mod own;
mod strays;

use std::{path::PathBuf, sync::Arc};

use app::{
    api::{User, error::Code, files::FileList},
    backend::{Caller, Failure, Fields, Files, Origin},
    rules::ServerProblem,
};
use async_trait::async_trait;
use uuid::Uuid;

pub use export::{ExportError, Fetching};
pub use own::{Opened, Size};
pub use strays::SweepError;

use crate::{
    accounts::directory::Directory,
    clock::World,
    failure::internal,
    objects::Objects,
    pictures::{Refusal, Workshop},
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
    /// Where pictures are unpacked.
    pub workshop: Workshop,
    /// The accounts that were seen.
    pub directory: Arc<Directory>,
    /// Time and chance.
    pub world: World,
    /// Bytes that a person's files may take up.
    pub quota: i64,
    /// The folder for what is put together and fetched once.
    pub scratch: PathBuf,
    /// Who is fetching such a thing.
    pub fetching: Fetching,
}

impl FileService {
    /// The service.
    #[must_use]
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Unpacks a picture and makes something of it.
    async fn work<T: Send + 'static>(
        &self,
        field: &'static str,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Failure> {
        let done = self.0.workshop.run(work).await.map_err(internal)?;
        done.unwrap_or(Err(Refusal::Broken)).map_err(|refusal| refused(field, refusal))
    }
}

/// What the sender is told of it.
fn refused(field: &'static str, refusal: Refusal) -> Failure {
    let problem = match refusal {
        Refusal::UnknownKind => return Failure::Refused(Code::UnsupportedMediaType, ServerProblem::PictureKind.into()),
        Refusal::TooManyPixels => ServerProblem::PicturePixels,
        Refusal::Broken => ServerProblem::PictureBroken,
    };
    let mut fields = Fields::default();
    fields.refuse(field, problem);
    Failure::Validation(fields)
}

#[async_trait]
impl Files for FileService {
    async fn remove_avatar(&self, caller: &Caller, origin: Origin) -> Result<User, Failure> {
        self.unset_avatar(caller, origin).await
    }

    async fn files(&self, caller: &Caller, after: Option<Uuid>, limit: Option<u32>) -> Result<FileList, Failure> {
        self.list(caller, after, limit).await
    }

    async fn remove_file(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        self.remove(caller, id).await
    }

    async fn clear_away(&self) {
        // The background does the rest: the caller does not wait for a hundred thousand files.
        if let Err(error) = self.sweep_some().await {
            tracing::warn!(%error, "what belongs to nobody was not removed; the next sweep tries again");
        }
    }
}
