//! The document of an export. Times are in UTC (RFC 3339).

use app::protocol::Role;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    clock::utc,
    domain::session::EndReason,
    store::{StoredEntry, StoredFile, StoredSession, StoredUser},
};

/// Path of the avatar in the archive.
pub(super) const PICTURE: &str = "picture.jpg";

#[derive(Serialize)]
pub(super) struct Account {
    pub(super) id: Uuid,
    pub(super) username: String,
    pub(super) nickname: Option<String>,
    pub(super) email: Option<String>,
    pub(super) mobile: Option<String>,
    pub(super) role: Role,
    pub(super) created_at: String,
    pub(super) password_changed_at: String,
    pub(super) picture: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct ExportedSession {
    pub(super) id: Uuid,
    pub(super) created_at: String,
    pub(super) refreshed_at: String,
    pub(super) expires_at: String,
    pub(super) remember: bool,
    pub(super) address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) ended: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct ExportedEvent {
    pub(super) at: String,
    pub(super) event: String,
    pub(super) outcome: String,
    pub(super) session: Option<Uuid>,
    pub(super) address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) detail: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ExportedFile<'a> {
    id: Uuid,
    name: &'a str,
    path: &'a str,
    #[serde(rename = "type")]
    media_type: &'a str,
    size: i64,
    width: i32,
    height: i32,
    created_at: String,
}

impl From<StoredUser> for Account {
    fn from(account: StoredUser) -> Self {
        let StoredUser { user, email, mobile, created_at, password_changed_at, .. } = account;
        Self {
            id: user.id,
            picture: user.avatar_url.is_some().then_some(PICTURE),
            username: user.username,
            nickname: user.nickname,
            email,
            mobile,
            role: user.role,
            created_at: utc(created_at),
            password_changed_at: utc(password_changed_at),
        }
    }
}

impl From<StoredSession> for ExportedSession {
    fn from(device: StoredSession) -> Self {
        let StoredSession { session, address, user_agent, .. } = device;
        Self {
            id: session.id,
            created_at: utc(session.created_at),
            refreshed_at: utc(session.refreshed_at),
            expires_at: utc(session.expires_at),
            remember: session.remember,
            address,
            user_agent,
            ended: session.ended.map(EndReason::as_str),
        }
    }
}

impl From<StoredEntry> for ExportedEvent {
    fn from(entry: StoredEntry) -> Self {
        let StoredEntry { at, event, outcome, session, address, user_agent, detail, .. } = entry;
        Self { at: utc(at), event, outcome, session, address, user_agent, detail }
    }
}

impl<'a> ExportedFile<'a> {
    pub(super) fn new(path: &'a str, file: &'a StoredFile) -> Self {
        Self {
            id: file.id,
            name: &file.name,
            path,
            media_type: &file.media_type,
            size: file.size,
            width: file.width,
            height: file.height,
            created_at: utc(file.created_at),
        }
    }
}
