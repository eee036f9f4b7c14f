//! HTML document around the app, rendered by the server.

#[cfg(feature = "ssr")]
mod shape;

use std::sync::{Arc, LazyLock};

use leptos::{html, hydration::AutoReload, nonce::use_nonce, prelude::*};

use crate::{
    App,
    i18n::{Lang, document, document::DocumentStrings, strings::Strings},
    page_settings::PageSettings,
    protocol::invitations::RegistrationPolicy,
    routes::{Access, Page},
};

#[cfg(feature = "ssr")]
pub use shape::served;

/// Renders the HTML document.
///
/// - `head.js` runs before the first paint. It marks whether an access token is stored, so that the
///   style sheet can hide what is not for this visitor, handles language and theme of the footer,
///   focuses the first empty field where no on-screen keyboard would open, and defers forms that are
///   submitted before hydration.
/// - `link_token.js`, on the pages of links in mails, takes the token out of the fragment, keeps it in
///   memory and cleans the address bar, also if the app never starts: history, screenshots and
///   redirects to the login page must not have it.
/// - `new_build.js` reloads the page when the server runs another build, whose files replace those
///   of this page. It compares the name of the WebAssembly module in both documents, so that
///   responses of intermediaries do not count. At most once for each build, unless the user asks
///   for it.
/// - `translation_guard.js` keeps machine-translated pages up to date. Translators replace text
///   nodes by `<font>` elements, and updates of the replaced nodes would not show; a node that the
///   app touches is put back. The document opts out of translation, since it exists in two
///   languages.
/// - `start.js` starts the app. If the DOM differs from the server's HTML (`served`), the page
///   is rendered again instead of hydrated (`rerender.js`), and form input is carried over. If the
///   app panics before hydration ends, a second instance renders the page again; if that fails too,
///   or without WebAssembly, a banner appears. The second instance has a path of its own, since an
///   ES module is instantiated once for each URL. The glue of wasm-bindgen gets a copy of the
///   exports, so that an instance that has panicked can be disabled: its event listeners and timers
///   would still call it. Leptos' `HydrationScripts` writes the nonce into a readable attribute,
///   which keeps Firefox from using the preload.
pub fn shell(settings: &PageSettings, path: &str) -> impl IntoView + use<> {
    let page = Page::at(path);
    let site = Arc::clone(&settings.site);
    let assets = Arc::clone(&settings.assets);
    let start_script = format!("{}({:?},{:?})", *START_SCRIPT, assets.js, assets.wasm);
    let lazy_chunks = if page.is_lazy() { assets.lazy_chunks.clone() } else { Vec::new() };
    // Only what differs from the default takes bytes of each page.
    let registration = Some(settings.registration)
        .filter(|policy| *policy != RegistrationPolicy::default())
        .map(RegistrationPolicy::as_str);
    let reload = settings.reload.then(|| {
        let options = leptos::config::get_configuration(None).map(|file| file.leptos_options);
        options.ok().map(|options| view! { <AutoReload options /> })
    });
    view! {
        <!DOCTYPE html>
        <html
            lang=settings.lang.tag()
            translate="no"
            class="notranslate"
            data-site-name=site.name.clone()
            data-support-url=site.support_url.clone()
            data-password-min=settings.password_min.to_string()
            data-remember-seconds=settings.remember_seconds.to_string()
            data-mail=settings.mail.then_some("")
            data-registration=registration
            data-verified-address=settings.require_verified_address.then_some("")
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="google" content="notranslate" />
                {metadata(settings, page)}
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f9f8f5" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#13161b" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.ico" sizes="32x32" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/app.webmanifest" />
                {page
                    .takes_link_token()
                    .then(|| {
                        view! { <script nonce=use_nonce()>{LINK_TOKEN_SCRIPT.as_str()}</script> }
                    })}
                <script nonce=use_nonce()>{HEAD_SCRIPT.as_str()}</script>
                <link rel="stylesheet" href=assets.css.clone() />
                <link rel="modulepreload" href=assets.js.clone() />
                {preload(assets.wasm.clone())}
                {lazy_chunks.into_iter().map(preload).collect_view()}
                <script type="module" nonce=use_nonce()>{start_script}</script>
                {reload}
            </head>
            <body>
                <App />
                <div class="banner banner-offline" role="status" data-shape="">
                    {bilingual(|strings| strings.offline.into_any())}
                </div>
                <div class="banner banner-broken" role="alert">
                    {bilingual(|strings| {
                        view! { {strings.page_incomplete}" "<a href="">{strings.reload}</a> }
                            .into_any()
                    })}
                </div>
                <div class="banner banner-missing" role="alert">
                    {bilingual(|strings| strings.javascript_required.into_any())}
                </div>
                {footer(settings)}
                <noscript>
                    <div class="banner">
                        <p>{DocumentStrings::of(settings.lang).javascript_required}</p>
                    </div>
                </noscript>
            </body>
        </html>
    }
}

/// Title, description and data for search engines and link previews (Open Graph). URLs need the
/// public URL: the `Host` header is chosen by the client.
fn metadata(settings: &PageSettings, page: Page) -> impl IntoView + use<> {
    let (lang, site) = (settings.lang, &settings.site);
    // A single string: markers that Leptos puts between views would show as text in a title.
    let title = page.document_title(Strings::of(lang), &site.name);
    let description = description(page, lang, &site.name);
    // Pages behind a login are empty shells to a crawler.
    let is_listed = !page.is_lazy() && page != Page::NotFound;
    let robots = (!is_listed).then(|| view! { <meta name="robots" content="noindex" /> });
    let urls = site.public_url.as_ref().filter(|_| is_listed).map(|origin| {
        let url = format!("{origin}{}", page.path());
        let image = format!("{origin}/icon-512.png");
        view! {
            <link rel="canonical" href=url.clone() />
            {open_graph("og:url", url)}
            {open_graph("og:image", image)}
        }
    });
    view! {
        <title inner_html=escaped(&title)></title>
        <meta name="description" content=description.clone() />
        {open_graph("og:title", title)}
        {open_graph("og:description", description)}
        {open_graph("og:site_name", site.name.clone())}
        {open_graph("og:type", "website".to_owned())}
        <meta name="twitter:card" content="summary" />
        {robots}
        {urls}
    }
}

/// Renders a property of Open Graph.
fn open_graph(property: &'static str, content: String) -> impl IntoView {
    html::meta().attr("property", property).content(content)
}

fn description(page: Page, lang: Lang, site: &str) -> String {
    match page {
        Page::Home => Strings::of(lang).home_guest.to_owned(),
        Page::Login => document::about_login(lang, site),
        Page::Register => document::about_register(lang, site),
        Page::NotFound => DocumentStrings::of(lang).about_missing.to_owned(),
        _ if page.access() == Access::Recovery => {
            DocumentStrings::of(lang).about_recovery.to_owned()
        }
        _ => DocumentStrings::of(lang).about_member.to_owned(),
    }
}

/// Site footer: name and links of the site, language and theme. It is not part of the app: its texts
/// are there in both languages, and `head.js` handles its controls.
fn footer(settings: &PageSettings) -> impl IntoView + use<> {
    let site = &settings.site;
    let strings = DocumentStrings::of(settings.lang);
    let link = |url: &Option<String>, text: Text| {
        url.clone().map(|url| view! { <a href=url>{spans(text)}</a> })
    };
    let option = |value: &'static str, text: Text| {
        view! {
            <option value=value data-zh=text(DocumentStrings::of(Lang::Zh)) data-en=text(DocumentStrings::of(Lang::En))>
                {text(strings)}
            </option>
        }
    };
    view! {
        <footer class="site-footer">
            <p>{site.name.clone()}</p>
            {link(&site.privacy_url, |s| s.privacy)}
            {link(&site.terms_url, |s| s.terms)}
            {link(&site.support_url, |s| s.support)}
            <button type="button" id="language" class="preference">
                <span class="sr-only">{spans(|s| s.language)}" "</span>
                // The other language is labelled in its own language.
                <span class="other-language">
                    {LANGUAGES.map(|lang| view! { <span lang=lang.tag()>{lang.name()}</span> })}
                </span>
            </button>
            <label class="preference">
                {spans(|s| s.theme)}
                <select id="theme" autocomplete="off">
                    {option("", |s| s.theme_system)}
                    {option("light", |s| s.theme_light)}
                    {option("dark", |s| s.theme_dark)}
                </select>
            </label>
        </footer>
    }
}

/// Preloads a WebAssembly module. Its priority is low: the style sheet, without which nothing is
/// painted, is not to share the connection with it.
fn preload(path: String) -> impl IntoView {
    view! {
        <link
            rel="preload"
            href=path
            r#as="fetch"
            r#type="application/wasm"
            fetchpriority="low"
            crossorigin="anonymous"
        />
    }
}

/// Scripts that run before the first paint or define functions for later.
static HEAD_SCRIPT: LazyLock<String> = LazyLock::new(|| {
    compact(concat!(
        include_str!("head.js"),
        include_str!("new_build.js"),
        include_str!("translation_guard.js")
    ))
});

/// Script of the pages that links in mails open: it takes the token out of the address bar.
static LINK_TOKEN_SCRIPT: LazyLock<String> =
    LazyLock::new(|| compact(include_str!("link_token.js")));

/// Script that starts the app: it hydrates the page, or renders it again if the DOM has changed.
static START_SCRIPT: LazyLock<String> =
    LazyLock::new(|| compact(concat!(include_str!("rerender.js"), include_str!("start.js"))));

/// Removes indentation and the lines of comments: every page carries the scripts.
fn compact(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    let code: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    code.join("\n")
}

/// Both languages, of which the style sheet shows one.
const LANGUAGES: [Lang; 2] = [Lang::Zh, Lang::En];

/// Selects a text.
type Text = fn(&'static DocumentStrings) -> &'static str;

/// Renders a paragraph in both languages; the style sheet shows one. Texts outside the app do not
/// react to the language switch.
fn bilingual(text: fn(&'static DocumentStrings) -> AnyView) -> impl IntoView {
    LANGUAGES.map(|lang| view! { <p lang=lang.tag()>{text(DocumentStrings::of(lang))}</p> })
}

/// As [`bilingual`], within a line.
fn spans(text: Text) -> impl IntoView {
    let text =
        move |lang: Lang| view! { <span lang=lang.tag()>{text(DocumentStrings::of(lang))}</span> };
    view! { <span class="bilingual">{LANGUAGES.map(text)}</span> }
}

/// Escapes a text for an RCDATA element (HTML §13.1.2.6).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{compact, escaped};

    #[test]
    fn escaped_title_stays_inside_its_element() {
        assert_eq!(
            escaped("Files · Tom & Ann</title><b>"),
            "Files · Tom &amp; Ann&lt;/title>&lt;b>"
        );
    }

    #[test]
    fn compact_script_has_neither_comments_nor_indentation() {
        let script = "(() => {\n  // Why.\n  run(\"a // b\");\n\n})();\n";
        assert_eq!(compact(script), "(() => {\nrun(\"a // b\");\n})();");
    }
}
