//! Changes of a user's own profile.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, Failure, FieldErrors, UpdatedProfile},
    i18n::Lang,
    protocol::{Patch, ProfileChanges, error::Code},
    validation::{Problem, email, mobile, nickname},
};

use super::AccountService;
use crate::{
    domain::email_address::EmailAddress,
    store::{Actor, AuditEntry, Event, StoredUser, UserChange},
    task::run_to_completion,
};

/// Validated change of one profile field.
#[derive(Clone, Debug)]
enum FieldChange {
    Keep,
    Set(Option<String>),
}

impl FieldChange {
    fn parse(
        patch: Patch,
        rule: impl FnOnce(&str) -> Result<Option<String>, Problem>,
    ) -> Result<Self, Problem> {
        match patch {
            Patch::Keep => Ok(Self::Keep),
            Patch::Set(typed) => rule(&typed).map(Self::Set),
        }
    }

    /// Applies the change. Returns whether the value changed.
    fn apply(self, member: &mut Option<String>) -> bool {
        match self {
            Self::Set(new) if new != *member => {
                *member = new;
                true
            }
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
struct ProfilePatch {
    nickname: FieldChange,
    email: FieldChange,
    mobile: FieldChange,
    alert_new_device: Option<bool>,
}

impl ProfilePatch {
    fn parse(changes: ProfileChanges, lang: Lang) -> Result<Self, Failure> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut fields = FieldErrors::default();
        let nickname = fields.check(
            "nickname",
            FieldChange::parse(changes.nickname, |typed| nickname::parse(typed).map(owned)),
        );
        let email = fields.check("email", FieldChange::parse(changes.email, address));
        let is_chinese = lang == Lang::Zh;
        let mobile = fields.check(
            "mobile",
            FieldChange::parse(changes.mobile, |typed| mobile::parse(typed, is_chinese)),
        );
        fields.into_result()?;
        match (nickname, email, mobile) {
            (Some(nickname), Some(email), Some(mobile)) => {
                let alert_new_device = changes.alert_new_device;
                Ok(Self { nickname, email, mobile, alert_new_device })
            }
            _ => Err(Code::InternalError.into()),
        }
    }

    /// Applies the patch to an account. Changing e-mail or phone, or turning the alert off, requires
    /// a fresh token, so an unattended browser cannot be used to redirect or to stop a user's
    /// messages.
    fn apply(
        self,
        mut account: StoredUser,
        is_fresh: bool,
        entry: AuditEntry,
    ) -> UserChange<Result<StoredUser, Failure>> {
        let nickname = self.nickname.apply(&mut account.user.nickname);
        let email = self.email.apply(&mut account.email);
        account.addresses.keep_only(account.email.as_deref());
        let mobile = self.mobile.apply(&mut account.mobile);
        let alert = self.alert_new_device.unwrap_or(account.alert_new_device);
        let is_alert_changed = alert != account.alert_new_device;
        account.alert_new_device = alert;
        if (email || mobile || (is_alert_changed && !alert)) && !is_fresh {
            return UserChange { user: None, entry: None, answer: Err(Code::FreshRequired.into()) };
        }
        // Names of the changed fields; values are not logged.
        let members = [
            ("nickname", nickname),
            ("email", email),
            ("mobile", mobile),
            ("alert_new_device", is_alert_changed),
        ];
        let changed: Vec<_> = members
            .into_iter()
            .filter_map(|(member, is_changed)| is_changed.then_some(member))
            .collect();
        if changed.is_empty() {
            return UserChange { user: None, entry: None, answer: Ok(account) };
        }
        let entry = AuditEntry { detail: Some(changed.join(", ")), ..entry };
        UserChange { user: Some(account.clone()), entry: Some(entry), answer: Ok(account) }
    }
}

/// Parses a contact e-mail address.
fn address(typed: &str) -> Result<Option<String>, Problem> {
    let Some(typed) = email::parse(typed)? else { return Ok(None) };
    Ok(Some(EmailAddress::parse(typed)?.shown().to_owned()))
}

impl AccountService {
    pub(super) async fn change_own(
        &self,
        caller: &Caller,
        changes: ProfileChanges,
        lang: Lang,
        client_info: ClientInfo,
    ) -> Result<UpdatedProfile, Failure> {
        let patch = ProfilePatch::parse(changes, lang)?;
        let now = self.env.now();
        let entry = AuditEntry {
            user: Some(caller.user),
            session: Some(caller.session),
            ..AuditEntry::of(Event::ProfileChanged, now, client_info)
        };
        let (actor, is_fresh) = (Actor::new(caller, now), caller.fresh);
        let (store, user_cache) = (self.store.clone(), Arc::clone(&self.user_cache));
        run_to_completion(async move {
            let done = store
                .change_user(actor, move |account| patch.apply(account, is_fresh, entry))
                .await;
            // Invalidate even if the write's outcome is unknown, so the cache never disagrees with
            // the database.
            user_cache.invalidate(actor.user);
            let account = done.map_err(Failure::from)?.ok_or(Failure::Revoked(None))??;
            Ok(UpdatedProfile { user: account.user, email: account.email, mobile: account.mobile })
        })
        .await
    }
}
