//! `/api/me/avatar`, `/api/me/files`, `/api/me/file` and `/api/me/notices`: pictures of the caller.

use app::{
    backend::Failure,
    protocol::{
        error::Code,
        files::{DownloadQuery, FileUploaded, UploadQuery, UserChanged},
        paths,
    },
    server_fns::{DeleteAvatar, DeleteFile, DismissNotice, ListFiles, ListNotices},
};
use axum::{
    Json,
    extract::Query,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use serde::de::DeserializeOwned;
use utoipa::openapi::{ObjectBuilder, schema::Type};

use super::{BodyDocs, ByteRequest, Endpoint, Schemas, Tag, json};
use crate::{domain::access::AuthRequirement, http::file_response};

pub(super) const PICTURE: BodyDocs = BodyDocs {
    media_types: &["image/jpeg", "image/png", "image/webp"],
    schemas: || binary("Picture", "Image bytes."),
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::bytes(
            Tag::Account,
            "set_avatar",
            Method::PUT,
            paths::AVATAR,
            AuthRequirement::Access,
            |request| Box::pin(set_avatar(request)),
        )
        .describe(
            "Set the avatar",
            "The body is a JPEG, PNG or WebP image of at most 5 MB and 24 megapixels; the declared \
             content type is ignored. The image is cropped to a square, oriented, and re-encoded \
             without metadata. `avatar_url` is the version of 512 pixels; replace `-512` by `-96` \
             for the small one. Both are immutable.",
        )
        .upload(PICTURE)
        .returns(json::<UserChanged>())
        .errors(&[
            Code::ValidationFailed,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
        ]),
        Endpoint::server_fn::<DeleteAvatar>(Tag::Account, "delete_avatar", AuthRequirement::Access)
            .describe("Delete the avatar", "Succeeds if no avatar is set."),
        Endpoint::query_fn::<ListFiles>(Tag::Account, "list_files", AuthRequirement::Access)
            .describe(
                "List files",
                "Newest first, with cursor pagination. An empty `after` or `limit` counts as \
                 absent.",
            ),
        Endpoint::bytes(
            Tag::Account,
            "upload_file",
            Method::POST,
            paths::FILES,
            AuthRequirement::Access,
            |request| Box::pin(upload_file(request)),
        )
        .describe(
            "Upload a file",
            "The body is a JPEG, PNG or WebP image of at most 5 MB and 24 megapixels. It is stored \
             unchanged together with a thumbnail; only its owner can read it. `payload_too_large` \
             is also the response when the quota of the user is exceeded.",
        )
        .query::<UploadQuery>()
        .upload(PICTURE)
        .created()
        .returns(json::<FileUploaded>())
        .errors(&[
            Code::ValidationFailed,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
        ]),
        Endpoint::query_fn::<DeleteFile>(Tag::Account, "delete_file", AuthRequirement::Access)
            .describe("Delete a file", "A file of another user is `not_found`.")
            .errors(&[Code::NotFound]),
        Endpoint::bytes(
            Tag::Account,
            "download_file",
            Method::GET,
            paths::FILE,
            AuthRequirement::Access,
            |request| Box::pin(download_file(request)),
        )
        .describe(
            "Download a file",
            "Returns the image as an attachment. A file of another user is `not_found`.",
        )
        .query::<DownloadQuery>()
        .returns(PICTURE)
        .errors(&[Code::NotFound]),
        Endpoint::server_fn::<ListNotices>(Tag::Account, "list_notices", AuthRequirement::Access)
            .describe(
                "List notices",
                "Pictures of the caller that an administrator has removed, with the reason. Newest \
                 first, at most 100.",
            ),
        Endpoint::query_fn::<DismissNotice>(
            Tag::Account,
            "dismiss_notice",
            AuthRequirement::Access,
        )
        .describe("Dismiss a notice", "A notice to another user is `not_found`.")
        .errors(&[Code::NotFound]),
    ]
}

async fn set_avatar(request: ByteRequest) -> Result<Response, Failure> {
    let ByteRequest { files, context, body, .. } = request;
    let user = files.set_avatar(context.caller()?, body, context.client_info.clone()).await?;
    let message = context.message(|messages| messages.avatar_changed);
    Ok(Json(UserChanged { message, user }).into_response())
}

async fn upload_file(request: ByteRequest) -> Result<Response, Failure> {
    let UploadQuery { name } = parse_query(&request.uri)?;
    let context = &request.context;
    let file = request.files.keep(context.caller()?, &name, request.body).await?;
    let message = context.message(|messages| messages.file_uploaded);
    Ok((StatusCode::CREATED, Json(FileUploaded { message, file })).into_response())
}

async fn download_file(request: ByteRequest) -> Result<Response, Failure> {
    let DownloadQuery { id, size } = parse_query(&request.uri)?;
    let caller = request.context.caller()?;
    let opened = request.files.open(caller, id, size.unwrap_or_default()).await?;
    Ok(file_response::attachment(&opened.name, opened.media_type, opened.content))
}

pub(super) fn parse_query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Code> {
    Query::try_from_uri(uri).map(|Query(query)| query).map_err(|_| Code::BadRequest)
}

/// Schema of a body that is not JSON.
pub(super) fn binary(name: &str, description: &str) -> Schemas {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .content_media_type("application/octet-stream");
    vec![(name.to_owned(), schema.into())]
}
