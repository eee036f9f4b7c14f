//! `/admin/invitations`: invitations to register, for administrators.

use leptos::{ev::SubmitEvent, html::Input, prelude::*, task::tick};
use uuid::Uuid;

use super::users::actions::{Actions, forbidden_panel};
use crate::{
    components::{
        error_panel::{ErrorAlert, ErrorPanel},
        field::{Field, FieldState},
        form::{FormError, FormState},
        icons,
        loader::Loader,
        submit_button::SubmitButton,
        time::{self, Precision},
    },
    dom,
    i18n::strings::Strings,
    page_settings,
    protocol::{
        error::{ApiError, Code, done_or_gone},
        invitations::{Invitation, InvitationId, InvitationList, Invited, NewInvitation},
    },
    routes::Page,
    server_fns::{create_invitation, list_invitations, revoke_invitation},
    validation,
};

/// State of the page.
#[derive(Clone, Copy)]
struct Invitations {
    list: Loader<InvitationList>,
    /// The invitation that was created last: its link is shown once.
    created: RwSignal<Option<Invited>>,
    actions: Actions,
}

/// The page.
pub(super) fn view() -> AnyView {
    let page =
        Invitations { list: Loader::new(), created: RwSignal::new(None), actions: Actions::new() };
    let Invitations { list, actions, .. } = page;
    let language = actions.language;
    let user_id = actions.tracked_user_id();
    Effect::new(move |_| match user_id.get() {
        Some(_) => list.load(page.request()),
        None => list.reset(),
    });
    let is_forbidden = move || {
        actions.is_not_admin() || list.error().is_some_and(|error| error.code() == Code::Forbidden)
    };
    let status =
        move || if list.is_loading() { language.strings().invitations_loading } else { "" };
    view! {
        <div class="users user-page">
            <a class="back" href=Page::Users.path()>
                {icons::back()} {language.t(|s| s.users)}
            </a>
            <h1 tabindex="-1">{language.t(|s| s.invitations)}</h1>
            <p class="sr-only" role="status">{status}</p>
            {move || is_forbidden().then(|| forbidden_panel(language))}
            <div class="settings-cards" hidden=is_forbidden>
                {page.form()} {move || page.created.with(|invited| invited.as_ref().map(|invited| page.created_card(invited)))}
                {page.list_card()}
            </div>
        </div>
    }
    .into_any()
}

impl Invitations {
    async fn request(self) -> Result<InvitationList, ApiError> {
        let user_id = self.actions.user_id();
        let result = list_invitations().await;
        self.actions.note(user_id, &result);
        result
    }

    fn form(self) -> impl IntoView {
        let language = self.actions.language;
        let email = FieldState::new(|typed| validation::email::parse(typed).map(drop));
        let form = FormState::new(vec![("email", email)]);
        let has_mail = page_settings::has_mail();
        let submit = move |event: SubmitEvent| {
            let call = async move {
                let typed = email.value().trim().to_owned();
                let body = NewInvitation { email: Some(typed).filter(|typed| !typed.is_empty()) };
                let invited = create_invitation(body).await?;
                self.created.try_set(Some(invited));
                form.reset([""]);
                self.list.refresh(self.request());
                tick().await;
                dom::focus_first("#invitation-created");
                Ok(())
            };
            form.submit(&event, Box::pin(call));
        };
        view! {
            <section class="card" aria-labelledby="invite">
                <h2 id="invite">{language.t(|s| s.invitation_new)}</h2>
                <p class="lead">{language.t(|s| s.invitations_text)}</p>
                <form class="form-narrow" method="post" novalidate on:submit=submit>
                    <FormError form />
                    {has_mail
                        .then(|| {
                            view! {
                                <Field
                                    state=email
                                    name="email"
                                    label=|s| s.invitation_email
                                    hint=|lang| {
                                        Strings::of(lang).invitation_email_hint.to_owned()
                                    }
                                    autocomplete="off"
                                    inputmode="email"
                                    enterkeyhint="send"
                                    optional=true
                                />
                            }
                        })}
                    <SubmitButton label=|s| s.invitation_create busy=form.busy />
                </form>
            </section>
        }
    }

    /// The link of a new invitation, to be copied.
    fn created_card(self, invited: &Invited) -> AnyView {
        let language = self.actions.language;
        let input = NodeRef::<Input>::new();
        let is_copied = RwSignal::new(false);
        let is_sent = invited.sent;
        let link = dom::absolute_url(&invited.link);
        let copy = {
            let link = link.clone();
            move |_| {
                let link = link.clone();
                dom::spawn(async move {
                    if dom::copy_text(&link).await {
                        is_copied.try_set(true);
                    } else if let Some(input) = input.try_get_untracked().flatten() {
                        // Without permission the user copies what is selected.
                        input.select();
                    }
                });
            }
        };
        let label = move || {
            let strings = language.strings();
            if is_copied.get() { strings.copied } else { strings.copy }
        };
        view! {
            <section class="card" aria-labelledby="invitation-created">
                <h2 id="invitation-created" tabindex="-1">
                    {language.t(|s| s.invitation_ready)}
                </h2>
                <p class="lead" role="status">
                    {language
                        .t(
                            if is_sent { |s| s.invitation_sent } else { |s| s.invitation_link_text },
                        )}
                </p>
                <div class="form-actions">
                    <input
                        class="input"
                        type="text"
                        readonly
                        node_ref=input
                        prop:value=link
                        aria-label=language.t(|s| s.invitation_link)
                    />
                    <button type="button" class="btn btn-primary" on:click=copy>
                        <span aria-live="polite">{label}</span>
                    </button>
                </div>
            </section>
        }
        .into_any()
    }

    fn list_card(self) -> impl IntoView {
        let language = self.actions.language;
        let content = move || {
            if let Some(error) = self.list.error() {
                let heading = view! { <h3>{language.t(|s| s.invitations_failed)}</h3> }.into_any();
                let retry = move |()| self.list.load(self.request());
                return view! { <ErrorPanel error heading retry class="error-panel" /> }.into_any();
            }
            match self.list.get(|list| list.invitations.clone()) {
                None => view! { <p class="value"></p> }.into_any(),
                Some(list) if list.is_empty() => {
                    view! { <p class="note">{language.t(|s| s.invitations_none)}</p> }.into_any()
                }
                Some(list) => {
                    let items: Vec<_> = list.into_iter().map(|one| self.item(one)).collect();
                    view! { <ul class="devices">{items}</ul> }.into_any()
                }
            }
        };
        view! {
            <section class="card" aria-labelledby="open-invitations">
                <h2 id="open-invitations" tabindex="-1">{language.t(|s| s.invitations_open)}</h2>
                {move || self.actions.error.get().map(|error| view! { <ErrorAlert error /> })}
                {content}
            </section>
        }
    }

    fn item(self, invitation: Invitation) -> impl IntoView {
        let language = self.actions.language;
        let Invitation { id, email, expires_at, created_by, .. } = invitation;
        let name = {
            let email = email.clone();
            move || {
                email
                    .clone()
                    .unwrap_or_else(|| language.strings().invitation_without_address.into())
            }
        };
        view! {
            <li class="device">
                <div>
                    <p><bdi>{name.clone()}</bdi></p>
                    <p class="audit-facts">
                        <span>
                            {language.t(|s| s.invitation_expires)} " "
                            <time datetime=time::to_iso(expires_at)>
                                {move || {
                                    time::format_time(expires_at, Precision::Minute, language.get())
                                }}
                            </time>
                        </span>
                        {created_by
                            .map(|name| {
                                view! {
                                    <span>
                                        {language.t(|s| s.invitation_by)} " " <bdi>{name}</bdi>
                                    </span>
                                }
                            })}
                    </p>
                </div>
                <button type="button" class="btn btn-ghost" on:click=move |_| self.revoke(id)>
                    {language.t(|s| s.invitation_revoke)}
                    <span class="sr-only">" " {name}</span>
                </button>
            </li>
        }
    }

    fn revoke(self, id: Uuid) {
        self.actions.error.set(None);
        dom::spawn(async move {
            if let Err(error) = done_or_gone(revoke_invitation(InvitationId { id }).await) {
                return self.actions.fail(error);
            }
            self.list.update(|list| list.invitations.retain(|one| one.id != id));
            // The link of a revoked invitation is worthless.
            self.created.try_update(|created| created.take_if(|invited| invited.id == id));
            self.actions.complete(|strings| strings.invitation_revoked);
            self.list.refresh(self.request());
            tick().await;
            dom::focus_first("#open-invitations");
        });
    }
}
