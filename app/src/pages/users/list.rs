//! The accounts of a page: loaded for what the address says, and changed where the server has
//! changed them.

use leptos::prelude::*;
use uuid::Uuid;

use super::{Query, question::Ask};
use crate::{
    components::{notices::Notices, trouble::Trouble},
    dom,
    i18n::{authenticated::accounts_shown, strings::Language},
    protocol::{
        Role, User,
        error::Code,
        users::{Account, AccountPage, users},
    },
    session::browser::{self, Signals},
};

/// How many rows stand for those that are on their way.
const SKELETON: usize = 8;

/// An account in a row: the row stays when the account changes, and with it the focus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) account: RwSignal<Option<Account>>,
}

#[derive(Clone)]
enum Load {
    Running,
    Done {
        rows: Vec<Row>,
        /// What asks for the page after it.
        next: Option<Query>,
    },
    /// The caller is no administrator.
    Refused,
    Failed(Trouble),
}

/// What the page shows.
#[derive(Clone, Copy)]
pub(super) struct List {
    load: RwSignal<Load>,
    query: RwSignal<Query>,
    /// Whether something is on its way; what is there stays meanwhile.
    is_busy: RwSignal<bool>,
    /// Counts the calls: an answer that has been overtaken is nobody's.
    calls: StoredValue<u32>,
    signals: Signals,
    /// Where it is told what was done.
    pub(super) notices: Notices,
    /// What is asked before it is done.
    pub(super) ask: RwSignal<Option<Ask>>,
    /// What the last change has failed with.
    pub(super) failure: RwSignal<Option<Trouble>>,
    /// The page's language.
    pub(super) language: Language,
}

impl List {
    /// The accounts for whoever is signed in.
    pub(super) fn of_page() -> Self {
        let list = Self {
            load: RwSignal::new(Load::Running),
            query: RwSignal::new(Query::default()),
            is_busy: RwSignal::new(true),
            calls: StoredValue::new(0),
            signals: Signals::of_page(),
            notices: Notices::of_page(),
            ask: RwSignal::new(None),
            failure: RwSignal::new(None),
            language: Language::of_page(),
        };
        // For somebody else it is another list.
        Effect::new(move |before: Option<Option<Uuid>>| {
            let who = list.signals.auth.with(|auth| auth.user().map(|user| user.id));
            if before.is_some_and(|before| before != who) {
                list.again();
            }
            who
        });
        list
    }

    /// Shows what the address says from now on.
    pub(super) fn show(self, query: Query) {
        self.failure.set(None);
        self.query.set(query);
        self.fetch();
    }

    /// Loads it once more.
    pub(super) fn again(self) {
        self.load.set(Load::Running);
        self.fetch();
    }

    fn fetch(self) {
        // Before it is known who is there, nobody is asked.
        if self.who().is_none() {
            return;
        }
        let number = self.calls.get_value().wrapping_add(1);
        self.calls.set_value(number);
        self.is_busy.set(true);
        let query = self.query();
        dom::spawn(async move {
            let given = |text: String| (!text.is_empty()).then_some(text);
            let Query { search, sort, after } = query.clone();
            let outcome =
                users(given(search), Some(sort.as_str().to_owned()), given(after), None).await;
            // Another question has been asked meanwhile, or the page is gone.
            if self.calls.try_get_value() != Some(number) {
                return;
            }
            self.is_busy.set(false);
            self.load.set(match outcome {
                Ok(AccountPage { users, next }) => {
                    self.know(Role::Admin);
                    let next = next.map(|after| Query { after, ..query });
                    Load::Done { rows: users.into_iter().map(Row::new).collect(), next }
                }
                Err(error) if error.code == Code::Forbidden => {
                    self.know(Role::User);
                    Load::Refused
                }
                Err(error) => Load::Failed(Trouble::new(error)),
            });
        });
    }

    /// What whoever is signed in may do has been told: it may have changed since the log-in.
    pub(super) fn know(self, role: Role) {
        let user = self.signals.auth.with_untracked(|auth| auth.user().cloned());
        if let Some(user) = user.filter(|user| user.role != role) {
            browser::know(User { role, ..user });
        }
    }

    /// Who is signed in.
    pub(super) fn who(self) -> Option<Uuid> {
        self.signals.auth.with_untracked(|auth| auth.user().map(|user| user.id))
    }

    /// What the address says, as it is.
    pub(super) fn query(self) -> Query {
        self.query.get_untracked()
    }

    /// What the address says, for what follows it.
    pub(super) fn followed(self) -> Query {
        self.query.get()
    }

    /// The accounts; empty rows in their place until they have come.
    pub(super) fn rows(self) -> Vec<Row> {
        self.load.with(|load| match load {
            Load::Done { rows, .. } => rows.clone(),
            Load::Running => (0..SKELETON).map(|number| Row::empty(number as u128)).collect(),
            Load::Refused | Load::Failed(_) => Vec::new(),
        })
    }

    /// The page after the one that is shown. There is none to offer while another search or order
    /// is on its way: its own answer will name it.
    pub(super) fn next(self) -> Option<Query> {
        let next = self.load.with(|load| match load {
            Load::Done { next, .. } => next.clone(),
            Load::Running | Load::Refused | Load::Failed(_) => None,
        });
        next.filter(|next| self.query.with(|asked| next.is_of_list(asked)))
    }

    /// Whether nobody was found.
    pub(super) fn is_empty(self) -> bool {
        self.load.with(|load| matches!(load, Load::Done { rows, .. } if rows.is_empty()))
    }

    /// Whether the rows are empty because nothing has come yet.
    pub(super) fn is_coming(self) -> bool {
        self.load.with(|load| matches!(load, Load::Running))
    }

    /// Whether it is not for whoever looks.
    pub(super) fn is_refused(self) -> bool {
        self.load.with(|load| matches!(load, Load::Refused))
    }

    /// Whether there is nothing to see: who is no administrator, as far as is known, does not even
    /// see where the list would be.
    pub(super) fn is_hidden(self) -> bool {
        let is_stranger = || {
            self.signals.auth.with(|auth| auth.user().is_some_and(|user| user.role != Role::Admin))
        };
        self.is_refused() || (self.is_coming() && is_stranger())
    }

    /// Why there are none.
    pub(super) fn trouble(self) -> Option<Trouble> {
        self.load.with(|load| match load {
            Load::Failed(trouble) => Some(trouble.clone()),
            Load::Running | Load::Done { .. } | Load::Refused => None,
        })
    }

    /// What there is, for those who do not see it.
    pub(super) fn state(self) -> String {
        self.load.with(|load| match load {
            _ if self.is_busy.get() => self.language.strings().users_loading.to_owned(),
            Load::Done { rows, .. } => accounts_shown(self.language.get(), rows.len()),
            Load::Running | Load::Refused | Load::Failed(_) => String::new(),
        })
    }
}

impl Row {
    fn new(account: Account) -> Self {
        Self { id: account.id, account: RwSignal::new(Some(account)) }
    }

    fn empty(number: u128) -> Self {
        Self { id: Uuid::from_u128(number), account: RwSignal::new(None) }
    }

    /// Something of the account; nothing until it has come: the style sheet greys what is empty.
    pub(super) fn get<T>(self, pick: impl FnOnce(&Account) -> T) -> Option<T> {
        self.account.with(|account| account.as_ref().map(pick))
    }
}
