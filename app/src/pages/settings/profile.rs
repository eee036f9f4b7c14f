//! `/settings/profile`: nickname and contact data.

use leptos::{ev::SubmitEvent, prelude::*, task::tick};

use crate::{
    components::{
        field::{Field, FieldState},
        form::{FormError, FormState},
        masking,
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    dom,
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    pages::profile_resource::ProfileResource,
    protocol::{Patch, Profile, ProfileChanges, error::ApiError},
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

/// Cards of the section.
pub(super) fn view() -> AnyView {
    let profile = ProfileResource::new();
    let editing = RwSignal::new(false);
    view! {
        {profile.status_view()}
        <section
            class="card"
            hidden=move || profile.has_failed()
            aria-busy=move || profile.is_loading().then_some("true")
        >
            {facts(profile, editing)}
            {form(profile, editing)}
        </section>
    }
    .into_any()
}

/// Read-only view, with contact data masked against shoulder surfing.
fn facts(profile: ProfileResource, editing: RwSignal<bool>) -> impl IntoView {
    let language = profile.language;
    let word = move |value: Option<String>| {
        value.unwrap_or_else(|| language.strings().not_provided.to_owned())
    };
    let nickname = move || profile.get(|me| me.nickname.clone()).map(word);
    view! {
        <div hidden=move || editing.get()>
            <dl>
                <div class="row">
                    <dt>{language.t(|s| s.account_name)}</dt>
                    <dd>{profile.text(|me, _| me.username.clone())}</dd>
                </div>
                <div class="row">
                    <dt>{language.t(|s| s.nickname)}</dt>
                    <dd>{nickname}</dd>
                </div>
                {masked(profile, |s| s.email, |me| me.email.as_deref(), masking::email)}
                {masked(profile, |s| s.mobile, |me| me.mobile.as_deref(), masking::mobile)}
            </dl>
            <div class="form-actions">
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

/// A masked value with a button to reveal it.
fn masked(
    profile: ProfileResource,
    label: fn(&'static Strings) -> &'static str,
    pick: fn(&Profile) -> Option<&str>,
    mask: fn(&str) -> String,
) -> impl IntoView {
    let language = profile.language;
    let shown = RwSignal::new(false);
    let is_given = move || profile.get(|me| pick(me).is_some()).unwrap_or_default();
    let text = move || {
        profile.get(|me| match pick(me) {
            None => language.strings().not_provided.to_owned(),
            Some(value) if shown.get() => value.to_owned(),
            Some(value) => mask(value),
        })
    };
    let toggle =
        move || if shown.get() { language.strings().hide } else { language.strings().show };
    view! {
        <div class="row">
            <dt>{language.t(label)}</dt>
            <dd>
                <span class="value">{text}</span>
                <button
                    type="button"
                    class="link"
                    hidden=move || !is_given()
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    {toggle}
                    <span class="sr-only">" "{language.t(label)}</span>
                </button>
            </dd>
        </div>
    }
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
    // Editing starts from the current values. Afterwards the focus returns to the edit button.
    Effect::new(move |before: Option<bool>| {
        let is_editing = editing.get();
        if before.is_some_and(|before| before != is_editing) {
            if is_editing && !form.busy.get_untracked() {
                Fields::reset(form, profile.get_untracked().as_ref());
            }
            dom::spawn(async move {
                tick().await;
                if is_editing {
                    nickname.focus();
                } else if let Some(edit) = dom::find("#edit") {
                    dom::focus(&edit);
                }
            });
        }
        is_editing
    });
    let submit = move |event: SubmitEvent| {
        let call = async move {
            let Some(before) = profile.get_untracked() else { return Ok(()) };
            let is_changed = save(profile, before, fields, editing).await?;
            if is_changed {
                toasts.status(|strings| strings.profile_saved);
            }
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <form method="post" novalidate hidden=move || !editing.get() on:submit=submit>
            <FormError form />
            <Field
                state=nickname
                name="nickname"
                label=|s| s.nickname
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
            <div class="form-actions">
                <SubmitButton label=|s| s.save busy=form.busy />
                <button
                    type="button"
                    class="btn btn-ghost"
                    disabled=move || form.busy.get()
                    on:click=move |_| editing.set(false)
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
            browser::update_user(answer.user.clone());
            profile.update(|me| {
                me.set_user(answer.user);
                me.email = answer.email;
                me.mobile = answer.mobile;
            });
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
        let texts: [fn(&Profile) -> Option<&String>; 3] =
            [|me| me.nickname.as_ref(), |me| me.email.as_ref(), |me| me.mobile.as_ref()];
        form.reset(texts.map(|text| me.and_then(text).map(String::as_str).unwrap_or_default()));
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
