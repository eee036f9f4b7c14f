//! Dialog that asks for the reason of a removal, which the owner is told.

use leptos::{ev::SubmitEvent, html, prelude::*, task::tick};
use uuid::Uuid;

use super::pictures::{Picture, Pictures};
use crate::{
    components::{confirm_form::ConfirmForm, dialog::Dialog, form::FormState},
    dom,
    i18n::audit::removal_reason,
    protocol::{
        error::{ApiError, done_or_gone},
        moderation::{PictureRemoval, RemovalReason, TEXT_MAX},
    },
    server_fns::remove_picture,
};

/// The dialog; open while a picture is to be removed.
pub(super) fn dialog(pictures: Pictures) -> impl IntoView {
    view! {
        <Dialog
            is_open=Signal::derive(move || pictures.pending.with(Option::is_some))
            on_close=move |()| pictures.pending.set(None)
            title_id="removal-title"
            initial_focus="#removal-reason"
        >
            {move || pictures.pending.get().map(|picture| form(pictures, picture))}
        </Dialog>
    }
}

fn form(pictures: Pictures, picture: Picture) -> impl IntoView {
    let language = pictures.page.actions.language;
    let form = FormState::new(Vec::new());
    // Chosen by the administrator: it accuses the owner of something.
    let reason = RwSignal::new(None);
    let text = NodeRef::<html::Textarea>::new();
    let (file, name) = match picture {
        Picture::Avatar => (None, None),
        Picture::File(file) => (Some(file.id), Some(file.name)),
    };
    let submit = move |event: SubmitEvent| {
        let text = text.get_untracked().map(|text| text.value()).unwrap_or_default();
        let removal = PictureRemoval {
            id: Some(pictures.page.row.id.to_string()),
            file: file.map(|file| file.to_string()),
            reason: reason.get_untracked().map(|reason: RemovalReason| reason.as_str().to_owned()),
            text: (!text.trim().is_empty()).then_some(text),
        };
        form.submit(&event, Box::pin(remove(pictures, file, removal)));
    };
    let option = move |one: RemovalReason| {
        view! {
            <option value=one.as_str()>{move || removal_reason(language.get(), one)}</option>
        }
    };
    let choose = move |event| reason.set(RemovalReason::parse(&event_target_value(&event)));
    let is_required = move || reason.get() == Some(RemovalReason::Other);
    let cancel = move |()| pictures.pending.set(None);
    view! {
        <ConfirmForm
            form
            title_id="removal-title"
            title=|s| s.removal_title
            label=|s| s.remove_picture
            class="btn btn-outline btn-danger"
            cancel_id="removal-cancel"
            on_submit=submit
            on_cancel=cancel
        >
            {name.map(|name| view! { <p class="dialog-name"><bdi>{name}</bdi></p> })}
            <p class="lead">{language.t(|s| s.removal_text)}</p>
            <div class="field">
                <label for="removal-reason">{language.t(|s| s.removal_reason)}</label>
                <select id="removal-reason" class="input" on:change=choose>
                    <option value="">{language.t(|s| s.removal_choose)}</option>
                    {RemovalReason::ALL.map(option)}
                </select>
            </div>
            <div class="field">
                <label for="removal-explanation">{language.t(|s| s.removal_explanation)}</label>
                <textarea
                    id="removal-explanation"
                    class="input textarea"
                    rows="3"
                    maxlength=TEXT_MAX.to_string()
                    aria-required=move || is_required().then_some("true")
                    node_ref=text
                ></textarea>
            </div>
        </ConfirmForm>
    }
}

async fn remove(
    pictures: Pictures,
    file: Option<Uuid>,
    removal: PictureRemoval,
) -> Result<(), ApiError> {
    done_or_gone(remove_picture(removal).await).map_err(with_field)?;
    pictures.pending.try_set(None);
    if let Some(file) = file {
        pictures.forget(file);
    }
    pictures.page.actions.complete(|strings| strings.picture_removed_done);
    // The pressed button is removed with its picture. An open dialog keeps the focus from the page.
    tick().await;
    dom::focus_first("#user-pictures");
    Ok(())
}

/// Uses the message of the invalid field in place of the general one.
fn with_field(mut error: ApiError) -> ApiError {
    if let Some((_, text)) = error.fields.pop_first() {
        error.message = text;
        error.fields.clear();
    }
    error
}
