//! `/settings/profile`: nickname and contact data.

use std::cell::RefCell;

use leptos::{ev::SubmitEvent, prelude::*, task::tick};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use uuid::Uuid;

use super::address;
use crate::{
    components::{
        field::{Field, FieldState},
        form::{FormError, FormState},
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    dom,
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    pages::profile_resource::ProfileResource,
    protocol::{Patch, Profile, ProfileChanged, ProfileChanges, error::ApiError},
    routes::Page,
    server_fns::update_profile,
    session::browser,
    validation::{self, Problem},
};

/// The editable fields.
#[derive(Clone, Copy)]
struct Fields {
    nickname: FieldState,
    email: FieldState,
    mobile: FieldState,
}

/// Query parameter that opens the form.
pub(super) const EDIT: &str = "edit";

thread_local! {
    /// Unsaved texts of the form and the user who typed them: they survive a visit of another page.
    static DRAFT: RefCell<Option<(Uuid, [String; 3])>> = const { RefCell::new(None) };
}

/// Cards of the section.
pub(super) fn view() -> AnyView {
    let profile = ProfileResource::new();
    let editing = RwSignal::new(false);
    open_form_on_arrival(profile, editing);
    view! {
        {profile.status_view()}
        <section
            class="card"
            hidden=move || profile.has_failed()
            aria-busy=move || profile.is_loading().then_some("true")
        >
            <h2>{profile.language.t(|s| s.details)}</h2>
            {facts(profile, editing)}
            {form(profile, editing)}
        </section>
        {address::card(profile)}
    }
    .into_any()
}

/// Opens the form once the profile is loaded, if the URL asks for it or a draft is left from an
/// earlier visit.
fn open_form_on_arrival(profile: ProfileResource, editing: RwSignal<bool>) {
    Effect::new(move |was_opened: Option<bool>| {
        let Some(user_id) = profile.get(|me| me.id) else {
            return was_opened.unwrap_or_default();
        };
        if was_opened != Some(true) && (is_form_requested() || draft_of(user_id).is_some()) {
            editing.set(true);
        }
        true
    });
}

/// Returns whether the URL asks for the form.
fn is_form_requested() -> bool {
    dom::path_and_query() == super::profile_form_url()
}

/// Returns the draft of a user.
fn draft_of(user_id: Uuid) -> Option<[String; 3]> {
    DRAFT.with_borrow(|draft| {
        draft.as_ref().filter(|(owner, _)| *owner == user_id).map(|(_, texts)| texts.clone())
    })
}

/// Read-only view.
fn facts(profile: ProfileResource, editing: RwSignal<bool>) -> impl IntoView {
    let language = profile.language;
    let fact = move |label: fn(&'static Strings) -> &'static str,
                     pick: fn(&Profile) -> Option<&String>| {
        let text = move || {
            profile.get(|me| {
                pick(me).cloned().unwrap_or_else(|| language.strings().not_provided.to_owned())
            })
        };
        view! {
            <div class="row">
                <dt>{language.t(label)}</dt>
                <dd>{text}</dd>
            </div>
        }
    };
    view! {
        <div hidden=move || editing.get()>
            <dl>
                {fact(|s| s.account_name, |me| Some(&me.username))}
                {fact(|s| s.nickname, |me| me.nickname.as_ref())}
                <div class="row">
                    <dt>{language.t(|s| s.email)}</dt>
                    <dd>
                        {move || {
                            profile
                                .get(|me| {
                                    shown_address(me)
                                        .cloned()
                                        .unwrap_or_else(|| language.strings().not_provided.into())
                                })
                        }}
                        {address::state(profile)}
                    </dd>
                </div>
                {fact(|s| s.mobile, |me| me.mobile.as_ref())}
            </dl>
            {contact_offer(profile)}
            <div class="form-actions card-footer">
                <button
                    type="button"
                    id="edit"
                    class="btn btn-outline"
                    disabled=move || profile.is_loading()
                    on:click=move |_| editing.set(true)
                >
                    {language.t(|s| s.edit)}
                </button>
            </div>
        </div>
    }
}

/// Returns the address of the account: that for contact, else the username.
pub(super) fn shown_address(me: &Profile) -> Option<&String> {
    me.email.as_ref().or_else(|| login_address(me))
}

/// Returns the username, if it is an e-mail address and no contact address is set.
fn login_address(me: &Profile) -> Option<&String> {
    let is_address = me.username.contains('@') && validation::email::parse(&me.username).is_ok();
    (me.email.is_none() && is_address).then_some(&me.username)
}

/// Offers the address that the user logs in with as contact address.
fn contact_offer(profile: ProfileResource) -> impl IntoView {
    let language = profile.language;
    let toasts = Toasts::of_page();
    let form = FormState::new(Vec::new());
    let address = Memo::new(move |_| profile.get(|me| login_address(me).cloned()).flatten());
    let submit = move |event: SubmitEvent| {
        let call = async move {
            let Some(address) = address.get_untracked() else { return Ok(()) };
            let email = Patch::Set(address);
            let answer = update_profile(ProfileChanges { email, ..Default::default() }).await?;
            apply(profile, answer);
            toasts.status(|strings| strings.profile_saved);
            // The button is removed with the offer.
            tick().await;
            focus_edit_button();
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    let offer = move || {
        view! {
            <form class="contact-offer" method="post" novalidate on:submit=submit>
                <FormError form />
                <p>{language.t(|s| s.login_address)}</p>
                <SubmitButton label=|s| s.use_as_contact busy=form.busy class="btn btn-outline" />
            </form>
        }
    };
    move || address.with(Option::is_some).then(offer)
}

/// Applies a change that the server has confirmed.
fn apply(profile: ProfileResource, answer: ProfileChanged) {
    browser::update_user(answer.user.clone());
    profile.update(|me| {
        me.set_user(answer.user);
        // The verification belongs to the address.
        me.email_verified &= me.email == answer.email;
        me.email = answer.email;
        me.pending_email = answer.pending_email;
        me.mobile = answer.mobile;
    });
}

pub(super) fn focus_edit_button() {
    dom::focus_first("#edit");
}

fn form(profile: ProfileResource, editing: RwSignal<bool>) -> impl IntoView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let fields = Fields {
        nickname: FieldState::new(|typed| validation::nickname::parse(typed).map(drop)),
        email: FieldState::new(|typed| validation::email::parse(typed).map(drop)),
        mobile: FieldState::new(move |typed| mobile(typed, language).map(drop)),
    };
    let Fields { nickname, email, mobile } = fields;
    let form = FormState::new(vec![("nickname", nickname), ("email", email), ("mobile", mobile)]);
    let navigate = use_navigate();
    // Editing starts from the draft or the current values. Afterwards the focus returns to the edit
    // button.
    Effect::new(move |before: Option<bool>| {
        let is_editing = editing.get();
        if before.is_some_and(|before| before != is_editing) {
            if is_editing && !form.busy.get_untracked() {
                Fields::reset(form, profile.get_untracked().as_ref());
            }
            if !is_editing && is_form_requested() {
                // A reload does not open the form again.
                let options =
                    NavigateOptions { resolve: false, replace: true, ..Default::default() };
                navigate(Page::SettingsProfile.path(), options);
            }
            dom::spawn(async move {
                tick().await;
                if is_editing {
                    nickname.focus();
                } else {
                    focus_edit_button();
                }
            });
        }
        is_editing
    });
    let submit = move |event: SubmitEvent| {
        let call = async move {
            let Some(before) = profile.get_untracked() else { return Ok(()) };
            let waiting = before.pending_email.clone();
            let is_changed = save(profile, before, fields, editing).await?;
            let pending = profile.get_untracked().and_then(|me| me.pending_email);
            if pending.is_some() && pending != waiting {
                toasts.status(|strings| strings.address_change_sent);
            } else if is_changed {
                toasts.status(|strings| strings.profile_saved);
            }
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <form
            method="post"
            novalidate
            hidden=move || !editing.get()
            on:input=move |_| fields.keep_draft(profile)
            on:submit=submit
        >
            <FormError form />
            <Field
                state=nickname
                name="nickname"
                label=|s| s.nickname
                autocapitalize="words"
                hint=|lang| Strings::of(lang).nickname_hint.to_owned()
                autocomplete="nickname"
                optional=true
            />
            <Field
                state=email
                name="email"
                label=|s| s.email
                autocomplete="email"
                inputmode="email"
                optional=true
            />
            <Field
                state=mobile
                name="mobile"
                label=|s| s.mobile
                hint=|lang| Strings::of(lang).mobile_hint.to_owned()
                autocomplete="tel"
                inputmode="tel"
                enterkeyhint="go"
                optional=true
            />
            <div class="form-actions card-footer">
                <SubmitButton label=|s| s.save busy=form.busy />
                <button
                    type="button"
                    class="btn btn-ghost"
                    disabled=move || form.busy.get()
                    on:click=move |_| {
                        DRAFT.set(None);
                        editing.set(false);
                    }
                >
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </form>
    }
}

/// Saves the changed fields and returns whether there were any. The nickname is updated
/// optimistically, in all tabs, and rolled back on failure. Changes of e-mail address or phone
/// number may require re-authentication, so the form stays open until they are saved.
async fn save(
    profile: ProfileResource,
    before: Profile,
    fields: Fields,
    editing: RwSignal<bool>,
) -> Result<bool, ApiError> {
    let changes = fields.changes(&before, profile.language);
    if changes == ProfileChanges::default() {
        DRAFT.set(None);
        editing.set(false);
        return Ok(false);
    }
    if let Patch::Set(nickname) = &changes.nickname {
        let mut user = before.user();
        user.nickname = Some(nickname.clone()).filter(|nickname| !nickname.is_empty());
        browser::update_user(user);
    }
    if changes.email.is_keep() && changes.mobile.is_keep() {
        editing.set(false);
    }
    match update_profile(changes).await {
        Ok(answer) => {
            apply(profile, answer);
            DRAFT.set(None);
            editing.try_set(false);
            Ok(true)
        }
        Err(error) => {
            browser::update_user(before.user());
            editing.try_set(true);
            // A hidden form cannot take the focus: wait until it is rendered.
            tick().await;
            Err(error)
        }
    }
}

impl Fields {
    fn reset(form: FormState, me: Option<&Profile>) {
        let Some(me) = me else { return form.reset([""; 3]) };
        let texts = draft_of(me.id).unwrap_or_else(|| {
            [&me.nickname, &me.email, &me.mobile].map(|text| text.clone().unwrap_or_default())
        });
        form.reset(texts.iter().map(String::as_str));
    }

    /// Keeps what is typed until it is saved or cancelled.
    fn keep_draft(self, profile: ProfileResource) {
        let typed = [self.nickname, self.email, self.mobile].map(FieldState::value);
        DRAFT.set(profile.get_untracked().map(|me| (me.id, typed)));
    }

    /// Returns the fields that differ from `before`. They have been validated.
    fn changes(self, before: &Profile, language: Language) -> ProfileChanges {
        let typed = [self.nickname, self.email, self.mobile].map(FieldState::value);
        let nickname = validation::nickname::parse(&typed[0]).ok().flatten();
        let email = validation::email::parse(&typed[1]).ok().flatten();
        let mobile = mobile(&typed[2], language).ok().flatten();
        ProfileChanges {
            nickname: patch(before.nickname.as_deref(), nickname),
            email: patch(before.email.as_deref(), email),
            mobile: patch(before.mobile.as_deref(), mobile.as_deref()),
            alert_new_device: None,
        }
    }
}

/// Parses a phone number; without a country code it is national if the page is in Chinese.
fn mobile(typed: &str, language: Language) -> Result<Option<String>, Problem> {
    validation::mobile::parse(typed, language.0.get_untracked() == Lang::Zh)
}

fn patch(before: Option<&str>, now: Option<&str>) -> Patch {
    if before == now { Patch::Keep } else { Patch::Set(now.unwrap_or_default().to_owned()) }
}
