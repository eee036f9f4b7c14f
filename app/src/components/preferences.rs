//! User preferences in the header: language and colour theme.

use leptos::prelude::*;

use super::icons;
use crate::i18n::strings::Language;

/// Language switch and theme select. `head.js` handles the theme, since it applies before the first
/// paint.
#[component]
pub fn Preferences() -> impl IntoView {
    let language = Language::of_page();
    let other = move || language.get().other();
    let switch = move |_| language.choose(language.0.get_untracked().other());
    view! {
        <div class="preferences">
            <button type="button" class="preference" on:click=switch>
                // The other language is labelled in its own language.
                <span class="sr-only">{language.t(|s| s.language)}": "</span>
                <span lang=move || other().tag()>{move || other().name()}</span>
            </button>
            <label class="preference">
                {icons::contrast()}
                <span class="sr-only">{language.t(|s| s.theme)}</span>
                <select id="theme" autocomplete="off">
                    <option value="">{language.t(|s| s.theme_system)}</option>
                    <option value="light">{language.t(|s| s.theme_light)}</option>
                    <option value="dark">{language.t(|s| s.theme_dark)}</option>
                </select>
            </label>
        </div>
    }
}
