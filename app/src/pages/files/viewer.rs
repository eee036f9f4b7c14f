//! Dialog that shows a picture at full size, leads to the ones before and after it, and offers to
//! download or delete it.

use leptos::{ev, prelude::*, task::tick};

use super::{
    file_list::FileListState,
    format_size,
    tile::{file_url, focus_tile, request_picture, url_of},
};
use crate::{
    components::{
        dialog::Dialog,
        icons,
        loader::Loader,
        time::{self, Precision},
    },
    dom,
    i18n::strings::Language,
    protocol::files::FileEntry,
};

/// State of the viewer.
#[derive(Clone, Copy)]
struct Viewer {
    list: FileListState,
    /// The file that is shown; the viewer is open while there is one.
    shown: RwSignal<Option<FileEntry>>,
}

impl Viewer {
    /// Returns a text about the file.
    fn text(self, pick: impl FnOnce(&FileEntry) -> String) -> Option<String> {
        self.shown.with(|file| file.as_ref().map(pick))
    }

    /// Returns the file this many places after the one that is shown.
    fn neighbour(self, offset: isize) -> Option<FileEntry> {
        let id = self.shown.with(|file| file.as_ref().map(|file| file.id))?;
        let files = self.list.files();
        let index = files.iter().position(|file| file.id == id)?.checked_add_signed(offset)?;
        files.get(index).cloned()
    }

    /// Shows a neighbour. Before the last file is reached, further ones are loaded.
    fn step(self, offset: isize) {
        let Some(file) = untrack(|| self.neighbour(offset)) else { return };
        self.shown.set(Some(file));
        if untrack(|| self.neighbour(1).is_none() && self.list.has_more()) {
            self.list.load_more();
        }
    }

    /// Deletes the file. The dialog closes first: the focus goes to the button that undoes it.
    fn delete(self) {
        let Some(file) = self.shown.try_update(Option::take).flatten() else { return };
        dom::spawn(async move {
            tick().await;
            self.list.remove(file.id);
        });
    }

    /// Moves between files with the arrow keys while the viewer is open.
    fn follow_keys(self) {
        Effect::new(move |_| {
            let listener = window_event_listener(ev::keydown, move |event| {
                let offset = match event.key().as_str() {
                    "ArrowLeft" => -1,
                    "ArrowRight" => 1,
                    _ => return,
                };
                let is_open = self.shown.with_untracked(Option::is_some);
                let has_modifier = event.alt_key() || event.ctrl_key() || event.meta_key();
                if is_open && !has_modifier {
                    event.prevent_default();
                    self.step(offset);
                }
            });
            on_cleanup(move || listener.remove());
        });
    }
}

/// The dialog; open while a file is selected.
pub(super) fn viewer(list: FileListState, shown: RwSignal<Option<FileEntry>>) -> impl IntoView {
    let language = Language::of_page();
    let viewer = Viewer { list, shown };
    viewer.follow_keys();
    let picture = Loader::new();
    // The tile of the file that was shown last takes the focus when the dialog closes.
    let recent_id = StoredValue::new(None);
    Effect::new(move |_| {
        let file = shown.with(|file| file.as_ref().map(|file| (file.id, file.media_type.clone())));
        match file {
            Some((id, media_type)) => {
                recent_id.set_value(Some(id));
                picture.load(request_picture(file_url(id, "full"), media_type));
            }
            None => picture.reset(),
        }
    });
    let close = move |()| {
        shown.set(None);
        if let Some(id) = recent_id.get_value() {
            focus_tile(id);
        }
    };
    let name = move || viewer.text(|file| file.name.clone());
    let facts = move || {
        viewer.text(|file| {
            let day = time::format_time(file.created_at, Precision::Day, language.get());
            format!("{} · {} × {} · {day}", format_size(file.size), file.width, file.height)
        })
    };
    let image = move || url_of(picture).map(|url| view! { <img src=url alt=name /> });
    let save = move || {
        url_of(picture).map(|url| {
            view! {
                <a class="btn btn-outline" href=url download=name>
                    {language.t(|s| s.file_save)}
                </a>
            }
        })
    };
    // Not `disabled`: the button would lose the focus at either end of the list.
    let step = move |offset, label: fn(&'static crate::i18n::strings::Strings) -> &'static str| {
        view! {
            <button
                type="button"
                class="viewer-step"
                aria-label=language.t(label)
                aria-disabled=move || viewer.neighbour(offset).is_none().then_some("true")
                on:click=move |_| viewer.step(offset)
            >
                {if offset < 0 { icons::back() } else { icons::forward() }}
            </button>
        }
    };
    view! {
        <Dialog
            is_open=Signal::derive(move || shown.with(Option::is_some))
            on_close=close
            title_id="viewer-name"
            class="viewer"
        >
            <button
                type="button"
                class="close"
                aria-label=language.t(|s| s.close)
                on:click=move |_| shown.set(None)
            >
                {icons::cross()}
            </button>
            <div
                class="viewer-picture"
                aria-busy=move || url_of(picture).is_none().then_some("true")
            >
                {image}
                {step(-1, |s| s.file_previous)}
                {step(1, |s| s.file_next)}
            </div>
            <div class="viewer-caption">
                <div>
                    <p class="viewer-name" id="viewer-name"><bdi>{name}</bdi></p>
                    <p class="note">{facts}</p>
                </div>
                {save}
                <button type="button" class="btn btn-ghost" on:click=move |_| viewer.delete()>
                    {icons::bin()}
                    {language.t(|s| s.file_delete)}
                </button>
            </div>
        </Dialog>
    }
}
