//! State of the file list: loading, uploads, removal with undo.

use std::{collections::VecDeque, time::Duration};

use leptos::{ev, prelude::*};
use uuid::Uuid;

use super::uploads::{self, Upload};
use crate::{
    browser_value::BrowserValue,
    components::{api_error_view::DisplayedError, loader::Loader, toasts::Toasts},
    dom,
    protocol::{
        error::Code,
        files::{FileEntry, FileList, FileListQuery, FileQuery},
        paths,
    },
    server_fns::{delete_file, list_files},
    session::browser::{SessionContext, upload},
};

/// Time during which a removal can be undone.
const UNDO_WINDOW: Duration = Duration::from_secs(8);
/// Uploads at a time; others are queued.
const MAX_CONCURRENT_UPLOADS: u32 = 3;

/// State of a file list on a page.
#[derive(Clone, Copy)]
pub(super) struct FileListState {
    list: Loader<FileList>,
    /// Uploads that are pending or have failed.
    uploads: RwSignal<Vec<Upload>>,
    /// Removed file; the server is told when the undo window ends.
    pub(super) pending_removal: RwSignal<Option<FileEntry>>,
    upload_queue: BrowserValue<VecDeque<(Upload, web_sys::File)>>,
    active_uploads: StoredValue<u32>,
    number: StoredValue<u32>,
    page_size: u32,
    /// True if only the first page is shown.
    is_preview: bool,
    toasts: Toasts,
}

impl FileListState {
    /// Creates the state of a list with this page size; a preview shows the first page only.
    pub(super) fn new(page_size: u32, is_preview: bool) -> Self {
        Self {
            list: Loader::new(),
            uploads: RwSignal::new(Vec::new()),
            pending_removal: RwSignal::new(None),
            upload_queue: BrowserValue::new(VecDeque::new),
            active_uploads: StoredValue::new(0),
            number: StoredValue::new(0),
            page_size,
            is_preview,
            toasts: Toasts::of_page(),
        }
    }

    /// Loads the files of the signed-in user; commits a pending removal when the page is left.
    pub(super) fn keep_loaded(self, is_ready: impl Fn() -> bool + 'static) {
        let context = SessionContext::of_page();
        Effect::new(move |before: Option<Option<Uuid>>| {
            let user = context.user_id().filter(|_| is_ready());
            if before.flatten() != user {
                self.pending_removal.set(None);
                if user.is_some() {
                    self.reload();
                } else {
                    self.list.reset();
                }
            }
            user
        });
        Effect::new(move |_| {
            let pagehide = window_event_listener(ev::pagehide, move |_| {
                if let Some(file) = self.pending_removal.try_update(Option::take).flatten() {
                    upload::delete_with_keepalive(&format!("{}?id={}", paths::FILES, file.id));
                }
            });
            on_cleanup(move || pagehide.remove());
        });
        // A timer for each removal: an undo that is pointed at or has the focus stays.
        Effect::new(move |_| {
            if self.pending_removal.with(Option::is_none) {
                return;
            }
            let undo_timer = set_interval_with_handle(
                move || {
                    if dom::find(".undo:is(:hover,:has(:focus-visible))").is_none() {
                        self.commit_removal();
                    }
                },
                UNDO_WINDOW,
            );
            on_cleanup(move || {
                if let Ok(handle) = undo_timer {
                    handle.clear();
                }
            });
        });
        on_cleanup(move || self.commit_removal());
    }

    /// Loads the first page.
    pub(super) fn reload(self) {
        self.list.load(list_files(self.page_after(None)));
    }

    fn page_after(self, after: Option<Uuid>) -> FileListQuery {
        FileListQuery { after, limit: Some(self.page_size) }
    }

    /// Loads the next page.
    pub(super) fn load_more(self) {
        let Some(after) = self.list.update(|list| list.next.take()).flatten() else { return };
        dom::spawn(async move {
            let result = list_files(self.page_after(Some(after))).await;
            if result.is_err() {
                self.toasts.alert(|strings| strings.files_failed);
            }
            self.list.update(|list| match result {
                Ok(page) => {
                    list.files.extend(page.files);
                    list.next = page.next;
                }
                Err(_) => list.next = Some(after),
            });
        });
    }

    /// Returns the number of notices to the user about removed pictures.
    pub(super) fn notices(self) -> Option<u64> {
        self.list.get(|list| list.notices)
    }

    /// Returns whether the first page is being loaded.
    pub(super) fn is_loading(self) -> bool {
        self.list.is_loading()
    }

    /// Returns the error, if loading has failed.
    pub(super) fn load_error(self) -> Option<DisplayedError> {
        self.list.error()
    }

    /// Returns the files to show, newest first.
    pub(super) fn files(self) -> Vec<FileEntry> {
        let max = if self.is_preview { self.page_size as usize } else { usize::MAX };
        self.list.get(|list| list.files.iter().take(max).cloned().collect()).unwrap_or_default()
    }

    /// Returns the number of files of the user.
    pub(super) fn total(self) -> Option<u64> {
        self.list.get(|list| list.total)
    }

    /// Returns the uploads that have failed, or those that have not.
    pub(super) fn uploads(self, failed: bool) -> Vec<Upload> {
        self.uploads.with(|uploads| {
            uploads.iter().filter(|upload| upload.has_failed() == failed).cloned().collect()
        })
    }

    /// Returns whether the user has neither files nor uploads.
    pub(super) fn is_empty(self) -> bool {
        self.list.get(|list| list.files.is_empty()).unwrap_or_default()
            && self.uploads(false).is_empty()
    }

    /// Returns whether there are more files to load.
    pub(super) fn has_more(self) -> bool {
        !self.is_preview && self.list.get(|list| list.next.is_some()).unwrap_or_default()
    }

    /// Returns the storage in bytes: used, and quota.
    pub(super) fn usage(self) -> Option<(i64, i64)> {
        self.list.get(|list| (list.used, list.quota))
    }

    /// Uploads files, [`MAX_CONCURRENT_UPLOADS`] at a time.
    pub(super) fn send(self, list: Vec<web_sys::File>) {
        for file in list {
            let number = self.number.get_value();
            self.number.set_value(number + 1);
            let upload = Upload::new(number, &file);
            self.uploads.update(|uploads| uploads.push(upload.clone()));
            if upload.is_possible() {
                let _ = self.upload_queue.update(|queue| queue.push_back((upload, file)));
            }
        }
        self.start_queued_uploads();
    }

    fn start_queued_uploads(self) {
        while self
            .active_uploads
            .try_get_value()
            .is_some_and(|active| active < MAX_CONCURRENT_UPLOADS)
        {
            let next = self.upload_queue.update(VecDeque::pop_front).flatten();
            let Some((upload, file)) = next else { return };
            self.active_uploads.update_value(|active| *active += 1);
            dom::spawn(async move {
                if let Some(kept) = uploads::upload_file(&upload, &file).await {
                    let is_shown = self.list.update(|list| {
                        list.used += kept.size;
                        list.total += 1;
                        list.files.insert(0, kept);
                    });
                    self.drop_upload(upload.number);
                    // The pending response may be from before the upload.
                    if is_shown.is_none() && self.list.is_pending_untracked() {
                        self.reload();
                    }
                }
                self.active_uploads.try_update_value(|active| *active -= 1);
                self.start_queued_uploads();
            });
        }
    }

    /// Cancels an upload, or removes a failed one from the list.
    pub(super) fn cancel_upload(self, upload: &Upload) {
        let number = upload.number;
        let _ = self.upload_queue.update(|queue| queue.retain(|(waits, _)| waits.number != number));
        upload.abort();
        self.drop_upload(number);
    }

    fn drop_upload(self, number: u32) {
        self.uploads.try_update(|uploads| uploads.retain(|upload| upload.number != number));
    }

    /// Removes a file from the list. The server deletes it when the undo window ends.
    pub(super) fn remove(self, id: Uuid) {
        self.commit_removal();
        let removed = self.list.update(|list| {
            let index = list.files.iter().position(|file| file.id == id)?;
            list.total = list.total.saturating_sub(1);
            Some(list.files.remove(index))
        });
        self.pending_removal.set(removed.flatten());
    }

    /// Undoes the pending removal, and returns the id of the file.
    pub(super) fn restore(self) -> Option<Uuid> {
        let file = self.pending_removal.try_update(Option::take).flatten()?;
        let id = file.id;
        self.reinsert(file);
        Some(id)
    }

    fn reinsert(self, file: FileEntry) {
        self.list.update(|FileList { files, total, .. }| {
            *total += 1;
            // Ids are time-ordered: newer files have greater ones.
            let index = files.iter().position(|other| other.id < file.id).unwrap_or(files.len());
            files.insert(index, file);
        });
    }

    /// Deletes the removed file on the server.
    fn commit_removal(self) {
        let Some(file) = self.pending_removal.try_update(Option::take).flatten() else { return };
        dom::spawn(async move {
            match delete_file(FileQuery { id: file.id }).await {
                Ok(_) => {
                    self.list.update(|list| list.used = (list.used - file.size).max(0));
                }
                // Deleted already, for example in another tab.
                Err(error) if error.code == Code::NotFound => {}
                Err(_) => {
                    self.reinsert(file);
                    self.toasts.alert(|strings| strings.file_delete_failed);
                }
            }
        });
    }
}
