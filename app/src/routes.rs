//! Route table: path, access rule and title of every page, each stated once. Links, route guards,
//! redirects, document titles and the server's page handler use it.

pub mod redirect;

use crate::{dom, i18n::strings::Strings};

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Landing page.
    Home,
    /// Login form.
    Login,
    /// Registration form.
    Register,
    /// Asks for a mail that resets the password.
    Forgot,
    /// Sets a new password, from a link in a mail.
    Reset,
    /// Confirms an address, from a link in a mail.
    Verify,
    /// Undoes a change and ends all sessions, from a link in an alert.
    Undo,
    /// The signed-in user's profile.
    Profile,
    /// The signed-in user's files.
    Files,
    /// List of the settings' sections.
    Settings,
    /// Nickname, contact data and avatar.
    SettingsProfile,
    /// Password.
    SettingsSecurity,
    /// Active sessions.
    SettingsDevices,
    /// Data export and account deletion.
    SettingsData,
    /// User management.
    Users,
    /// A user, for administrators; the last segment of its path is the account's id.
    User,
    /// Invitations, for administrators.
    Invitations,
    /// Audit log, for administrators.
    Audit,
    /// Any other path; answered with status 404.
    NotFound,
}

/// Access rule of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Open to all visitors.
    Public,
    /// Open to all visitors, and their code is loaded on demand. A session that ends meanwhile does
    /// not lead to the login page: a reset ends it.
    Recovery,
    /// Only without a session; signed-in users are redirected to where they were going.
    SignedOut,
    /// Only with a session; other visitors are redirected to the login page.
    SignedIn,
    /// As [`Access::SignedIn`], and linked for administrators only. The server checks the role on
    /// each request.
    Admin,
}

/// A row of the table.
struct Route {
    page: Page,
    path: &'static str,
    access: Access,
    title: fn(&'static Strings) -> &'static str,
}

/// The table. Titles come from [`Strings`], not from the texts of the lazy chunk, since the header
/// and the document title show them on every page.
const ROUTES: [Route; 18] = [
    route(Page::Home, "/", Access::Public, |s| s.tagline),
    route(Page::Login, "/login", Access::SignedOut, |s| s.login_title),
    route(Page::Register, "/register", Access::SignedOut, |s| s.register_title),
    route(Page::Forgot, "/forgot", Access::Recovery, |s| s.forgot_password),
    route(Page::Reset, "/reset", Access::Recovery, |s| s.choose_password),
    route(Page::Verify, "/verify", Access::Recovery, |s| s.verify_address),
    route(Page::Undo, "/undo", Access::Recovery, |s| s.not_me),
    route(Page::Profile, "/profile", Access::SignedIn, |s| s.profile),
    route(Page::Files, "/files", Access::SignedIn, |s| s.files),
    route(Page::Settings, "/settings", Access::SignedIn, |s| s.settings),
    route(Page::SettingsProfile, "/settings/profile", Access::SignedIn, |s| s.section_profile),
    route(Page::SettingsSecurity, "/settings/security", Access::SignedIn, |s| s.section_security),
    route(Page::SettingsDevices, "/settings/devices", Access::SignedIn, |s| s.section_devices),
    route(Page::SettingsData, "/settings/data", Access::SignedIn, |s| s.section_data),
    route(Page::Users, "/admin/users", Access::Admin, |s| s.users),
    route(Page::User, "/admin/users/:id", Access::Admin, |s| s.user_details),
    route(Page::Invitations, "/admin/invitations", Access::Admin, |s| s.invitations),
    route(Page::Audit, "/admin/audit", Access::Admin, |s| s.audit_log),
];

/// The page for paths that are not in the table.
const NOT_FOUND: Route = route(Page::NotFound, "", Access::Public, |s| s.not_found);

const fn route(
    page: Page,
    path: &'static str,
    access: Access,
    title: fn(&'static Strings) -> &'static str,
) -> Route {
    Route { page, path, access, title }
}

impl Page {
    /// Returns the page at a path; a trailing slash is ignored.
    #[must_use]
    pub fn at(path: &str) -> Self {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let route = ROUTES.iter().find(|route| match route.path.strip_suffix(":id") {
            Some(parent) => path.strip_prefix(parent).is_some_and(is_id),
            None => route.path == path,
        });
        route.map_or(Self::NotFound, |route| route.page)
    }

    /// Returns the page in the address bar.
    #[must_use]
    pub fn current() -> Self {
        Self::at(&dom::pathname())
    }

    /// Returns the path; empty for [`Page::NotFound`]. Of a page of an object it ends with `:id`.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.route().path
    }

    /// Returns the access rule.
    #[must_use]
    pub fn access(self) -> Access {
        self.route().access
    }

    /// Returns the title, which is also the page's heading.
    #[must_use]
    pub fn title(self, strings: &'static Strings) -> &'static str {
        (self.route().title)(strings)
    }

    /// Returns the title of the document: the page's title and the name of the site.
    #[must_use]
    pub fn document_title(self, strings: &'static Strings, site: &str) -> String {
        match self {
            Self::Home => site.to_owned(),
            _ => format!("{} · {site}", self.title(strings)),
        }
    }

    /// Returns whether the page requires a login.
    #[must_use]
    pub fn requires_auth(self) -> bool {
        matches!(self.access(), Access::SignedIn | Access::Admin)
    }

    /// Returns whether the code of the page is in the lazy chunk.
    #[must_use]
    pub fn is_lazy(self) -> bool {
        !matches!(self.access(), Access::Public | Access::SignedOut)
    }

    /// Returns whether links in mails open the page, with a token in the fragment.
    #[must_use]
    pub fn takes_link_token(self) -> bool {
        self == Self::Register || (self.access() == Access::Recovery && self != Self::Forgot)
    }

    /// Returns whether the page is `other`, or below it.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        let below = self.path().strip_prefix(other.path());
        self == other || below.is_some_and(|rest| rest.starts_with('/'))
    }

    fn route(self) -> &'static Route {
        ROUTES.iter().find(|route| route.page == self).unwrap_or(&NOT_FOUND)
    }
}

/// Returns whether a path segment has the form of a UUID.
fn is_id(segment: &str) -> bool {
    segment.len() == 36 && segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_with_any_path_returns_its_page() {
        for (path, page) in [
            ("/", Page::Home),
            ("", Page::Home),
            ("/login", Page::Login),
            ("/login/", Page::Login),
            ("/profile", Page::Profile),
            ("/profiles", Page::NotFound),
            ("/login/x", Page::NotFound),
            ("login", Page::NotFound),
            ("/Login", Page::NotFound),
            ("/files", Page::Files),
            ("/settings", Page::Settings),
            ("/settings/", Page::Settings),
            ("/settings/profile", Page::SettingsProfile),
            ("/settings/profile/x", Page::NotFound),
            ("/settings/nothing", Page::NotFound),
            ("/settingsx", Page::NotFound),
            ("/admin/users", Page::Users),
            ("/admin/users/", Page::Users),
            ("/admin", Page::NotFound),
            ("/admin/users/1", Page::NotFound),
            ("/admin/users/:id", Page::NotFound),
            ("/admin/users/019b76da-a800-7000-8000-000000000000", Page::User),
            ("/admin/users/019b76da-a800-7000-8000-000000000000/", Page::User),
            ("/admin/users/019b76da-a800-7000-8000-000000000000/x", Page::NotFound),
            ("/admin/users/019b76da-a800-7000-8000-00000000000g", Page::NotFound),
            ("/admin/audit", Page::Audit),
            ("/admin/invitations", Page::Invitations),
            ("/forgot", Page::Forgot),
            ("/reset", Page::Reset),
            ("/verify/", Page::Verify),
            ("/undo", Page::Undo),
        ] {
            assert_eq!(Page::at(path), page, "{path}");
        }
    }

    #[test]
    fn path_of_each_route_leads_back_to_its_page() {
        for route in &ROUTES {
            let path = route.page.path().replace(":id", "019b76da-a800-7000-8000-000000000000");
            assert_eq!(Page::at(&path), route.page);
            assert!(route.path.starts_with('/'), "{}", route.path);
        }
    }

    #[test]
    fn access_of_pages_without_login_is_public_or_signed_out() {
        let open = [Page::Home, Page::Login, Page::Register, Page::NotFound];
        let recovery = [Page::Forgot, Page::Reset, Page::Verify, Page::Undo];
        for page in ROUTES.iter().map(|route| route.page).chain([Page::NotFound]) {
            assert_eq!(page.is_lazy(), !open.contains(&page), "{page:?}");
            let is_open = open.contains(&page) || recovery.contains(&page);
            assert_eq!(page.requires_auth(), !is_open, "{page:?}");
        }
    }

    #[test]
    fn takes_link_token_is_true_for_pages_of_links_only() {
        let pages: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.page.takes_link_token())
            .map(|route| route.path)
            .collect();
        assert_eq!(pages, ["/register", "/reset", "/verify", "/undo"]);
    }

    #[test]
    fn is_within_is_true_for_the_page_and_its_sections() {
        assert!(Page::Settings.is_within(Page::Settings));
        assert!(Page::SettingsData.is_within(Page::Settings));
        assert!(Page::User.is_within(Page::Users));
        assert!(!Page::Audit.is_within(Page::Users));
        assert!(!Page::Settings.is_within(Page::SettingsData));
        assert!(!Page::Profile.is_within(Page::Home));
        assert!(!Page::NotFound.is_within(Page::Home));
        assert!(!Page::Register.is_within(Page::Login));
    }
}
