//! Operations that carry bytes instead of JSON, which server functions do not do well: what is
//! sent, and what is fetched.

use std::sync::Arc;

use app::{
    backend::{Caller, Failure, RequestContext},
    i18n::messages::Messages,
    protocol::{
        error::Code,
        files::{DownloadQuery, FileSize, FileUploaded, UploadQuery, UserChanged},
        paths,
    },
};
use axum::{
    body::{Body, Bytes},
    extract::Query,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::file_response;
use crate::files::{FileService, Size};

/// A call that was let in, with what came with it.
pub(super) struct Ask {
    pub(super) files: FileService,
    pub(super) context: Arc<RequestContext>,
    /// The operation's address, with its query where it takes one.
    pub(super) address: Uri,
    /// What was uploaded; empty for an operation without a body.
    pub(super) body: Bytes,
}

type Answer = Result<Response, Failure>;
pub(super) type Handler = fn(Ask) -> BoxFuture<'static, Answer>;

/// The operations that are answered here.
static HANDLERS: [(Method, &str, Handler); 4] = [
    (Method::PUT, paths::AVATAR, |ask| Box::pin(set_avatar(ask))),
    (Method::POST, paths::FILES, |ask| Box::pin(upload_file(ask))),
    (Method::GET, paths::FILE, |ask| Box::pin(download_file(ask))),
    (Method::GET, paths::EXPORT, |ask| Box::pin(export(ask))),
];

/// What answers an operation, where that is no server function.
pub(super) fn find(method: &Method, path: &str) -> Option<Handler> {
    HANDLERS.iter().find(|(of, at, _)| of == method && *at == path).map(|(_, _, handler)| *handler)
}

/// Verb and path of every operation that is no server function.
pub fn handled() -> impl Iterator<Item = (&'static Method, &'static str)> {
    HANDLERS.iter().map(|(method, path, _)| (method, *path))
}

async fn set_avatar(ask: Ask) -> Answer {
    let user = ask
        .files
        .set_avatar(ask.context.caller()?, ask.body, ask.context.client_info.clone())
        .await?;
    let message = Messages::of(ask.context.lang).avatar_changed.into();
    json(StatusCode::OK, &UserChanged { message, user })
}

async fn upload_file(ask: Ask) -> Answer {
    let UploadQuery { name } = query(&ask.address)?;
    let file = ask.files.keep(ask.context.caller()?, &name, ask.body).await?;
    let message = Messages::of(ask.context.lang).file_uploaded.into();
    json(StatusCode::CREATED, &FileUploaded { message, file })
}

async fn download_file(ask: Ask) -> Answer {
    let DownloadQuery { id, size } = query(&ask.address)?;
    let size = match size.unwrap_or_default() {
        FileSize::Thumb => Size::Thumb,
        FileSize::Full => Size::Full,
    };
    let caller: &Caller = ask.context.caller()?;
    let opened = ask.files.open(caller, id, size).await?;
    Ok(file_response::attachment(&opened.name, opened.media_type, opened.content))
}

async fn export(ask: Ask) -> Answer {
    let archive = ask.files.export(ask.context.caller()?, ask.context.client_info.clone()).await?;
    Ok(file_response::attachment("gatehouse.zip", "application/zip", archive))
}

fn query<T: DeserializeOwned>(address: &Uri) -> Result<T, Code> {
    Query::try_from_uri(address).map(|Query(members)| members).map_err(|_| Code::BadRequest)
}

fn json(status: StatusCode, answer: &impl serde::Serialize) -> Answer {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let body = serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "response could not be serialized");
        Code::InternalError
    })?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    Ok(response)
}
