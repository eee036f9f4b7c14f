//! "My files": the pictures that a person keeps here, as a waterfall. The newest are on the
//! profile, all of them at `/files`.

mod album;
mod sending;
mod tile;
mod viewer;

use leptos::{ev, html, prelude::*};
use web_sys::{DragEvent, FileList};

use album::{Album, Load};

use crate::{
    components::trouble,
    dom,
    i18n::strings::{self, Language},
};

/// Bytes of the largest picture that is taken.
pub(super) const MAX: f64 = 5.0 * 1024.0 * 1024.0;
/// Pictures of a kind that is taken.
pub(super) const ACCEPT: &str = "image/jpeg,image/png,image/webp";

/// The page of all of them.
#[component]
pub fn Files() -> impl IntoView {
    let language = Language::of_page();
    let album = Album::new(50);
    view! {
        <div class="files-page">
            <h1 tabindex="-1">{language.t(|s| s.files)}</h1>
            {section(album, || true)}
        </div>
    }
}

/// The newest of them, as a part of another page: once that is ready.
pub(super) fn newest_files(
    is_ready: impl Fn() -> bool + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let language = Language::of_page();
    let album = Album::new(8);
    view! {
        <section class="files-newest" hidden=move || !is_ready()>
            <div class="files-head">
                <h2>{language.t(|s| s.files)}</h2>
                <a class="link" href="/files">{language.t(|s| s.files_all)}</a>
            </div>
            {section(album, is_ready)}
        </section>
    }
}

/// Everything about them but the heading.
fn section(album: Album, is_ready: impl Fn() -> bool + 'static) -> impl IntoView {
    let language = Language::of_page();
    let over = RwSignal::new(false);
    let shown = RwSignal::new(None);
    album.keep_loaded(is_ready);
    accept_pasted(album);
    let drop = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        if let Some(list) = event.data_transfer().and_then(|carried| carried.files()) {
            album.send(files_of(&list));
        }
    };
    let drag = move |event: DragEvent| {
        // Without it the browser would open what is dropped.
        event.prevent_default();
        over.set(true);
    };
    let is_running = move || album.load.with(|load| matches!(load, Load::Running));
    let space = move || {
        let space = album.space.get();
        space.map(|(used, quota)| strings::storage_used(language.get(), &size(used), &size(quota)))
    };
    let is_empty = move || {
        album.load.with(|load| matches!(load, Load::Done))
            && album.files.with(Vec::is_empty)
            && album.sending.with(Vec::is_empty)
    };
    view! {
        <div
            class="files"
            data-over=dom::yes(over)
            on:dragover=drag
            on:dragleave=move |_| over.set(false)
            on:drop=drop
        >
            <div class="files-tools">
                {picker(album)}
                <p class="note">{language.t(|s| s.files_hint)}</p>
                <p class="note">{space}</p>
            </div>
            <p class="sr-only" role="status">{move || if is_running() { language.strings().files_loading } else { "" }}</p>
            {move || album.load.with(|load| match load {
                Load::Failed(why) => Some(view! {
                    <div class="failure">
                        <div role="alert">{trouble::told(why, language.strings())}</div>
                        <button type="button" class="btn btn-outline" on:click=move |_| album.reload()>
                            {language.t(|s| s.retry)}
                        </button>
                    </div>
                }),
                Load::Running | Load::Done => None,
            })}
            {move || is_empty().then(|| view! { <p class="files-empty">{language.t(|s| s.files_empty)}</p> })}
            <ul class="waterfall" aria-busy=move || is_running().then_some("true")>
                <For each=move || album.sending.get() key=|upload| upload.number let:upload>
                    {sending::tile(album, upload)}
                </For>
                <For each=move || album.files.get() key=|file| file.id let:file>
                    {tile::tile(album, file, shown)}
                </For>
            </ul>
            {move || album.next.get().is_some().then(|| view! {
                <button type="button" class="btn btn-outline files-more" on:click=move |_| album.load_more()>
                    {language.t(|s| s.files_more)}
                </button>
            })}
            {undo(album)}
            {viewer::viewer(shown)}
        </div>
    }
}

/// The button that asks for files, several at once.
fn picker(album: Album) -> impl IntoView {
    let language = Language::of_page();
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(list) = input.files() {
            album.send(files_of(&list));
        }
        // The same file may be chosen again.
        input.set_value("");
    };
    view! {
        <label class="btn btn-primary upload">
            <input type="file" class="sr-only" accept=ACCEPT multiple node_ref=input on:change=chosen />
            <span>{language.t(|s| s.upload)}</span>
        </label>
    }
}

/// What was removed a moment ago, and the way to have it back.
fn undo(album: Album) -> impl IntoView {
    let language = Language::of_page();
    let button = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if album.removed.with(Option::is_some)
            && let Some(button) = button.get()
        {
            dom::focus(&button);
        }
    });
    move || {
        album.removed.with(|removed| {
            removed.as_ref().map(|file| {
                let name = file.name.clone();
                view! {
                    <div class="undo" role="status">
                        <p>{language.t(|s| s.file_deleted)}": "<bdi>{name}</bdi></p>
                        <button type="button" class="btn btn-outline" node_ref=button on:click=move |_| album.restore()>
                            {language.t(|s| s.undo)}
                        </button>
                    </div>
                }
            })
        })
    }
}

/// Pictures that are pasted anywhere on the page.
fn accept_pasted(album: Album) {
    Effect::new(move |_| {
        let listener = window_event_listener(ev::paste, move |event| {
            if let Some(list) = dom::pasted_files(&event) {
                album.send(files_of(&list));
            }
        });
        on_cleanup(move || listener.remove());
    });
}

fn files_of(list: &FileList) -> Vec<web_sys::File> {
    (0..list.length()).filter_map(|index| list.item(index)).collect()
}

/// How much it is, as people say it.
pub(super) fn size(bytes: i64) -> String {
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
    use super::size;

    #[test]
    fn sizes() {
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
            assert_eq!(size(bytes), said);
        }
    }
}
