//! Redirect target after a login: protection against open redirects (OWASP ASVS 3.7.2).

use super::{Access, Page, ROUTES};

/// Target when none is given, or the given one is rejected.
pub const DEFAULT: Page = Page::Profile;

/// Returns the target of a `redirect` parameter, which is percent-decoded once: a path of this
/// origin with query and fragment, or the path of [`DEFAULT`].
///
/// Rejected are `//host`, `/\host`, schemes and control characters; signed-out pages, which would
/// redirect back here; and `/api`, which has no pages.
#[must_use]
pub fn target(decoded: Option<&str>) -> &str {
    decoded.filter(|target| is_allowed(target)).unwrap_or_else(|| DEFAULT.path())
}

fn is_allowed(path: &str) -> bool {
    // Browsers strip tabs and newlines and turn backslashes into slashes before they parse a URL.
    if !path.starts_with('/')
        || path[1..].starts_with(['/', '\\'])
        || path.contains('\\')
        || path.chars().any(char::is_control)
    {
        return false;
    }
    let end = path.find(['?', '#']).unwrap_or(path.len());
    // "/x/../login" and "/%6cogin" are "/login" to a browser.
    let page = &path[..end];
    !page.split('/').any(|segment| segment == "." || segment == "..")
        && !page.contains('%')
        && !excluded_prefixes().any(|prefix| {
            page.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

fn excluded_prefixes() -> impl Iterator<Item = &'static str> {
    let signed_out = ROUTES.iter().filter(|route| route.access == Access::SignedOut);
    signed_out.map(|route| route.path).chain(["/api"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_with_path_of_this_origin_is_allowed() {
        for path in [
            "/",
            "/profile",
            "/settings/devices?tab=2&x=%2F",
            "/settings/profile#mobile",
            "/files?x=1#//evil.example",
            "/a#b",
            "/logins",
            "/apis",
            "/个人",
        ] {
            assert_eq!(target(Some(path)), path);
        }
    }

    #[test]
    fn target_with_any_other_value_falls_back_to_the_default() {
        for path in [
            "",
            "profile",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "\\/evil",
            "/\t/evil.example",
            "/\n/evil",
            "/a\\..\\b",
            "@evil.example",
            "%2f%2fevil.example",
            "/%2fevil.example",
            "/login",
            "/login/",
            "/login?redirect=/login",
            "/register#x",
            "/login#/profile",
            "#/profile",
            "//evil.example#/profile",
            "/profile#\t",
            "/profile#\\evil",
            "/api/me",
            "/api",
            "/x/../login",
            "/./login",
            "/%6cogin",
            "/profile\r\nSet-Cookie: x",
        ] {
            assert_eq!(target(Some(path)), DEFAULT.path(), "{path:?}");
        }
        assert_eq!(target(None), DEFAULT.path());
    }
}
