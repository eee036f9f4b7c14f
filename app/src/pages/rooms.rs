//! The rooms behind the gate: the pages of people who are signed in.
//!
//! Their code is a file of its own (`scripts/build` splits it off), so that it costs nothing to who
//! only stands at the door. Where the first page is one of them, `frontend` fetches the file before
//! it wakes the page up: what the server has rendered is what the browser finds. Later it is
//! fetched as soon as somebody is signed in.
//!
//! A page that was opened before the server got another build does not find the file any more. Then
//! the page that the user goes to is loaded as a whole, from the new build.

use leptos::prelude::*;

use super::{Page, files::Files, profile::Profile, settings, users};
use crate::{
    components::{
        icons,
        password_dialog::PasswordDialog,
        trouble::{self, Trouble},
    },
    dom,
    i18n::strings::Language,
    protocol::error::{ApiError, Code},
    session::browser::Signals,
};

/// Makes a page of those behind the gate.
pub type Enter = fn(Page) -> AnyView;

fn enter(page: Page) -> AnyView {
    match page {
        Page::Profile => view! { <Profile /> }.into_any(),
        Page::Files => view! { <Files /> }.into_any(),
        // Who changes something may be asked for the password.
        Page::Settings(section) => {
            view! { {settings::view(section)} <PasswordDialog /> }.into_any()
        }
        Page::Users => view! { {users::view()} <PasswordDialog /> }.into_any(),
        Page::Home | Page::Login | Page::Register | Page::NotFound => ().into_any(),
    }
}

/// Where the rooms' code is.
#[derive(Clone)]
enum State {
    /// It has not been asked for.
    Elsewhere,
    /// It is on its way.
    Coming,
    Here(Enter),
    /// It could not be fetched.
    Lost(Trouble),
}

/// The rooms of the page at hand.
#[derive(Clone, Copy)]
pub struct Rooms {
    state: RwSignal<State>,
    /// The address of the room that the user waits for.
    wanted: StoredValue<Option<String>>,
}

impl Rooms {
    /// Rooms whose code is here already, or is not.
    pub fn provide(code: Option<Enter>) -> Self {
        // The server has it always.
        let code = code.or(cfg!(feature = "ssr").then_some(enter as Enter));
        let state = RwSignal::new(code.map_or(State::Elsewhere, State::Here));
        let rooms = Self { state, wanted: StoredValue::new(None) };
        provide_context(rooms);
        rooms
    }

    /// The rooms of the page at hand.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Fetches their code ahead of its use, where it is not here.
    pub fn open(self) {
        self.load(false);
    }

    /// Notes the address of the room that the user goes to, and fetches its code; `None` where the
    /// user goes to another page.
    pub fn go_to(self, address: Option<String>) {
        let is_room = address.is_some();
        self.wanted.set_value(address);
        if is_room {
            self.load(false);
        }
    }

    /// `asked`: the user tries again.
    fn load(self, asked: bool) {
        if self.state.with_untracked(|state| matches!(state, State::Coming | State::Here(_))) {
            return;
        }
        self.state.set(State::Coming);
        let running = Signals::of_page().running;
        running.update(|count| *count += 1);
        dom::spawn(async move {
            let state = match fetch().await {
                Some(code) => Some(State::Here(code)),
                None => self.state_without_code(asked).await,
            };
            running.update(|count| *count -= 1);
            if let Some(state) = state {
                self.state.set(state);
            }
        });
    }

    /// What follows where the code has not come; `None` where the page is being left.
    async fn state_without_code(self, asked: bool) -> Option<State> {
        // Nothing waits for it: there is another try once something does.
        let Some(address) = self.wanted.get_value() else { return Some(State::Elsewhere) };
        // A server that has another build than this page does not have this page's files any more.
        if dom::leave_for_new_build(&address, asked).await {
            return None;
        }
        Some(State::Lost(Trouble::new(ApiError::local(Code::Network))))
    }

    /// Whether a page can be shown.
    #[must_use]
    pub fn has(self, page: Page) -> bool {
        !page.is_room() || self.state.with(|state| matches!(state, State::Here(_) | State::Lost(_)))
    }

    /// A page of theirs, or that it could not be fetched.
    #[must_use]
    pub fn view(self, page: Page) -> AnyView {
        match self.state.get() {
            State::Here(enter) => enter(page),
            State::Lost(why) => self.lost(page, &why),
            State::Elsewhere | State::Coming => ().into_any(),
        }
    }

    /// What stands in the place of a page whose code has not come.
    fn lost(self, page: Page, why: &Trouble) -> AnyView {
        let language = Language::of_page();
        view! {
            <section class="card failure">
                <div class="failure-mark">{icons::closed_mark()}</div>
                <h1 tabindex="-1">{move || page.heading(language.strings())}</h1>
                <div role="alert">{trouble::told(why, language.strings())}</div>
                <button type="button" class="btn btn-primary" on:click=move |_| self.load(true)>
                    {language.t(|s| s.retry)}
                </button>
            </section>
        }
        .into_any()
    }
}

/// Fetches the code of the rooms; nothing where that fails.
pub async fn fetch() -> Option<Enter> {
    piece::rooms().await.ok()
}

#[cfg(feature = "split")]
#[expect(clippy::unnecessary_wraps, reason = "that it may fail to arrive is what the macro adds")]
mod piece {
    use leptos::wasm_split::{SplitLoaderError, wasm_split};

    use super::{Enter, enter};

    /// What only this function leads to is the piece.
    #[wasm_split(rooms, wasm_split_path = ::leptos::wasm_split, fallible)]
    pub(super) fn rooms() -> Result<Enter, SplitLoaderError> {
        Ok(enter)
    }
}

/// Without the split everything is here.
#[cfg(not(feature = "split"))]
mod piece {
    use std::{
        convert::Infallible,
        future::{Ready, ready},
    };

    use super::{Enter, enter};

    pub(super) fn rooms() -> Ready<Result<Enter, Infallible>> {
        ready(Ok(enter))
    }
}
