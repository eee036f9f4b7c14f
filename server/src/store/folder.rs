//! The data folder.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

/// Creates the folder with mode 0700, and checks that it is writable.
pub(crate) fn prepare_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    // An unnamed file: a killed process leaves none behind, and names cannot collide.
    tempfile::tempfile_in(path).map(|_| ())
}
