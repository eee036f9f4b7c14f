//! `/api/me/avatar`, `/api/me/files` and `/api/me/file`: pictures of the caller.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::User;

/// A stored picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FileEntry {
    /// A `UUIDv7` (RFC 9562 §5.7): ids of later files are greater.
    pub id: Uuid,
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size: i64,
    /// Width in pixels, after orientation.
    pub width: i32,
    /// Height in pixels, after orientation.
    pub height: i32,
    /// Media type: `image/jpeg`, `image/png` or `image/webp`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Upload time, in seconds of Unix time.
    pub created_at: i64,
}

/// A page of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FileList {
    /// Newest first.
    pub files: Vec<FileEntry>,
    /// Cursor of the next page: its `after`; null on the last page.
    pub next: Option<Uuid>,
    /// Number of files of the user, on all pages.
    pub total: u64,
    /// Bytes used by all files of the user, thumbnails included.
    pub used: i64,
    /// Bytes that the user may use.
    pub quota: i64,
    /// Number of notices to the user about pictures that an administrator has removed.
    pub notices: u64,
}

/// Query of a file list.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct FileListQuery {
    /// The `next` cursor of the previous page.
    #[cfg_attr(feature = "ssr", param(value_type = String, required = false))]
    pub after: Option<Uuid>,
    /// Page size: 1 to 100, default 50.
    #[cfg_attr(feature = "ssr", param(value_type = super::PageSize, inline, required = false))]
    pub limit: Option<u32>,
}

/// Query that names a file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct FileQuery {
    /// The `id` of the file.
    pub id: Uuid,
}

/// Query of an upload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct UploadQuery {
    /// File name. Its extension is corrected to the actual image format.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", param(required = false))]
    pub name: String,
}

/// Query of a download.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct DownloadQuery {
    /// The `id` of the file.
    pub id: Uuid,
    /// `full` (default) or `thumb`: a JPEG of at most 512 pixels width.
    #[cfg_attr(feature = "ssr", param(inline))]
    pub size: Option<FileSize>,
}

/// Version of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum FileSize {
    /// The picture as uploaded.
    #[default]
    Full,
    /// The thumbnail.
    Thumb,
}

/// Response to an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FileUploaded {
    /// Confirmation for the user.
    pub message: String,
    /// The stored file.
    pub file: FileEntry,
}

/// Response to a change of the avatar.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UserChanged {
    /// Confirmation for the user.
    pub message: String,
    /// The user after the change.
    pub user: User,
}

/// Returns the name of an export of a user's data. `date` is the day in ISO 8601.
#[must_use]
pub fn export_file_name(username: &str, date: &str) -> String {
    let portable = |character: char| {
        if character.is_alphanumeric() || "._-@+".contains(character) { character } else { '_' }
    };
    format!("gatehouse-{}-{date}.zip", username.chars().map(portable).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::export_file_name;

    #[test]
    fn export_file_name_has_username_and_date_without_separators() {
        for (username, expected) in [
            ("ada", "gatehouse-ada-2026-11-25.zip"),
            ("ada@example.org", "gatehouse-ada@example.org-2026-11-25.zip"),
            ("小明", "gatehouse-小明-2026-11-25.zip"),
            ("a/../b*c@example.org", "gatehouse-a_.._b_c@example.org-2026-11-25.zip"),
        ] {
            assert_eq!(export_file_name(username, "2026-11-25"), expected);
        }
    }
}
