//! HTML document around the app, rendered by the server.

#[cfg(feature = "ssr")]
mod shape;

use std::sync::Arc;

use leptos::{hydration::AutoReload, nonce::use_nonce, prelude::*};

use crate::{
    App,
    i18n::{Lang, strings::Strings},
    routes::Page,
};

#[cfg(feature = "ssr")]
pub use shape::with_shape;

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
    /// Paths of the compiled client.
    pub assets: Arc<Assets>,
    /// Development only: the page reloads when its sources change.
    pub reload: bool,
}

/// Returns the minimum length of a new password in code points: on the server from its settings, in
/// the browser from the document.
#[must_use]
pub fn password_min() -> usize {
    use_context::<PageSettings>().map_or_else(
        || {
            crate::dom::root_number("data-password-min")
                .unwrap_or(crate::validation::password::MIN_DEFAULT)
        },
        |settings| settings.password_min,
    )
}

/// Returns the language of the page, on the server and in the browser.
#[must_use]
pub fn lang() -> Lang {
    use_context::<PageSettings>().map_or_else(crate::dom::lang, |settings| settings.lang)
}

/// Renders the HTML document.
///
/// - `head.js` runs before the first paint. It marks whether an access token is stored, so that the
///   style sheet can hide what is not for this visitor, and defers forms that are submitted before
///   hydration.
/// - `new_build.js` reloads the page when the server runs another build, whose files replace those
///   of this page. It compares the name of the WebAssembly module in both documents, so that
///   responses of intermediaries do not count. At most once for each build, unless the user asks
///   for it.
/// - `translation_guard.js` keeps machine-translated pages up to date. Translators replace text
///   nodes by `<font>` elements, and updates of the replaced nodes would not show; a node that the
///   app touches is put back. The document opts out of translation, since it exists in two
///   languages.
/// - `start.js` starts the app. If the DOM differs from the server's HTML (`with_shape`), the page
///   is rendered again instead of hydrated (`rerender.js`), and form input is carried over. If the
///   app panics before hydration ends, a second instance renders the page again; if that fails too,
///   or without WebAssembly, a banner appears. The second instance has a path of its own, since an
///   ES module is instantiated once for each URL. The glue of wasm-bindgen gets a copy of the
///   exports, so that an instance that has panicked can be disabled: its event listeners and timers
///   would still call it. Leptos' `HydrationScripts` writes the nonce into a readable attribute,
///   which keeps Firefox from using the preload.
pub fn shell(settings: &PageSettings, path: &str) -> impl IntoView + use<> {
    let page = Page::at(path);
    let strings = Strings::of(settings.lang);
    let assets = Arc::clone(&settings.assets);
    // A single string: markers that Leptos puts between views would show as text in a title.
    let title = escaped(&page.document_title(strings));
    let start_script = format!("{}({:?},{:?})", START_SCRIPT.trim_end(), assets.js, assets.wasm);
    let lazy_chunks = if page.requires_auth() { assets.lazy_chunks.clone() } else { Vec::new() };
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
            data-password-min=settings.password_min.to_string()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="google" content="notranslate" />
                <title inner_html=title></title>
                <meta name="description" content=strings.tagline />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f9f8f5" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#13161b" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/site.webmanifest" />
                <script nonce=use_nonce()>{HEAD_SCRIPT.trim_end()}</script>
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
                <noscript>
                    <div class="banner"><p>{strings.javascript_required}</p></div>
                </noscript>
            </body>
        </html>
    }
}

fn preload(path: String) -> impl IntoView {
    view! {
        <link
            rel="preload"
            href=path
            r#as="fetch"
            r#type="application/wasm"
            crossorigin="anonymous"
        />
    }
}

/// Scripts that run before the first paint or define functions for later.
const HEAD_SCRIPT: &str = concat!(
    include_str!("head.js"),
    include_str!("new_build.js"),
    include_str!("translation_guard.js")
);

/// Script that starts the app: it hydrates the page, or renders it again if the DOM has changed.
const START_SCRIPT: &str = concat!(include_str!("rerender.js"), include_str!("start.js"));

/// Renders a text in both languages; the style sheet shows one. Texts outside the app do not react
/// to the language switch.
fn bilingual(text: fn(&'static Strings) -> AnyView) -> impl IntoView {
    [Lang::Zh, Lang::En].map(|lang| view! { <p lang=lang.tag()>{text(Strings::of(lang))}</p> })
}

/// Escapes a text for an RCDATA element (HTML §13.1.2.6).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escaped_title_stays_inside_its_element() {
        assert_eq!(
            escaped("Files · Tom & Ann</title><b>"),
            "Files · Tom &amp; Ann&lt;/title>&lt;b>"
        );
    }
}
