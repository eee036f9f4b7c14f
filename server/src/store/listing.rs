//! Accounts a page at a time: by key, not by number, so that the last page of a million costs what
//! the first one does and nobody is passed over or seen twice while others come and go.

use std::{cmp::Ordering, collections::HashMap};

use app::protocol::users::{Account, AccountSort};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, Order, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{
    Store, StoreError, StoredUser,
    entities::{
        session,
        user::{self, Column},
    },
};

/// What no text comes after that begins with what stands before it.
const LAST: char = char::MAX;

/// Which accounts are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Those that are found; `None` for all.
    pub search: Option<Search>,
    /// In which order.
    pub sort: AccountSort,
    /// Those that come after this place.
    pub after: Option<Place>,
    /// How many, at the most.
    pub limit: u64,
}

/// What is looked for: an account is found by any of these.
#[derive(Clone, Debug)]
pub struct Search {
    /// What its name, as it is found, begins with; `None` for a text that no name begins with.
    pub name: Option<String>,
    /// What its nickname begins with, in whatever case as far as letters are within ASCII.
    pub nickname: String,
    /// The forms of the address that its person has told, in whatever case.
    pub email: Vec<String>,
    /// Its id.
    pub id: Option<Uuid>,
}

/// A place in a list: that of an account, also where it is gone by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where accounts stand by their age.
    Age {
        /// When the account was made, in seconds of Unix time.
        at: i64,
        /// The account, among those of the same second.
        id: Uuid,
    },
    /// Where they stand by name: what the account is found by.
    Name(String),
}

impl Place {
    /// As whoever asks for a page is told of the next one.
    #[must_use]
    pub fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::Age { at, id } => format!("a{at}.{}", id.simple()),
            Self::Name(key) => format!("n{key}"),
        })
    }

    /// The place in what somebody has sent, where it is one of a list in this order.
    #[must_use]
    pub fn parse(text: &str, sort: AccountSort) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        match sort {
            AccountSort::Oldest | AccountSort::Newest => {
                let (at, id) = text.strip_prefix('a')?.split_once('.')?;
                Some(Self::Age { at: at.parse().ok()?, id: Uuid::try_parse(id).ok()? })
            }
            AccountSort::Name | AccountSort::NameReversed => {
                Some(Self::Name(text.strip_prefix('n')?.to_owned()))
            }
        }
    }
}

/// As much of an account as tells its place.
type Keys = (Uuid, i64, String);

fn place((id, at, key): &Keys, sort: AccountSort) -> Place {
    match sort {
        AccountSort::Oldest | AccountSort::Newest => Place::Age { at: *at, id: *id },
        AccountSort::Name | AccountSort::NameReversed => Place::Name(key.clone()),
    }
}

fn compare(one: &Keys, other: &Keys, sort: AccountSort) -> Ordering {
    let ((one_id, one_at, one_key), (id, at, key)) = (one, other);
    match sort {
        AccountSort::Oldest => (one_at, one_id).cmp(&(at, id)),
        AccountSort::Newest => (at, id).cmp(&(one_at, one_id)),
        AccountSort::Name => one_key.cmp(key),
        AccountSort::NameReversed => key.cmp(one_key),
    }
}

/// The ways by which an account is found. Each is asked by itself: each has its index, and `OR`
/// would have none.
#[derive(Clone, Debug)]
enum Way {
    All,
    Name(String),
    Nickname(String),
    Email(String),
    Id(Uuid),
}

impl Way {
    fn of(search: Option<&Search>) -> Vec<Self> {
        let Some(Search { name, nickname, email, id }) = search else { return vec![Self::All] };
        let name = name.clone().map(Self::Name);
        let email = email.iter().cloned().map(Self::Email);
        name.into_iter()
            .chain([Self::Nickname(nickname.clone())])
            .chain(email)
            .chain(id.map(Self::Id))
            .collect()
    }

    /// The first accounts on this way that come after a place.
    fn select(&self, wanted: &Wanted) -> Select<user::Entity> {
        let begins = |expression: Expr, with: &str| {
            expression.clone().gte(with.to_owned()).and(expression.lt(format!("{with}{LAST}")))
        };
        let lower = |column| Expr::expr(Func::lower(Expr::col(column)));
        let found = match self {
            Self::All => None,
            Self::Name(name) => Some(begins(Expr::col(Column::UsernameKey), name)),
            Self::Nickname(nickname) => {
                Some(begins(lower(Column::Nickname), &nickname.to_ascii_lowercase()))
            }
            Self::Email(email) => Some(lower(Column::Email).eq(email.to_ascii_lowercase())),
            Self::Id(id) => Some(Column::Id.eq(*id)),
        };
        let order = match wanted.sort {
            AccountSort::Oldest | AccountSort::Name => Order::Asc,
            AccountSort::Newest | AccountSort::NameReversed => Order::Desc,
        };
        let [at, id, name] = [Column::CreatedAt, Column::Id, Column::UsernameKey].map(Expr::col);
        let beyond = |keys: Expr, place: Expr| match order {
            Order::Desc => keys.lt(place),
            _ => keys.gt(place),
        };
        let after = wanted.after.as_ref().map(|place| match place {
            Place::Age { at: place_at, id: place_id } => beyond(
                Expr::tuple([at.clone(), id.clone()]),
                Expr::tuple([Expr::value(*place_at), Expr::value(*place_id)]),
            ),
            Place::Name(key) => beyond(name.clone(), Expr::value(key.as_str())),
        });
        let select = user::Entity::find()
            .select_only()
            .columns([Column::Id, Column::CreatedAt, Column::UsernameKey])
            .filter(Condition::all().add_option(found).add_option(after))
            // One more than is shown tells whether there are others.
            .limit(wanted.limit.saturating_add(1));
        match wanted.sort {
            AccountSort::Oldest | AccountSort::Newest => {
                select.order_by(at, order.clone()).order_by(id, order)
            }
            AccountSort::Name | AccountSort::NameReversed => select.order_by(name, order),
        }
    }
}

impl Store {
    /// Some accounts in their order, and the place of the last one where others come after it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn accounts(
        &self,
        wanted: &Wanted,
        now: i64,
    ) -> Result<(Vec<Account>, Option<Place>), StoreError> {
        let mut found = Vec::<Keys>::new();
        for way in Way::of(wanted.search.as_ref()) {
            found.extend(way.select(wanted).into_tuple::<Keys>().all(&self.read).await?);
        }
        found.sort_by(|one, other| compare(one, other, wanted.sort));
        found.dedup_by_key(|(id, ..)| *id);
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|last| place(last, wanted.sort));
        let ids: Vec<Uuid> = found.into_iter().map(|(id, ..)| id).collect();
        Ok((self.accounts_of(&ids, now).await?, next))
    }

    /// An account.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn account(&self, id: Uuid, now: i64) -> Result<Option<Account>, StoreError> {
        Ok(self.accounts_of(&[id], now).await?.pop())
    }

    /// The accounts of these ids, in this order; those that are gone are left out.
    async fn accounts_of(&self, ids: &[Uuid], now: i64) -> Result<Vec<Account>, StoreError> {
        let rows = user::Entity::find()
            .filter(Column::Id.is_in(ids.iter().copied()))
            .all(&self.read)
            .await?;
        let mut rows: HashMap<Uuid, user::Model> =
            rows.into_iter().map(|row| (row.id, row)).collect();
        let living = Condition::all()
            .add(session::Column::EndedAt.is_null())
            .add(session::Column::ExpiresAt.gt(now));
        let sessions: Vec<(Uuid, i64)> = session::Entity::find()
            .select_only()
            .column(session::Column::UserId)
            .column_as(session::Column::Id.count(), "sessions")
            .filter(living.add(session::Column::UserId.is_in(ids.iter().copied())))
            .group_by(session::Column::UserId)
            .into_tuple()
            .all(&self.read)
            .await?;
        let sessions: HashMap<Uuid, i64> = sessions.into_iter().collect();
        ids.iter()
            .filter_map(|id| rows.remove(id))
            .map(|row| {
                let StoredUser { user, email, created_at, disabled_at, .. } = row.try_into()?;
                Ok(Account {
                    sessions: sessions.get(&user.id).copied().map_or(0, i64::unsigned_abs),
                    id: user.id,
                    username: user.username,
                    nickname: user.nickname,
                    avatar_url: user.avatar_url,
                    role: user.role,
                    email,
                    created_at,
                    disabled_at,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sea_orm::{ConnectionTrait as _, DbBackend, QueryTrait as _, Statement};

    use super::*;

    /// What SQLite intends to do about a query.
    async fn plan(store: &Store, select: Select<user::Entity>) -> String {
        let Statement { sql, values, db_backend } = select.build(DbBackend::Sqlite);
        let explain = Statement { sql: format!("EXPLAIN QUERY PLAN {sql}"), values, db_backend };
        let rows = store.read.query_all_raw(explain).await.unwrap();
        let steps: Vec<String> =
            rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        steps.join("; ")
    }

    /// None of the questions reads the table from its beginning to its end, and none sorts all
    /// accounts.
    #[tokio::test]
    async fn every_question_has_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite://{}", folder.path().join("list.sqlite").display()))
                .await
                .unwrap();
        let search = Search {
            name: Some("a".into()),
            nickname: "a".into(),
            email: vec!["a".into()],
            id: Some(Uuid::nil()),
        };
        let ways = [Way::of(None), Way::of(Some(&search))].concat();
        assert_eq!(ways.len(), 5);
        for way in ways {
            for sort in AccountSort::ALL {
                for is_first in [true, false] {
                    let keys = (Uuid::nil(), 1_800_000_000, "b".to_owned());
                    let after = (!is_first).then(|| place(&keys, sort));
                    let wanted = Wanted { search: None, sort, after, limit: 50 };
                    let plan = plan(&store, way.select(&wanted)).await;
                    let by_age = matches!(sort, AccountSort::Oldest | AccountSort::Newest);
                    let (index, is_sorted) = match (&way, by_age) {
                        (Way::All, true) => ("users_by_creation", true),
                        (Way::All, false) => ("users_by_name", true),
                        (Way::Name(_), _) => {
                            ("users_by_name (username_key>? AND username_key<?)", !by_age)
                        }
                        (Way::Nickname(_), _) => {
                            ("users_by_nickname (<expr>>? AND <expr><?", false)
                        }
                        (Way::Email(_), _) => ("users_by_email (<expr>=?", false),
                        (Way::Id(_), _) => ("sqlite_autoindex_users_1 (id=?)", false),
                    };
                    assert!(plan.contains(index), "{way:?} {sort:?} {is_first}: {plan}");
                    // To the place of the page it comes without passing what stands before it.
                    assert!(
                        plan.starts_with("SEARCH") || (matches!(way, Way::All) && is_first),
                        "{way:?} {sort:?}: {plan}"
                    );
                    assert!(
                        !(is_sorted && plan.contains("TEMP B-TREE")),
                        "{way:?} {sort:?}: {plan}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_place_is_read_as_it_was_written(at: i64, id: u128, key in "\\PC{0,40}") {
            let keys = (Uuid::from_u128(id), at, key);
            for sort in AccountSort::ALL {
                let place = place(&keys, sort);
                prop_assert_eq!(Place::parse(&place.write(), sort), Some(place.clone()));
                let other = match place {
                    Place::Age { .. } => AccountSort::Name,
                    Place::Name(_) => AccountSort::Newest,
                };
                prop_assert_eq!(Place::parse(&place.write(), other), None);
            }
        }

        #[test]
        fn any_text_is_a_place_or_none(text in "\\PC{0,60}") {
            for sort in AccountSort::ALL {
                let _ = Place::parse(&text, sort);
            }
        }
    }
}
