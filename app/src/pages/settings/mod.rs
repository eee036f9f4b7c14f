//! `/settings`: settings in sections, each with its own URL. On narrow windows `/settings` is the
//! list of sections; on wide ones the list is shown beside the section, and `/settings` shows the
//! first.

mod activity;
mod address;
mod alerts;
mod data;
mod devices;
mod picture;
mod profile;
mod security;

use leptos::{prelude::*, tachys::html::InertElement};

use crate::{components::icons, i18n::strings::Language, routes::Page};

/// The sections, in the order of their list.
const SECTIONS: [Page; 4] =
    [Page::SettingsProfile, Page::SettingsSecurity, Page::SettingsDevices, Page::SettingsData];

/// Returns the URL of the profile settings with the form open.
pub(super) fn profile_form_url() -> String {
    format!("{}?{}", Page::SettingsProfile.path(), profile::EDIT)
}

/// Icon of a section.
fn icon(section: Page) -> InertElement {
    match section {
        Page::SettingsSecurity => icons::shield(),
        Page::SettingsDevices => icons::screens(),
        Page::SettingsData => icons::archive(),
        _ => icons::person(),
    }
}

/// Renders a section, or the list of sections.
pub fn view(page: Page) -> AnyView {
    let language = Language::of_page();
    let link = move |section: Page| {
        view! {
            <li>
                <a
                    class="nav-link"
                    href=section.path()
                    aria-current=(section == page).then_some("page")
                >
                    {icon(section)}
                    {move || section.title(language.strings())}
                </a>
            </li>
        }
    };
    view! {
        <div class="settings" data-list=(page == Page::Settings).then_some("")>
            <a class="back" href=Page::Settings.path()>
                {icons::back()}
                {language.t(|s| s.settings)}
            </a>
            <h1 tabindex="-1">{move || page.title(language.strings())}</h1>
            <nav aria-label=language.t(|s| s.settings)>
                <ul>{SECTIONS.map(link)}</ul>
            </nav>
            <div class="settings-cards">{cards(page)}</div>
        </div>
    }
    .into_any()
}

/// Renders the cards of a section; of the first one beside the list.
fn cards(page: Page) -> AnyView {
    match page {
        Page::SettingsSecurity => security::view(),
        Page::SettingsDevices => devices::view(),
        Page::SettingsData => data::view(),
        _ => (picture::view(), profile::view()).into_any(),
    }
}
