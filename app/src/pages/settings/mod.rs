//! `/settings`: settings in sections, each with its own URL. On narrow windows `/settings` is the
//! list of sections; on wide ones the list is shown beside the section, and `/settings` shows the
//! first.

mod data;
mod devices;
mod picture;
mod profile;
mod security;

use leptos::prelude::*;

use crate::{
    components::icons,
    i18n::strings::{Language, Strings},
};

/// A section of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `/settings/profile`
    Profile,
    /// `/settings/security`
    Security,
    /// `/settings/devices`
    Devices,
    /// `/settings/data`
    Data,
}

impl Section {
    /// All sections, in the order of the list.
    pub const ALL: [Self; 4] = [Self::Profile, Self::Security, Self::Devices, Self::Data];

    /// Returns the section at a path.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.path() == path)
    }

    /// Returns the path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Profile => "/settings/profile",
            Self::Security => "/settings/security",
            Self::Devices => "/settings/devices",
            Self::Data => "/settings/data",
        }
    }

    /// Returns the label.
    #[must_use]
    pub const fn name(self, strings: &Strings) -> &'static str {
        match self {
            Self::Profile => strings.section_profile,
            Self::Security => strings.section_security,
            Self::Devices => strings.section_devices,
            Self::Data => strings.section_data,
        }
    }

    /// Renders the section's cards.
    fn view(self) -> AnyView {
        match self {
            Self::Profile => (picture::view(), profile::view()).into_any(),
            Self::Security => security::view(),
            Self::Devices => devices::view(),
            Self::Data => data::view(),
        }
    }
}

/// Renders a section, or the list of sections.
pub fn view(section: Option<Section>) -> AnyView {
    let language = Language::of_page();
    let heading = move || {
        section.map_or(language.strings().settings, |section| section.name(language.strings()))
    };
    let link = move |one: Section| {
        view! {
            <li>
                <a class="nav-link" href=one.path() aria-current=(section == Some(one)).then_some("page")>
                    {move || one.name(language.strings())}
                </a>
            </li>
        }
    };
    view! {
        <div class="settings" data-list=section.is_none().then_some("")>
            <a class="back" href="/settings">{icons::back()}{language.t(|s| s.settings)}</a>
            <h1 tabindex="-1">{heading}</h1>
            <nav aria-label=language.t(|s| s.settings)>
                <ul>{Section::ALL.map(link)}</ul>
            </nav>
            <div class="settings-cards">{section.unwrap_or(Section::Profile).view()}</div>
        </div>
    }
    .into_any()
}
