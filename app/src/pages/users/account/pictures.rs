//! Pictures of the user. The files are private: they are shown on demand, which the server records.

use leptos::prelude::*;
use uuid::Uuid;

use super::{UserPage, removal_dialog, sessions::load_with_account};
use crate::{
    components::{error_panel::ErrorPanel, loader::Loader},
    dom::object_url::ObjectUrl,
    i18n::authenticated::files_stored,
    pages::files::format_size,
    protocol::{
        error::{ApiError, Code},
        files::{FileEntry, FileList},
        paths,
        users::AccountFilesQuery,
    },
    server_fns::list_account_files,
    session::browser,
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
    // After a removal the files are shown without it.
    load_with_account(page, move || {
        if pictures.files.get_untracked(|_| ()).is_some() {
            pictures.files.refresh(request(page.row.id, None));
        }
    });
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
    let offer = move || {
        view! {
            <p class="note">{language.t(|s| s.show_pictures_text)}</p>
            <button type="button" class="btn btn-outline" on:click=move |_| pictures.show()>
                {language.t(|s| s.show_pictures)}
            </button>
        }
    };
    view! {
        <section class="card user-pictures" aria-labelledby="user-pictures">
            <h2 id="user-pictures" tabindex="-1">{language.t(|s| s.pictures)}</h2>
            {move || has_avatar().then(avatar_row)}
            <p class="value">{stored}</p>
            {move || match pictures.content() {
                Some(content) => content,
                None => has_files.get().then(offer).into_any(),
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
        let (id, shown) = (self.page.row.id, self.files);
        let before = shown.get_untracked(|list| list.files.clone()).unwrap_or_default();
        shown.refresh(async move {
            let more = request(id, Some(after)).await?;
            Ok(FileList { files: [before, more.files].concat(), ..more })
        });
    }

    /// The files; `None` until they have been asked for, or if the user has cancelled the password
    /// dialog.
    fn content(self) -> Option<AnyView> {
        let language = self.page.actions.language;
        if let Some(error) = self.files.error() {
            if error.code() == Code::FreshRequired {
                return None;
            }
            let retry = move |()| self.show();
            return Some(view! { <ErrorPanel error retry class="error-panel" /> }.into_any());
        }
        if let Some((files, next)) = self.files.get(|list| (list.files.clone(), list.next)) {
            let tiles: Vec<_> = files.into_iter().map(|file| self.tile(file)).collect();
            let more = next.map(|after| {
                view! {
                    <button
                        type="button"
                        class="btn btn-outline"
                        on:click=move |_| self.show_more(after)
                    >
                        {language.t(|s| s.files_more)}
                    </button>
                }
            });
            return Some(view! { <ul class="user-files">{tiles}</ul> {more} }.into_any());
        }
        let is_loading = self.files.is_pending();
        is_loading.then(|| {
            view! { <p class="note" role="status">{language.t(|s| s.files_loading)}</p> }.into_any()
        })
    }

    fn tile(self, file: FileEntry) -> impl IntoView {
        let language = self.page.actions.language;
        let picture = Loader::<ObjectUrl>::new();
        picture.load(download(self.page.row.id, file.id));
        let url = move || picture.get(|url| url.as_str().to_owned());
        let label = {
            let name = file.name.clone();
            move || format!("{}: {name}", language.strings().remove_picture)
        };
        let (name, alt) = (file.name.clone(), file.name.clone());
        view! {
            <li>
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

async fn download(user: Uuid, file: Uuid) -> Result<ObjectUrl, ApiError> {
    let url = format!("{}?id={user}&file={file}&size=thumb", paths::ACCOUNT_FILE);
    let bytes = browser::download(&url, "image/*").await?;
    ObjectUrl::new(&bytes, "image/jpeg").ok_or_else(|| ApiError::local(Code::Unknown))
}
