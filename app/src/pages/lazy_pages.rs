//! Pages that require a login, and those of mails, loaded as a separate WASM chunk (`scripts/build`
//! splits it off), so anonymous visitors do not download it.
//!
//! If the first page is one of them, `frontend` loads the chunk before hydration, which needs it to
//! match the server-rendered HTML. Otherwise it is loaded as soon as a user is signed in.
//!
//! A page that was opened before the server was updated no longer finds its chunk. The URL that the
//! user navigates to is then loaded as a document, from the new build.

use leptos::prelude::*;

use super::{audit, files::Files, invitations, profile::Profile, recovery, settings, users};
use crate::{
    components::{
        api_error_view::DisplayedError, error_panel::ErrorPanel, password_dialog::PasswordDialog,
    },
    dom,
    i18n::strings::Language,
    protocol::error::{ApiError, Code},
    routes::Page,
    session::browser::SessionContext,
};

/// Renders a page of the chunk.
pub type PageRenderer = fn(Page) -> AnyView;

fn render_page(page: Page) -> AnyView {
    match page {
        Page::Profile => view! { <Profile /> }.into_any(),
        Page::Files => view! { <Files /> }.into_any(),
        // Changes on these pages may require re-authentication.
        Page::Settings
        | Page::SettingsProfile
        | Page::SettingsSecurity
        | Page::SettingsDevices
        | Page::SettingsData => view! { {settings::view(page)} <PasswordDialog /> }.into_any(),
        Page::Users => view! { {users::view()} <PasswordDialog /> }.into_any(),
        Page::User => view! { {users::account::view()} <PasswordDialog /> }.into_any(),
        Page::Invitations => view! { {invitations::view()} <PasswordDialog /> }.into_any(),
        Page::Audit => audit::view(),
        Page::Forgot | Page::Reset | Page::Verify | Page::Undo => recovery::view(page),
        Page::Home | Page::Login | Page::Register | Page::NotFound => ().into_any(),
    }
}

/// Loading state of the chunk.
#[derive(Clone)]
enum ChunkState {
    /// Not requested yet.
    NotRequested,
    /// The request is pending.
    Loading,
    Loaded(PageRenderer),
    /// Loading failed.
    Failed(DisplayedError),
}

/// The chunk of lazy pages, provided as context.
#[derive(Clone, Copy)]
pub struct LazyPages {
    state: RwSignal<ChunkState>,
    /// URL of the lazy page that the user waits for.
    requested_url: StoredValue<Option<String>>,
}

impl LazyPages {
    /// Creates the state and provides it as context. `code`: the renderer, if the chunk is loaded
    /// already.
    pub fn provide(code: Option<PageRenderer>) -> Self {
        // The server is not split.
        let code = code.or(cfg!(feature = "ssr").then_some(render_page as PageRenderer));
        let state = RwSignal::new(code.map_or(ChunkState::NotRequested, ChunkState::Loaded));
        let lazy_pages = Self { state, requested_url: StoredValue::new(None) };
        provide_context(lazy_pages);
        lazy_pages
    }

    /// Returns the state from context.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Loads the chunk ahead of its use.
    pub fn preload(self) {
        self.load(false);
    }

    /// Records the URL of the lazy page that is navigated to and loads the chunk; `None` for any
    /// other page.
    pub fn request_for(self, url: Option<String>) {
        let is_lazy = url.is_some();
        self.requested_url.set_value(url);
        if is_lazy {
            self.load(false);
        }
    }

    /// Loads the chunk unless it is loaded or pending. `is_retry`: the user has asked for another
    /// attempt.
    fn load(self, is_retry: bool) {
        if self
            .state
            .with_untracked(|state| matches!(state, ChunkState::Loading | ChunkState::Loaded(_)))
        {
            return;
        }
        self.state.set(ChunkState::Loading);
        let running = SessionContext::of_page().pending_requests;
        running.update(|count| *count += 1);
        dom::spawn(async move {
            let state = match load_chunk().await {
                Some(code) => Some(ChunkState::Loaded(code)),
                None => self.state_after_failure(is_retry).await,
            };
            running.update(|count| *count -= 1);
            if let Some(state) = state {
                self.state.set(state);
            }
        });
    }

    /// Returns the state after a failure, or `None` if the page is being reloaded.
    async fn state_after_failure(self, is_retry: bool) -> Option<ChunkState> {
        // No page waits for the chunk: the next navigation tries again.
        let Some(url) = self.requested_url.get_value() else {
            return Some(ChunkState::NotRequested);
        };
        // A server with another build no longer has the files of this page.
        if dom::leave_for_new_build(&url, is_retry).await {
            return None;
        }
        Some(ChunkState::Failed(DisplayedError::new(ApiError::local(Code::Network))))
    }

    /// Returns whether a page can be rendered, or its failure shown.
    #[must_use]
    pub fn can_render(self, page: Page) -> bool {
        !page.is_lazy()
            || self
                .state
                .with(|state| matches!(state, ChunkState::Loaded(_) | ChunkState::Failed(_)))
    }

    /// Renders a lazy page, or the failure to load its chunk.
    #[must_use]
    pub fn view(self, page: Page) -> AnyView {
        match self.state.get() {
            ChunkState::Loaded(render) => render(page),
            ChunkState::Failed(error) => self.failed_view(page, error),
            ChunkState::NotRequested | ChunkState::Loading => ().into_any(),
        }
    }

    /// Error panel in place of a page whose chunk could not be loaded.
    fn failed_view(self, page: Page, error: DisplayedError) -> AnyView {
        let language = Language::of_page();
        let title = move || page.title(language.strings());
        let heading = view! { <h1 tabindex="-1">{title}</h1> }.into_any();
        view! { <ErrorPanel error heading retry=move |()| self.load(true) /> }.into_any()
    }
}

/// Loads the chunk; `None` if that fails.
pub async fn load_chunk() -> Option<PageRenderer> {
    chunk::lazy_pages().await.ok()
}

#[cfg(feature = "split")]
#[expect(clippy::unnecessary_wraps, reason = "that it may fail to arrive is what the macro adds")]
mod chunk {
    use leptos::wasm_split::{SplitLoaderError, wasm_split};

    use super::{PageRenderer, render_page};

    /// Code that is reachable only from here goes into the chunk.
    #[wasm_split(lazy_pages, wasm_split_path = ::leptos::wasm_split, fallible)]
    pub(super) fn lazy_pages() -> Result<PageRenderer, SplitLoaderError> {
        Ok(render_page)
    }
}

/// Without splitting the code is part of the main module.
#[cfg(not(feature = "split"))]
mod chunk {
    use std::{
        convert::Infallible,
        future::{Ready, ready},
    };

    use super::{PageRenderer, render_page};

    pub(super) fn lazy_pages() -> Ready<Result<PageRenderer, Infallible>> {
        ready(Ok(render_page))
    }
}
