//! Where a person goes after having logged in: the open-redirect rule (OWASP ASVS 3.7.2).

/// Where to go when nothing better is known.
pub const DEFAULT: &str = "/profile";

/// The place that a `redirect` parameter names, already percent-decoded once: a path of this origin
/// with its query and fragment, or [`DEFAULT`].
///
/// `//host`, `/\host`, schemes and control characters are not followed, and neither are the pages
/// that would send the person straight back here, nor `/api`, which is no page.
#[must_use]
pub fn target(decoded: Option<&str>) -> &str {
    decoded.filter(|path| is_followed(path)).unwrap_or(DEFAULT)
}

fn is_followed(path: &str) -> bool {
    // A browser strips tabs and newlines and turns a backslash into a slash before it looks at an
    // address.
    if !path.starts_with('/')
        || path[1..].starts_with(['/', '\\'])
        || path.contains('\\')
        || path.chars().any(char::is_control)
    {
        return false;
    }
    let end = path.find(['?', '#']).unwrap_or(path.len());
    // "/x/../login" and "/%6cogin" are "/login" to the router.
    let page = &path[..end];
    !page.split('/').any(|segment| segment == "." || segment == "..")
        && !page.contains('%')
        && !["/login", "/register", "/api"].iter().any(|closed| {
            page.strip_prefix(closed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_origin_are_followed() {
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
    fn everything_else_goes_to_the_profile() {
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
            assert_eq!(target(Some(path)), DEFAULT, "{path:?}");
        }
        assert_eq!(target(None), DEFAULT);
    }
}
