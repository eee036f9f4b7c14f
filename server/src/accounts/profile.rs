//! What people say about themselves.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, Failure, FieldErrors, UpdatedProfile},
    i18n::Lang,
    protocol::{Patch, ProfileChanges, error::Code},
    validation::{Problem, email, mobile, nickname},
};

use super::{AccountService, address::Address};
use crate::{
    failure::act_failure,
    mirror::to_its_end,
    store::{Actor, AuditEntry, Event, StoredUser, UserChange},
};

/// What is to become of a member, once the rules have passed it.
#[derive(Debug)]
enum Wish {
    Keep,
    Be(Option<String>),
}

impl Wish {
    fn parse(
        patch: Patch,
        rule: impl FnOnce(&str) -> Result<Option<String>, Problem>,
    ) -> Result<Self, Problem> {
        match patch {
            Patch::Keep => Ok(Self::Keep),
            Patch::Set(typed) => rule(&typed).map(Self::Be),
        }
    }

    /// Fulfils it; whether that has changed anything.
    fn fulfil(self, member: &mut Option<String>) -> bool {
        match self {
            Self::Be(wished) if wished != *member => {
                *member = wished;
                true
            }
            _ => false,
        }
    }
}

#[derive(Debug)]
struct Wishes {
    nickname: Wish,
    email: Wish,
    mobile: Wish,
}

impl Wishes {
    fn parse(changes: ProfileChanges, lang: Lang) -> Result<Self, Failure> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut fields = FieldErrors::default();
        let nickname = fields.check(
            "nickname",
            Wish::parse(changes.nickname, |typed| nickname::parse(typed).map(owned)),
        );
        let email = fields.check("email", Wish::parse(changes.email, address));
        let is_chinese = lang == Lang::Zh;
        let mobile = fields
            .check("mobile", Wish::parse(changes.mobile, |typed| mobile::parse(typed, is_chinese)));
        fields.into_result()?;
        match (nickname, email, mobile) {
            (Some(nickname), Some(email), Some(mobile)) => Ok(Self { nickname, email, mobile }),
            _ => Err(Code::InternalError.into()),
        }
    }

    /// Decides what becomes of an account. Whoever has a token that is not fresh may have found the
    /// browser open: such a one cannot have the person's letters and calls go elsewhere.
    fn decide(
        self,
        mut account: StoredUser,
        is_fresh: bool,
        entry: AuditEntry,
    ) -> UserChange<Result<StoredUser, Failure>> {
        let nickname = self.nickname.fulfil(&mut account.user.nickname);
        let email = self.email.fulfil(&mut account.email);
        let mobile = self.mobile.fulfil(&mut account.mobile);
        if (email || mobile) && !is_fresh {
            return UserChange { user: None, entry: None, answer: Err(Code::FreshRequired.into()) };
        }
        // Which they were, and not what they are.
        let changed: Vec<_> = [("nickname", nickname), ("email", email), ("mobile", mobile)]
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

/// The contact address in what was typed.
fn address(typed: &str) -> Result<Option<String>, Problem> {
    let Some(typed) = email::parse(typed)? else { return Ok(None) };
    Ok(Some(Address::parse(typed)?.shown().to_owned()))
}

impl AccountService {
    pub(super) async fn change_own(
        &self,
        caller: &Caller,
        changes: ProfileChanges,
        lang: Lang,
        client_info: ClientInfo,
    ) -> Result<UpdatedProfile, Failure> {
        let wishes = Wishes::parse(changes, lang)?;
        let now = self.world.now();
        let entry = AuditEntry {
            user: Some(caller.user),
            session: Some(caller.session),
            ..AuditEntry::of(Event::ProfileChanged, now, client_info)
        };
        let (actor, is_fresh) = (Actor::new(caller, now), caller.fresh);
        let (store, directory) = (self.store.clone(), Arc::clone(&self.directory));
        to_its_end(async move {
            let done = store
                .change_user(actor, move |account| wishes.decide(account, is_fresh, entry))
                .await;
            // Also where it is not known whether the database has got it: memory must not know
            // better.
            directory.forget(actor.user);
            let account = done.map_err(act_failure)?.ok_or(Failure::Revoked(None))??;
            Ok(UpdatedProfile { user: account.user, email: account.email, mobile: account.mobile })
        })
        .await
    }
}
