//! What the page knows of a person's files, and what it does with them.

use std::{collections::VecDeque, time::Duration};

use leptos::{ev, prelude::*};
use uuid::Uuid;

use super::sending::{self, Upload};
use crate::{
    browser_value::BrowserValue,
    components::{notices::Notices, trouble::Trouble},
    dom,
    protocol::{
        error::Code,
        files::{FileEntry, files, remove_file},
    },
    session::{browser::Signals, state::Auth, upload},
};

/// How long what was removed can be had back.
const REGRET: Duration = Duration::from_secs(8);
/// Files that are sent at a time.
const AT_ONCE: u32 = 3;

/// How the list has come.
#[derive(Clone)]
pub(super) enum Load {
    Running,
    Done,
    Failed(Trouble),
}

/// A person's files on a page.
#[derive(Clone, Copy)]
pub(super) struct Album {
    /// How the list has come.
    pub(super) load: RwSignal<Load>,
    /// Newest first.
    pub(super) files: RwSignal<Vec<FileEntry>>,
    /// What the next page comes after.
    pub(super) next: RwSignal<Option<Uuid>>,
    /// Bytes that are used, of how many.
    pub(super) space: RwSignal<Option<(i64, i64)>>,
    /// What is on its way.
    pub(super) sending: RwSignal<Vec<Upload>>,
    /// What was removed a moment ago: the server is told once nobody wants it back.
    pub(super) removed: RwSignal<Option<FileEntry>>,
    waiting: BrowserValue<VecDeque<(Upload, web_sys::File)>>,
    active: StoredValue<u32>,
    number: StoredValue<u32>,
    page: u32,
    notices: Notices,
    auth: RwSignal<Auth>,
}

impl Album {
    /// An album that shows this many at a time.
    pub(super) fn new(page: u32) -> Self {
        Self {
            load: RwSignal::new(Load::Running),
            files: RwSignal::new(Vec::new()),
            next: RwSignal::new(None),
            space: RwSignal::new(None),
            sending: RwSignal::new(Vec::new()),
            removed: RwSignal::new(None),
            waiting: BrowserValue::new(VecDeque::new),
            active: StoredValue::new(0),
            number: StoredValue::new(0),
            page,
            notices: Notices::of_page(),
            auth: Signals::of_page().auth,
        }
    }

    /// Loads the files of whoever is signed in, and sees a removal through when the page is left.
    pub(super) fn keep_loaded(self, is_ready: impl Fn() -> bool + 'static) {
        Effect::new(move |before: Option<Option<Uuid>>| {
            let now = self.auth.with(|auth| auth.user().map(|user| user.id)).filter(|_| is_ready());
            if before.flatten() != now {
                self.forget();
                if now.is_some() {
                    self.reload();
                }
            }
            now
        });
        Effect::new(move |_| {
            let leaving = window_event_listener(ev::pagehide, move |_| {
                if let Some(file) = self.removed.try_update(Option::take).flatten() {
                    upload::delete_while_leaving(&format!("/api/me/files?id={}", file.id));
                }
            });
            let second_thoughts = set_interval_with_handle(
                move || {
                    if dom::find(".undo:is(:hover,:has(:focus-visible))").is_none() {
                        self.settle();
                    }
                },
                REGRET,
            );
            on_cleanup(move || {
                leaving.remove();
                if let Ok(handle) = second_thoughts {
                    handle.clear();
                }
            });
        });
        on_cleanup(move || self.settle());
    }

    fn forget(self) {
        self.files.set(Vec::new());
        self.next.set(None);
        self.space.set(None);
        self.removed.set(None);
    }

    /// Asks for the newest.
    pub(super) fn reload(self) {
        self.load.set(Load::Running);
        dom::spawn(async move {
            let outcome = files(None, Some(self.page)).await;
            match outcome {
                Ok(list) => {
                    self.files.try_set(list.files);
                    self.next.try_set(list.next);
                    self.space.try_set(Some((list.used, list.quota)));
                    self.load.try_set(Load::Done);
                }
                Err(error) => {
                    self.load.try_set(Load::Failed(Trouble::new(error)));
                }
            }
        });
    }

    /// Asks for those that come after.
    pub(super) fn load_more(self) {
        let Some(after) = self.next.try_update(Option::take).flatten() else { return };
        dom::spawn(async move {
            if let Ok(list) = files(Some(after), Some(self.page)).await {
                self.files.try_update(|files| files.extend(list.files));
                self.next.try_set(list.next);
            } else {
                self.next.try_set(Some(after));
                self.notices.alert(|strings| strings.files_failed);
            }
        });
    }

    /// Sends files: some at a time, the others wait.
    pub(super) fn send(self, list: Vec<web_sys::File>) {
        for file in list {
            let number = self.number.get_value();
            self.number.set_value(number + 1);
            let upload = Upload::new(number, &file);
            self.sending.update(|sending| sending.push(upload.clone()));
            if upload.is_possible() {
                let _ = self.waiting.update(|waiting| waiting.push_back((upload, file)));
            }
        }
        self.go_on();
    }

    fn go_on(self) {
        while self.active.try_get_value().is_some_and(|active| active < AT_ONCE) {
            let next = self.waiting.update(VecDeque::pop_front).flatten();
            let Some((upload, file)) = next else { return };
            self.active.update_value(|active| *active += 1);
            dom::spawn(async move {
                if let Some(kept) = sending::send(&upload, &file).await {
                    self.space.try_update(|space| {
                        if let Some((used, _)) = space {
                            *used += kept.size;
                        }
                    });
                    self.files.try_update(|files| files.insert(0, kept));
                    self.forget_upload(upload.number);
                }
                self.active.try_update_value(|active| *active -= 1);
                self.go_on();
            });
        }
    }

    /// Stops what is being sent, or takes away what has failed.
    pub(super) fn stop(self, upload: &Upload) {
        let number = upload.number;
        let _ = self.waiting.update(|waiting| waiting.retain(|(waits, _)| waits.number != number));
        upload.abort();
        self.forget_upload(number);
    }

    fn forget_upload(self, number: u32) {
        self.sending.try_update(|sending| sending.retain(|upload| upload.number != number));
    }

    /// Takes a file away; until it is settled it can be had back.
    pub(super) fn remove(self, id: Uuid) {
        self.settle();
        let removed = self.files.try_update(|files| {
            let index = files.iter().position(|file| file.id == id)?;
            Some(files.remove(index))
        });
        self.removed.set(removed.flatten());
    }

    /// Puts what was removed back.
    pub(super) fn restore(self) {
        if let Some(file) = self.removed.try_update(Option::take).flatten() {
            self.put_back(file);
        }
    }

    fn put_back(self, file: FileEntry) {
        self.files.try_update(|files| {
            // Later ones have greater ids.
            let index = files.iter().position(|other| other.id < file.id).unwrap_or(files.len());
            files.insert(index, file);
        });
    }

    /// Tells the server what nobody wants back.
    fn settle(self) {
        let Some(file) = self.removed.try_update(Option::take).flatten() else { return };
        dom::spawn(async move {
            match remove_file(file.id).await {
                Ok(_) => {
                    self.space.try_update(|space| {
                        if let Some((used, _)) = space {
                            *used = (*used - file.size).max(0);
                        }
                    });
                }
                // Somebody else was faster.
                Err(error) if error.code == Code::NotFound => {}
                Err(_) => {
                    self.put_back(file);
                    self.notices.alert(|strings| strings.file_delete_failed);
                }
            }
        });
    }
}
