//! Pictures of the user. The files are private: they are shown on demand, which the server records.

use leptos::prelude::*;
use uuid::Uuid;

use super::{UserPage, removal_dialog};
use crate::{
    components::{error_panel::ErrorPanel, loader::Loader},
    dom,
    i18n::authenticated::files_stored,
    pages::files::{format_size, tile},
    protocol::{
        error::{ApiError, Code},
        files::{FileEntry, FileList},
        paths,
        users::AccountFilesQuery,
    },
    server_fns::list_account_files,
};

/// A picture to remove.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Picture {
    Avatar,
    File(FileEntry),
}

/// State of the card.
#[derive(Clone, Copy)]
pub(super) struct Pictures {
    pub(super) page: UserPage,
    /// Files, once they have been asked for.
    files: Loader<FileList>,
    /// Picture whose removal awaits its reason.
    pub(super) pending: RwSignal<Option<Picture>>,
}

/// The card.
pub(super) fn card(page: UserPage) -> impl IntoView {
    let pictures = Pictures { page, files: Loader::new(), pending: RwSignal::new(None) };
    let language = page.actions.language;
    let has_avatar =
        move || page.row.get(|account| account.avatar_url.is_some()).unwrap_or_default();
    let avatar_row = move || {
        view! {
            <div class="user-avatar">
                {super::avatar(page.row, "avatar")}
                <button
                    type="button"
                    class="btn btn-outline btn-danger"
                    on:click=move |_| pictures.pending.set(Some(Picture::Avatar))
                >
                    {language.t(|s| s.remove_avatar)}
                </button>
            </div>
        }
    };
    let stored = move || {
        page.details.get(|details| {
            files_stored(language.get(), details.files, &format_size(details.files_used))
        })
    };
    let has_files = Memo::new(move |_| page.details.get(|details| details.files > 0) == Some(true));
    // The list stays while its entries change, so that no picture is requested twice.
    let is_shown = Memo::new(move |_| pictures.files.get(|_| ()).is_some());
    let show = move |_| {
        pictures.show();
        // The pressed button is replaced by the pictures.
        dom::focus_first("#user-pictures");
    };
    let offer = move || {
        view! {
            <p class="note">{language.t(|s| s.show_pictures_text)}</p>
            <button type="button" class="btn btn-outline" on:click=show>
                {language.t(|s| s.show_pictures)}
            </button>
        }
    };
    view! {
        <section class="card user-pictures" aria-labelledby="user-pictures">
            <h2 id="user-pictures" tabindex="-1">{language.t(|s| s.pictures)}</h2>
            {move || has_avatar().then(avatar_row)}
            <p class="value">{stored}</p>
            {move || match () {
                () if is_shown.get() => pictures.list().into_any(),
                () => match pictures.placeholder() {
                    Some(placeholder) => placeholder,
                    None => has_files.get().then(offer).into_any(),
                },
            }}
            {removal_dialog::dialog(pictures)}
        </section>
    }
}

async fn request(id: Uuid, after: Option<Uuid>) -> Result<FileList, ApiError> {
    list_account_files(AccountFilesQuery { id, after, limit: None }).await
}

impl Pictures {
    fn show(self) {
        let id = self.page.row.id;
        self.files.load(request(id, None));
    }

    fn show_more(self, after: Uuid) {
        let Self { page, files, .. } = self;
        let before = files.get_untracked(|list| list.files.clone()).unwrap_or_default();
        files.refresh(async move {
            match request(page.row.id, Some(after)).await {
                Ok(more) => Ok(FileList { files: [before, more.files].concat(), ..more }),
                Err(error) => {
                    page.actions.fail(error.clone());
                    Err(error)
                }
            }
        });
    }

    /// Removes a picture from the list.
    pub(super) fn forget(self, file: Uuid) {
        self.files.update(|list| list.files.retain(|entry| entry.id != file));
    }

    /// The files.
    fn list(self) -> impl IntoView {
        let language = self.page.actions.language;
        let files = move || self.files.get(|list| list.files.clone()).unwrap_or_default();
        let next = Memo::new(move |_| self.files.get(|list| list.next).flatten());
        let more = move |after| {
            view! {
                <button
                    type="button"
                    class="btn btn-outline"
                    aria-busy=move || self.files.is_pending().then_some("true")
                    on:click=move |_| self.show_more(after)
                >
                    {language.t(|s| s.files_more)}
                </button>
            }
        };
        view! {
            <ul class="user-files">
                <For each=files key=|file| file.id let:file>{self.tile(file)}</For>
            </ul>
            {move || next.get().map(more)}
        }
    }

    /// State in place of the files; `None` until they have been asked for, or if the user has
    /// cancelled the password dialog.
    fn placeholder(self) -> Option<AnyView> {
        let language = self.page.actions.language;
        if let Some(error) = self.files.error() {
            if error.code() == Code::FreshRequired {
                return None;
            }
            let retry = move |()| self.show();
            return Some(view! { <ErrorPanel error retry class="error-panel" /> }.into_any());
        }
        let is_loading = self.files.is_pending();
        is_loading.then(|| {
            view! { <p class="note" role="status">{language.t(|s| s.files_loading)}</p> }.into_any()
        })
    }

    fn tile(self, file: FileEntry) -> impl IntoView {
        let language = self.page.actions.language;
        let picture = Loader::new();
        let place = NodeRef::new();
        let (user, id) = (self.page.row.id, file.id);
        tile::when_near_viewport(place, move || {
            let url = format!("{}?id={user}&file={id}&size=thumb", paths::ACCOUNT_FILE);
            picture.load(tile::request_picture(url, "image/jpeg".to_owned()));
        });
        let url = move || tile::url_of(picture);
        let label = {
            let name = file.name.clone();
            move || format!("{}: {name}", language.strings().remove_picture)
        };
        let (name, alt) = (file.name.clone(), file.name.clone());
        view! {
            <li node_ref=place>
                <div class="user-file" aria-busy=move || url().is_none().then_some("true")>
                    {move || url().map(|url| view! { <img src=url alt=alt.clone() /> })}
                </div>
                <p class="tile-name"><bdi>{name}</bdi></p>
                <button
                    type="button"
                    class="btn btn-outline btn-danger"
                    aria-label=label
                    on:click=move |_| self.pending.set(Some(Picture::File(file.clone())))
                >
                    {language.t(|s| s.remove_picture)}
                </button>
            </li>
        }
    }
}
