//! Settings of the server that pages show: name and links of the site, password length, duration of
//! a remembered login, registration policy, whether there is mail. The server renders them into
//! attributes of `<html>`, from which the browser reads them without a request.

use std::sync::Arc;

use leptos::prelude::use_context;

use crate::{dom, i18n::Lang, protocol::invitations::RegistrationPolicy, validation::password};

/// Paths of the compiled client: glue code, WebAssembly and style sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// Path of the JavaScript glue.
    pub js: String,
    /// Path of the main WebAssembly module.
    pub wasm: String,
    /// Path of the style sheet.
    pub css: String,
    /// Paths of the lazy chunks that pages behind a login need.
    pub lazy_chunks: Vec<String>,
}

/// Server settings that a page depends on; provided as context.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// Language of the page.
    pub lang: Lang,
    /// Minimum length of a new password, in code points.
    pub password_min: usize,
    /// Seconds that a remembered login lasts without a visit.
    pub remember_seconds: usize,
    /// Name and links of the site.
    pub site: Arc<SiteInfo>,
    /// True if the server sends mail.
    pub mail: bool,
    /// Policy of registration.
    pub registration: RegistrationPolicy,
    /// True if a login requires a verified address.
    pub require_verified_address: bool,
    /// Paths of the compiled client.
    pub assets: Arc<Assets>,
    /// Development only: the page reloads when its sources change.
    pub reload: bool,
}

/// Name and links of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteInfo {
    /// Name in the header and in titles.
    pub name: String,
    /// Origin of the site for its users, such as `https://accounts.example`.
    pub public_url: Option<String>,
    /// Privacy policy: an `https:` or `mailto:` URL, as all links.
    pub privacy_url: Option<String>,
    /// Terms of service.
    pub terms_url: Option<String>,
    /// Help for users.
    pub support_url: Option<String>,
}

impl Default for SiteInfo {
    fn default() -> Self {
        Self {
            name: "Gatehouse".to_owned(),
            public_url: None,
            privacy_url: None,
            terms_url: None,
            support_url: None,
        }
    }
}

/// Returns the name of the site.
#[must_use]
pub fn site_name() -> String {
    let name = use_context::<PageSettings>().map(|settings| settings.site.name.clone());
    name.or_else(|| dom::root_attribute("data-site-name")).unwrap_or_default()
}

/// Returns the URL of the help for users, if there is one.
#[must_use]
pub fn support_url() -> Option<String> {
    match use_context::<PageSettings>() {
        Some(settings) => settings.site.support_url.clone(),
        None => dom::root_attribute("data-support-url"),
    }
}

/// Returns the minimum length of a new password in code points.
#[must_use]
pub fn password_min() -> usize {
    let min = use_context::<PageSettings>().map(|settings| settings.password_min);
    min.or_else(|| dom::root_number("data-password-min")).unwrap_or(password::MIN_DEFAULT)
}

/// Returns the seconds that a remembered login lasts without a visit.
#[must_use]
pub fn remember_seconds() -> usize {
    let seconds = use_context::<PageSettings>().map(|settings| settings.remember_seconds);
    seconds.or_else(|| dom::root_number("data-remember-seconds")).unwrap_or_default()
}

/// Returns whether the server sends mail.
#[must_use]
pub fn has_mail() -> bool {
    match use_context::<PageSettings>() {
        Some(settings) => settings.mail,
        None => dom::root_attribute("data-mail").is_some(),
    }
}

/// Returns which visitors may register.
#[must_use]
pub fn registration() -> RegistrationPolicy {
    match use_context::<PageSettings>() {
        Some(settings) => settings.registration,
        None => dom::root_attribute("data-registration")
            .and_then(|policy| RegistrationPolicy::parse(&policy))
            .unwrap_or_default(),
    }
}

/// Returns whether a login requires a verified address.
#[must_use]
pub fn requires_verified_address() -> bool {
    match use_context::<PageSettings>() {
        Some(settings) => settings.require_verified_address,
        None => dom::root_attribute("data-verified-address").is_some(),
    }
}

/// Returns the language of the page, on the server and in the browser.
#[must_use]
pub fn lang() -> Lang {
    use_context::<PageSettings>().map_or_else(dom::lang, |settings| settings.lang)
}
