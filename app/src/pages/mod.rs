//! The pages, one file each, and what is true of each before it is rendered.

pub mod home;
pub mod login;
pub mod not_found;
pub mod profile;
pub mod register;

use crate::{i18n::words::Words, session::guards::Guard};

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/`
    Home,
    /// `/login`
    Login,
    /// `/register`
    Register,
    /// `/profile`
    Profile,
    /// Any other address.
    NotFound,
}

impl Page {
    /// The page at a path.
    #[must_use]
    pub fn at(path: &str) -> Self {
        match path.trim_end_matches('/') {
            "" => Self::Home,
            "/login" => Self::Login,
            "/register" => Self::Register,
            "/profile" => Self::Profile,
            _ => Self::NotFound,
        }
    }

    /// Whom it is for.
    #[must_use]
    pub const fn guard(self) -> Guard {
        match self {
            Self::Home | Self::NotFound => Guard::None,
            Self::Login | Self::Register => Guard::Guests,
            Self::Profile => Guard::SignedIn,
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn heading(self, words: &Words) -> &'static str {
        match self {
            Self::Home => words.tagline,
            Self::Login => words.login_title,
            Self::Register => words.register_title,
            Self::Profile => words.account,
            Self::NotFound => words.not_found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, page) in [
            ("/", Page::Home),
            ("/login", Page::Login),
            ("/login/", Page::Login),
            ("/profile", Page::Profile),
            ("/profiles", Page::NotFound),
            ("/login/x", Page::NotFound),
        ] {
            assert_eq!(Page::at(path), page, "{path}");
        }
    }
}
