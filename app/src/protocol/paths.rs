//! Paths of the endpoints that are called without a server function, or that the session treats
//! specially.

/// Registers an account.
pub const REGISTER: &str = "/api/auth/register";
/// Starts a session.
pub const LOGIN: &str = "/api/auth/login";
/// Rotates the token pair.
pub const REFRESH: &str = "/api/auth/refresh";
/// Checks the access token.
pub const VERIFY: &str = "/api/auth/verify";
/// Ends the session.
pub const LOGOUT: &str = "/api/auth/logout";
/// The avatar of the caller.
pub const AVATAR: &str = "/api/me/avatar";
/// The list of the caller's files, which takes uploads and deletions too.
pub const FILES: &str = "/api/me/files";
/// One of the caller's files.
pub const FILE: &str = "/api/me/file";
/// The caller's account data, as a ZIP archive.
pub const EXPORT: &str = "/api/me/export";
/// A file of any account, for administrators.
pub const ACCOUNT_FILE: &str = "/api/users/file";
