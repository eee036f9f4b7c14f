//! "My files": the user's pictures in a grid. The profile shows the newest, `/files` all.

mod file_list;
pub(super) mod tile;
mod uploads;
mod viewer;

use leptos::{ev, html, prelude::*};
use web_sys::{DragEvent, FileList};

use file_list::FileListState;

use super::notices;

use crate::{
    components::{error_panel::ErrorPanel, icons},
    dom,
    i18n::{
        authenticated::view_all_files,
        strings::{self, Language},
    },
    routes::Page,
};

/// Largest accepted file, in bytes (5 MiB).
pub(super) const MAX_FILE_BYTES: f64 = 5.0 * 1024.0 * 1024.0;
/// Files that the profile shows.
const PREVIEW_FILES: u32 = 6;
/// Id of the file input, for the labels that open it.
const INPUT_ID: &str = "files-upload";
/// Accepted media types.
pub(super) const ACCEPT: &str = "image/jpeg,image/png,image/webp";

/// The page with all files.
#[component]
pub fn Files() -> impl IntoView {
    let language = Language::of_page();
    let list = FileListState::new(50, false);
    view! {
        <div class="files-page">
            <h1 tabindex="-1">{language.t(|s| s.files)}</h1>
            {notices::view(Memo::new(move |_| list.notices()))}
            {section(list, || true)}
        </div>
    }
}

/// The newest files, embedded in another page as soon as that is ready; and the number of notices
/// to the user, once the files are loaded.
pub(super) fn newest_files(
    is_ready: impl Fn() -> bool + Copy + Send + Sync + 'static,
) -> (impl IntoView, Memo<Option<u64>>) {
    let language = Language::of_page();
    let list = FileListState::new(PREVIEW_FILES, true);
    let notices = Memo::new(move |_| list.notices());
    let view = view! {
        <section class="files-newest" hidden=move || !is_ready()>
            <div class="files-head">
                <h2>{language.t(|s| s.files)}</h2>
                <a class="link" href=Page::Files.path()>
                    {move || view_all_files(language.get(), list.total().filter(|total| *total > 0))}
                </a>
            </div>
            {section(list, is_ready)}
        </section>
    };
    (view, notices)
}

/// File list without heading.
fn section(list: FileListState, is_ready: impl Fn() -> bool + 'static) -> impl IntoView {
    let language = Language::of_page();
    let is_dragged_over = RwSignal::new(false);
    let shown = RwSignal::new(None);
    list.keep_loaded(is_ready);
    accept_pasted(list);
    let drop = move |event: DragEvent| {
        event.prevent_default();
        is_dragged_over.set(false);
        if let Some(picked) = event.data_transfer().and_then(|carried| carried.files()) {
            list.send(files_of(&picked));
        }
    };
    let drag = move |event: DragEvent| {
        // By default browsers open a dropped file.
        event.prevent_default();
        is_dragged_over.set(true);
    };
    let is_loading = move || list.is_loading();
    let empty = move || {
        view! {
            <label class="files-empty" for=INPUT_ID>
                {icons::pictures()}
                <strong>{language.t(|s| s.files_empty)}</strong>
                <span>
                    {language.t(|s| s.files_drop)}
                    <span class="inline-link">{language.t(|s| s.files_browse)}</span>
                </span>
            </label>
        }
    };
    let more_button = move || {
        view! {
            <button
                type="button"
                class="btn btn-outline files-more"
                on:click=move |_| list.load_more()
            >
                {language.t(|s| s.files_more)}
            </button>
        }
    };
    view! {
        <div
            class="files"
            data-over=dom::yes(is_dragged_over)
            on:dragover=drag
            on:dragleave=move |_| is_dragged_over.set(false)
            on:drop=drop
        >
            <div class="files-tools">
                {picker(list)}
                <p class="note">{language.t(|s| s.files_hint)}</p>
                {quota(list)}
            </div>
            {uploads::errors(list)}
            <p class="sr-only" role="status">
                {move || if is_loading() { language.strings().files_loading } else { "" }}
            </p>
            {move || {
                list.load_error().map(|error| view! {
                    <ErrorPanel error class="error-panel" retry=move |()| list.reload() />
                })
            }}
            {move || list.is_empty().then(empty)}
            <ul class="tiles" aria-busy=move || is_loading().then_some("true")>
                <For each=move || list.uploads(false) key=|upload| upload.number let:upload>
                    {uploads::tile(list, upload)}
                </For>
                <For each=move || list.files() key=|file| file.id let:file>
                    {tile::tile(list, file, shown)}
                </For>
            </ul>
            {move || list.has_more().then(more_button)}
            {undo(list)}
            {viewer::viewer(list, shown)}
        </div>
    }
}

/// Button that opens the file picker, for several files.
fn picker(list: FileListState) -> impl IntoView {
    let language = Language::of_page();
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(picked) = input.files() {
            list.send(files_of(&picked));
        }
        // Reset, so that choosing the same file again fires `change`.
        input.set_value("");
    };
    view! {
        <label class="btn btn-primary upload">
            <input
                type="file"
                id=INPUT_ID
                class="sr-only"
                accept=ACCEPT
                multiple
                node_ref=input
                on:change=chosen
            />
            <span>{language.t(|s| s.upload)}</span>
        </label>
    }
}

/// Storage that the files take, as bar and text.
fn quota(list: FileListState) -> impl IntoView {
    let language = Language::of_page();
    let usage = Memo::new(move |_| list.usage());
    let text = move || {
        usage.get().map(|(used, quota)| {
            strings::storage_used(language.get(), &format_size(used), &format_size(quota))
        })
    };
    view! {
        <div class="quota">
            <meter
                aria-label=language.t(|s| s.storage)
                max=move || usage.get().map_or(1, |(_, quota)| quota).to_string()
                high=move || usage.get().map_or(1, |(_, quota)| quota / 10 * 9).to_string()
                value=move || usage.get().map_or(0, |(used, _)| used).to_string()
            ></meter>
            <p class="note">{text}</p>
        </div>
    }
}

/// Undo message after a removal.
fn undo(list: FileListState) -> impl IntoView {
    let language = Language::of_page();
    let button = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if list.pending_removal.with(Option::is_some)
            && let Some(button) = button.get()
        {
            dom::focus(&button);
        }
    });
    move || {
        list.pending_removal.with(|removed| {
            removed.as_ref().map(|file| {
                let name = file.name.clone();
                view! {
                    <div class="toast undo" role="status">
                        <p>{language.t(|s| s.file_deleted)}": "<bdi>{name}</bdi></p>
                        <button
                            type="button"
                            class="btn btn-outline"
                            node_ref=button
                            on:click=move |_| {
                                if let Some(id) = list.restore() {
                                    request_animation_frame(move || tile::focus_tile(id));
                                }
                            }
                        >
                            {language.t(|s| s.undo)}
                        </button>
                    </div>
                }
            })
        })
    }
}

/// Uploads pictures that are pasted anywhere on the page.
fn accept_pasted(list: FileListState) {
    Effect::new(move |_| {
        let listener = window_event_listener(ev::paste, move |event| {
            if let Some(picked) = dom::pasted_files(&event) {
                list.send(files_of(&picked));
            }
        });
        on_cleanup(move || listener.remove());
    });
}

fn files_of(list: &FileList) -> Vec<web_sys::File> {
    (0..list.length()).filter_map(|index| list.item(index)).collect()
}

/// Formats a size in KB or MB (powers of ten).
pub(in crate::pages) fn format_size(bytes: i64) -> String {
    if bytes < 999_500 {
        let kilobytes = ((bytes + 500) / 1_000).max(i64::from(bytes > 0));
        return format!("{kilobytes} KB");
    }
    let tenths = (bytes + 50_000) / 100_000;
    if tenths < 100 {
        format!("{}.{} MB", tenths / 10, tenths % 10)
    } else {
        format!("{} MB", (bytes + 500_000) / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::format_size;

    #[test]
    fn format_size_rounds_half_up_and_switches_units() {
        for (bytes, said) in [
            (0, "0 KB"),
            (1, "1 KB"),
            (1_499, "1 KB"),
            (999_499, "999 KB"),
            (999_500, "1.0 MB"),
            (1_249_999, "1.2 MB"),
            (1_250_000, "1.3 MB"),
            (9_949_999, "9.9 MB"),
            (9_950_000, "10 MB"),
            (10_499_999, "10 MB"),
            (10_500_000, "11 MB"),
            (100_000_000, "100 MB"),
        ] {
            assert_eq!(format_size(bytes), said);
        }
    }
}
