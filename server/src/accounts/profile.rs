//! Changes of a user's own profile.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, Failure, FieldErrors, UpdatedProfile},
    i18n::Lang,
    protocol::{Patch, ProfileChanges, error::Code},
    validation::{Problem, email, mobile, nickname},
};

use super::{AccountService, addresses};
use crate::{
    clock::Env,
    domain::email_address::EmailAddress,
    store::{Actor, AuditEntry, Event, StoredUser, UserChange},
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
    /// messages. With mail, an address that is new waits for its verification, and nothing else
    /// changes about it.
    fn apply(
        self,
        mut account: StoredUser,
        context: &PatchContext,
    ) -> UserChange<Result<UpdatedProfile, Failure>> {
        let refused = |failure| UserChange {
            user: None,
            entry: None,
            verification: None,
            answer: Err(failure),
        };
        let before = account.clone();
        let nickname = self.nickname.apply(&mut account.user.nickname);
        let mobile = self.mobile.apply(&mut account.mobile);
        let alert = self.alert_new_device.unwrap_or(account.alert_new_device);
        let is_alert_changed = alert != account.alert_new_device;
        account.alert_new_device = alert;
        let is_awaited = match &self.email {
            FieldChange::Set(Some(typed)) => context.awaits_verification(&before, typed),
            _ => None,
        };
        let email = if let Some(address) = &is_awaited {
            account.addresses.pending = Some(address.clone());
            true
        } else {
            let had_pending = account.addresses.pending.is_some();
            let is_named = matches!(self.email, FieldChange::Set(_));
            let changed = self.email.apply(&mut account.email);
            if is_named {
                account.addresses.keep_only(account.email.as_deref());
            }
            changed || (is_named && had_pending)
        };
        if (email || mobile || (is_alert_changed && !alert)) && !context.is_fresh {
            return refused(Code::FreshRequired.into());
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
        let updated = UpdatedProfile {
            user: account.user.clone(),
            email: account.email.clone(),
            pending_email: account.pending_email(),
            awaits_verification: is_awaited.is_some(),
            mobile: account.mobile.clone(),
        };
        if changed.is_empty() {
            return UserChange { user: None, entry: None, verification: None, answer: Ok(updated) };
        }
        let verification = is_awaited.map(|address| {
            let mailed = addresses::mailed_verification(&context.env, &before, &address);
            (context.env.uuid(), mailed)
        });
        let entry = AuditEntry { detail: Some(changed.join(", ")), ..context.entry.clone() };
        UserChange { user: Some(account), entry: Some(entry), verification, answer: Ok(updated) }
    }
}

/// Context of a change of a profile.
#[derive(Clone)]
struct PatchContext {
    is_fresh: bool,
    has_mail: bool,
    env: Env,
    entry: AuditEntry,
}

impl PatchContext {
    /// Returns the address that a typed contact address is, if it has to be verified before it
    /// replaces the one of the account: with mail, unless it is the verified one in another spelling.
    fn awaits_verification(&self, before: &StoredUser, typed: &str) -> Option<EmailAddress> {
        let address = EmailAddress::parse(typed).ok()?;
        let verified = before.addresses.verified.as_ref();
        let is_verified = verified.is_some_and(|verified| verified.key() == address.key());
        // The same unverified address again is no change: it is sent again on request only.
        let is_same = before.email.as_deref() == Some(address.shown());
        (self.has_mail && !is_verified && !is_same).then_some(address)
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
        let actor = Actor::new(caller, now);
        if self.has_mail && matches!(patch.email, FieldChange::Set(Some(_))) && caller.fresh {
            self.mails.admit_account(&caller.user.to_string()).map_err(Failure::TooManyAttempts)?;
        }
        let context = PatchContext {
            is_fresh: caller.fresh,
            has_mail: self.has_mail,
            env: self.env.clone(),
            entry,
        };
        let (store, user_cache) = (self.store.clone(), Arc::clone(&self.user_cache));
        self.tasks
            .run_to_completion(async move {
                let done =
                    store.change_user(actor, move |account| patch.apply(account, &context)).await;
                // Invalidate even if the write's outcome is unknown, so the cache never disagrees with
                // the database.
                user_cache.invalidate(actor.user);
                done.map_err(Failure::from)?.ok_or(Failure::Revoked(None))?
            })
            .await
    }
}
