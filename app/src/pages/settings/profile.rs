//! `/settings/profile`: how a person is called and reached.

use leptos::{ev::SubmitEvent, prelude::*, task::tick};

use crate::{
    components::{
        button::Submit,
        field::{Field, FieldState},
        form::{FormFailure, FormState},
        mask,
        notices::Notices,
    },
    dom,
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    pages::person::Person,
    protocol::{Patch, Profile, ProfileChanges, error::ApiError, me::change_profile},
    session::browser,
    validation::{self, Problem},
};

/// What may be changed.
#[derive(Clone, Copy)]
struct Fields {
    nickname: FieldState,
    email: FieldState,
    mobile: FieldState,
}

/// The section's cards.
pub(super) fn view() -> AnyView {
    let person = Person::of_page();
    let editing = RwSignal::new(false);
    view! {
        {person.state()}
        <section
            class="card"
            hidden=move || person.is_lost()
            aria-busy=move || person.is_coming().then_some("true")
        >
            {facts(person, editing)}
            {form(person, editing)}
        </section>
    }
    .into_any()
}

/// What is known, as others may see it who look at the same screen.
fn facts(person: Person, editing: RwSignal<bool>) -> impl IntoView {
    let language = person.language;
    let word = move |value: Option<String>| {
        value.unwrap_or_else(|| language.strings().not_provided.to_owned())
    };
    let nickname = move || person.get(|me| me.user.nickname.clone()).map(word);
    view! {
        <div hidden=move || editing.get()>
            <dl>
                <div class="row">
                    <dt>{language.t(|s| s.account_name)}</dt>
                    <dd>{person.text(|me, _| me.user.username.clone())}</dd>
                </div>
                <div class="row">
                    <dt>{language.t(|s| s.nickname)}</dt>
                    <dd>{nickname}</dd>
                </div>
                {masked(person, |s| s.email, |me| me.email.as_deref(), mask::email)}
                {masked(person, |s| s.mobile, |me| me.mobile.as_deref(), mask::mobile)}
            </dl>
            <div class="form-actions">
                <button
                    type="button"
                    id="edit"
                    class="btn btn-outline"
                    disabled=move || person.is_coming()
                    on:click=move |_| editing.set(true)
                >
                    {language.t(|s| s.edit)}
                </button>
            </div>
        </div>
    }
}

/// A fact that is shown on demand only.
fn masked(
    person: Person,
    label: fn(&'static Strings) -> &'static str,
    pick: fn(&Profile) -> Option<&str>,
    mask: fn(&str) -> String,
) -> impl IntoView {
    let language = person.language;
    let shown = RwSignal::new(false);
    let is_given = move || person.get(|me| pick(me).is_some()).unwrap_or_default();
    let text = move || {
        person.get(|me| match pick(me) {
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

fn form(person: Person, editing: RwSignal<bool>) -> impl IntoView {
    let language = Language::of_page();
    let notices = Notices::of_page();
    let fields = Fields {
        nickname: FieldState::new(|typed| validation::nickname::parse(typed).map(drop)),
        email: FieldState::new(|typed| validation::email::parse(typed).map(drop)),
        mobile: FieldState::new(move |typed| mobile(typed, language).map(drop)),
    };
    let Fields { nickname, email, mobile } = fields;
    let form = FormState::new(vec![("nickname", nickname), ("email", email), ("mobile", mobile)]);
    // What is edited begins as it is; afterwards the focus is where it came from.
    Effect::new(move |before: Option<bool>| {
        let is_editing = editing.get();
        if before.is_some_and(|before| before != is_editing) {
            if is_editing && !form.busy.get_untracked() {
                Fields::reset(form, person.now().as_ref());
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
            let Some(before) = person.now() else { return Ok(()) };
            let is_changed = save(person, before, fields, editing).await?;
            if is_changed {
                notices.status(|strings| strings.profile_saved);
            }
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <form method="post" novalidate hidden=move || !editing.get() on:submit=submit>
            <FormFailure form />
            <Field
                state=nickname
                name="nickname"
                label=|s| s.nickname
                hint=|lang| Strings::of(lang).nickname_hint.to_owned()
                autocomplete="nickname"
                optional=true
            />
            <Field state=email name="email" label=|s| s.email autocomplete="email" inputmode="email" optional=true />
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
                <Submit label=|s| s.save busy=form.busy />
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

/// Saves what has changed; whether anything has. A name is another one at once, in the bar and in
/// every tab, and again the old one where that fails. An address or a number may take the password:
/// the form waits for it.
async fn save(
    person: Person,
    before: Profile,
    fields: Fields,
    editing: RwSignal<bool>,
) -> Result<bool, ApiError> {
    let changes = fields.changes(&before, person.language);
    if changes == ProfileChanges::default() {
        editing.set(false);
        return Ok(false);
    }
    if let Patch::Set(nickname) = &changes.nickname {
        let mut user = before.user.clone();
        user.nickname = Some(nickname.clone()).filter(|nickname| !nickname.is_empty());
        browser::know(user);
    }
    if changes.email.is_keep() && changes.mobile.is_keep() {
        editing.set(false);
    }
    match change_profile(changes).await {
        Ok(answer) => {
            browser::know(answer.user.clone());
            person.change(|me| {
                me.user = answer.user;
                me.email = answer.email;
                me.mobile = answer.mobile;
            });
            editing.try_set(false);
            Ok(true)
        }
        Err(error) => {
            browser::know(before.user);
            editing.try_set(true);
            // The form must be there again before its fields can take the focus.
            tick().await;
            Err(error)
        }
    }
}

impl Fields {
    fn reset(form: FormState, me: Option<&Profile>) {
        let texts: [fn(&Profile) -> Option<&String>; 3] =
            [|me| me.user.nickname.as_ref(), |me| me.email.as_ref(), |me| me.mobile.as_ref()];
        form.reset(texts.map(|text| me.and_then(text).map(String::as_str).unwrap_or_default()));
    }

    /// What differs from what was there. The rules have looked at it already.
    fn changes(self, before: &Profile, language: Language) -> ProfileChanges {
        let typed = [self.nickname, self.email, self.mobile].map(FieldState::value);
        let nickname = validation::nickname::parse(&typed[0]).ok().flatten();
        let email = validation::email::parse(&typed[1]).ok().flatten();
        let mobile = mobile(&typed[2], language).ok().flatten();
        ProfileChanges {
            nickname: patch(before.user.nickname.as_deref(), nickname),
            email: patch(before.email.as_deref(), email),
            mobile: patch(before.mobile.as_deref(), mobile.as_deref()),
        }
    }
}

/// A number without its country is read as the page's language has it.
fn mobile(typed: &str, language: Language) -> Result<Option<String>, Problem> {
    validation::mobile::parse(typed, language.0.get_untracked() == Lang::Zh)
}

fn patch(before: Option<&str>, now: Option<&str>) -> Patch {
    if before == now { Patch::Keep } else { Patch::Set(now.unwrap_or_default().to_owned()) }
}
