//! The pages, one file each, with their routes.

pub mod files;
pub mod home;
pub mod lazy_pages;
pub mod login;
pub mod not_found;
pub mod profile;
mod profile_resource;
pub mod register;
pub mod settings;
mod users;

use settings::Section;

use crate::{i18n::strings::Strings, session::guards::Guard};

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
    /// `/files`
    Files,
    /// `/settings`, or one of its sections.
    Settings(Option<Section>),
    /// `/admin/users`
    Users,
    /// Any other path.
    NotFound,
}

impl Page {
    /// Returns the page at a path.
    #[must_use]
    pub fn at(path: &str) -> Self {
        match path.trim_end_matches('/') {
            "" => Self::Home,
            "/login" => Self::Login,
            "/register" => Self::Register,
            "/profile" => Self::Profile,
            "/files" => Self::Files,
            "/settings" => Self::Settings(None),
            "/admin/users" => Self::Users,
            path => {
                Section::at(path).map_or(Self::NotFound, |section| Self::Settings(Some(section)))
            }
        }
    }

    /// Returns the access rule of the page.
    #[must_use]
    pub const fn guard(self) -> Guard {
        match self {
            Self::Home | Self::NotFound => Guard::None,
            Self::Login | Self::Register => Guard::Guests,
            // Only the server knows the current role; it rejects requests of other users.
            Self::Profile | Self::Files | Self::Settings(_) | Self::Users => Guard::SignedIn,
        }
    }

    /// Returns whether the page requires a login; its code is then in the lazy chunk.
    #[must_use]
    pub fn requires_auth(self) -> bool {
        self.guard() == Guard::SignedIn
    }

    /// Returns whether the page is `other` or a section of it.
    #[must_use]
    pub fn is_of(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::Settings(_), Self::Settings(None)))
    }

    /// Returns the page's heading.
    #[must_use]
    pub const fn heading(self, strings: &Strings) -> &'static str {
        match self {
            Self::Home => strings.tagline,
            Self::Login => strings.login_title,
            Self::Register => strings.register_title,
            Self::Profile => strings.account,
            Self::Files => strings.files,
            Self::Settings(None) => strings.settings,
            Self::Settings(Some(section)) => section.name(strings),
            Self::Users => strings.users,
            Self::NotFound => strings.not_found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_with_any_path_returns_its_page() {
        for (path, page) in [
            ("/", Page::Home),
            ("/login", Page::Login),
            ("/login/", Page::Login),
            ("/profile", Page::Profile),
            ("/profiles", Page::NotFound),
            ("/login/x", Page::NotFound),
            ("/files", Page::Files),
            ("/settings", Page::Settings(None)),
            ("/settings/", Page::Settings(None)),
            ("/settings/profile", Page::Settings(Some(Section::Profile))),
            ("/settings/profile/x", Page::NotFound),
            ("/settings/nothing", Page::NotFound),
            ("/settingsx", Page::NotFound),
            ("/admin/users", Page::Users),
            ("/admin/users/", Page::Users),
            ("/admin", Page::NotFound),
            ("/admin/users/1", Page::NotFound),
        ] {
            assert_eq!(Page::at(path), page, "{path}");
        }
    }
}
