//! One-time codes. A row is a valid code: to use it is to delete it, in the transaction of the
//! change that it authorizes.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Store, StoreError,
    entities::one_time_code::{self, Column},
};
use crate::domain::one_time_code::{
    MAX_TRIES, MAX_VALID, OneTimeCode, PresentedCode, Purpose, RequestId, SpentCode, Token,
};

impl TryFrom<one_time_code::Model> for SpentCode {
    type Error = StoreError;

    fn try_from(row: one_time_code::Model) -> Result<Self, StoreError> {
        let purpose = Purpose::parse(&row.purpose)
            .ok_or_else(|| StoreError::Unreadable(format!("the purpose {:?}", row.purpose)))?;
        let one_time_code::Model { id, user_id: user, address, created_at, .. } = row;
        Ok(Self { id, purpose, user, address, created_at })
    }
}

impl Store {
    /// Stores a code, for a request that changes nothing else.
    pub async fn issue_one_time_code(&self, code: OneTimeCode) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| Box::pin(async move { issue(transaction, &code).await }))
            .await
    }

    /// Returns the code that a token belongs to, without using it up. There is no such function for
    /// digits: they would be guessed by it, without being counted.
    pub async fn code_of_token(
        &self,
        token: &Token,
        purposes: &[Purpose],
        now: i64,
    ) -> Result<Option<SpentCode>, StoreError> {
        let found = of_token(&self.read, token, purposes, now).await?;
        found.map(SpentCode::try_from).transpose()
    }

    /// Deletes the codes that have expired, and returns their number.
    pub async fn sweep_one_time_codes(&self, now: i64) -> Result<u64, StoreError> {
        let over = Condition::all().add(Column::ExpiresAt.lte(now));
        self.delete_in_batches::<one_time_code::Entity>(Column::Id, over).await
    }
}

/// Stores a code. Of an exclusive purpose, the oldest codes of the account beyond [`MAX_VALID`]
/// become invalid.
pub(super) async fn issue(
    connection: &impl ConnectionTrait,
    code: &OneTimeCode,
) -> Result<(), StoreError> {
    let OneTimeCode { purpose, user, digits, .. } = code;
    // Without an account there is nothing that limits the attempts.
    let bound_to = user.filter(|_| purpose.is_exclusive());
    let row = one_time_code::ActiveModel {
        id: Set(code.id),
        purpose: Set(purpose.as_str().to_owned()),
        user_id: Set(*user),
        address: Set(code.address.clone()),
        token_hash: Set(code.token.hash()),
        code_hash: Set(bound_to
            .filter(|_| code.request.is_some() || purpose.allows_unbound_digits())
            .map(|user| digits.hash(*purpose, user, code.request.as_ref()))),
        request_hash: Set(code.request.as_ref().map(RequestId::hash)),
        tries: Set(0),
        created_at: Set(code.created_at),
        expires_at: Set(code.expires_at),
    };
    one_time_code::Entity::insert(row).exec_without_returning(connection).await?;
    let Some(user) = bound_to else { return Ok(()) };
    let surplus: Vec<Uuid> = one_time_code::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(of(user, &[*purpose]))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        // SQLite has no offset without a limit.
        .limit(1_000)
        .offset(MAX_VALID)
        .into_tuple()
        .all(connection)
        .await?;
    if !surplus.is_empty() {
        one_time_code::Entity::delete_many()
            .filter(Column::Id.is_in(surplus))
            .exec(connection)
            .await?;
    }
    Ok(())
}

/// Returns the valid code of one of the purposes that a token belongs to. Only [`spend`] uses it up.
pub(super) async fn of_token(
    connection: &impl ConnectionTrait,
    token: &Token,
    purposes: &[Purpose],
    now: i64,
) -> Result<Option<one_time_code::Model>, StoreError> {
    Ok(one_time_code::Entity::find()
        .filter(Column::TokenHash.eq(token.hash()))
        .filter(is_any_of(purposes))
        .filter(Column::ExpiresAt.gt(now))
        .one(connection)
        .await?)
}

/// Uses a code of one of the purposes. [`None`] if it is unknown, was used, has expired, belongs to
/// another browser, or if its digits were mistyped too often: not told apart.
///
/// The change must be committed also if the code does not match: wrong digits are counted. The use
/// of a code of an exclusive purpose invalidates the other codes of that purpose and account.
pub(super) async fn spend(
    connection: &impl ConnectionTrait,
    presented: &PresentedCode,
    purposes: &[Purpose],
    now: i64,
) -> Result<Option<SpentCode>, StoreError> {
    let found = match presented {
        PresentedCode::Token(token) => of_token(connection, token, purposes, now).await?,
        PresentedCode::Digits { user, digits, request } => {
            let bound_here = match request {
                Some(request) => {
                    Column::RequestHash.is_null().or(Column::RequestHash.eq(request.hash()))
                }
                None => Column::RequestHash.is_null(),
            };
            let candidates = one_time_code::Entity::find()
                .filter(Column::UserId.eq(*user))
                .filter(is_any_of(purposes))
                .filter(Column::ExpiresAt.gt(now))
                .filter(Column::CodeHash.is_not_null())
                .filter(Column::Tries.lt(MAX_TRIES))
                .filter(bound_here)
                .all(connection)
                .await?;
            let matches = |row: &one_time_code::Model| {
                let request = request.as_ref().filter(|_| row.request_hash.is_some());
                Purpose::parse(&row.purpose).is_some_and(|purpose| {
                    row.code_hash.as_ref() == Some(&digits.hash(purpose, *user, request))
                })
            };
            let found = candidates.iter().find(|row| matches(row)).cloned();
            if found.is_none() && !candidates.is_empty() {
                // Each of them was tried.
                one_time_code::Entity::update_many()
                    .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
                    .filter(Column::Id.is_in(candidates.iter().map(|row| row.id)))
                    .exec(connection)
                    .await?;
            }
            found
        }
    };
    let Some(row) = found else { return Ok(None) };
    let deleted = one_time_code::Entity::delete_by_id(row.id).exec(connection).await?;
    if deleted.rows_affected == 0 {
        return Ok(None);
    }
    let spent = SpentCode::try_from(row)?;
    if let Some(user) = spent.user.filter(|_| spent.purpose.is_exclusive()) {
        revoke(connection, user, &[spent.purpose]).await?;
    }
    Ok(Some(spent))
}

/// Invalidates the codes of some purposes of an account.
pub(super) async fn revoke(
    connection: &impl ConnectionTrait,
    user: Uuid,
    purposes: &[Purpose],
) -> Result<(), StoreError> {
    one_time_code::Entity::delete_many().filter(of(user, purposes)).exec(connection).await?;
    Ok(())
}

/// Deletes all codes of a deleted account.
pub(super) async fn delete_all(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<(), StoreError> {
    one_time_code::Entity::delete_many().filter(Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}

fn of(user: Uuid, purposes: &[Purpose]) -> Condition {
    Condition::all().add(Column::UserId.eq(user)).add(is_any_of(purposes))
}

fn is_any_of(purposes: &[Purpose]) -> Expr {
    Column::Purpose.is_in(purposes.iter().map(|purpose| purpose.as_str()))
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::{
        domain::one_time_code::{Digits, Token},
        store::{
            StoreError,
            test_store::{NOW, TestStore},
        },
    };

    const USER: Uuid = Uuid::from_u128(1);

    impl TestStore {
        async fn issue(&self, purpose: Purpose, request: Option<&RequestId>) -> OneTimeCode {
            let address = Some("ada@example.com".to_owned());
            let code =
                OneTimeCode::generate(&self.env, purpose, Some(USER), address, request.cloned());
            self.store.issue_one_time_code(code.clone()).await.unwrap();
            code
        }

        async fn spend(
            &self,
            presented: PresentedCode,
            purpose: Purpose,
            now: i64,
        ) -> Result<Option<SpentCode>, StoreError> {
            let change = self.store.writer.write(move |transaction| {
                Box::pin(async move { spend(transaction, &presented, &[purpose], now).await })
            });
            change.await
        }

        async fn is_spent(&self, presented: PresentedCode, purpose: Purpose, now: i64) -> bool {
            self.spend(presented, purpose, now).await.unwrap().is_some()
        }
    }

    fn token(code: &OneTimeCode) -> PresentedCode {
        PresentedCode::Token(Token::parse(code.token.as_str()).unwrap())
    }

    fn digits(text: &str, request: Option<&RequestId>) -> PresentedCode {
        let digits = Digits::parse(text).unwrap();
        PresentedCode::Digits { user: USER, digits, request: request.cloned() }
    }

    /// Eight digits that are not those of the codes.
    fn wrong_digits(codes: &[&OneTimeCode]) -> String {
        (0..10)
            .map(|number| format!("{number:08}"))
            .find(|text| codes.iter().all(|code| code.digits.as_str() != text))
            .unwrap()
    }

    #[tokio::test]
    async fn spend_of_a_token_succeeds_once_and_returns_its_address() {
        let fixture = TestStore::open().await;
        let code = fixture.issue(Purpose::Verify, None).await;
        let spent = fixture.spend(token(&code), Purpose::Verify, NOW).await.unwrap().unwrap();
        assert_eq!((spent.id, spent.user), (code.id, Some(USER)));
        assert_eq!(spent.address.as_deref(), Some("ada@example.com"));
        assert!(!fixture.is_spent(token(&code), Purpose::Verify, NOW).await);
    }

    #[tokio::test]
    async fn spend_of_an_expired_token_or_for_another_purpose_fails() {
        let fixture = TestStore::open().await;
        let code = fixture.issue(Purpose::Reset, None).await;
        assert!(!fixture.is_spent(token(&code), Purpose::Verify, NOW).await);
        assert!(!fixture.is_spent(token(&code), Purpose::Reset, code.expires_at).await);
        assert!(fixture.is_spent(token(&code), Purpose::Reset, code.expires_at - 1).await);
    }

    #[tokio::test]
    async fn spend_of_digits_in_another_browser_fails() {
        let fixture = TestStore::open().await;
        let [here, elsewhere] = [0, 1].map(|_| RequestId::generate(&fixture.env));
        let code = fixture.issue(Purpose::Reset, Some(&here)).await;
        let typed = code.digits.as_str();
        assert!(!fixture.is_spent(digits(typed, Some(&elsewhere)), Purpose::Reset, NOW).await);
        assert!(!fixture.is_spent(digits(typed, None), Purpose::Reset, NOW).await);
        assert!(fixture.is_spent(digits(typed, Some(&here)), Purpose::Reset, NOW).await);
    }

    #[tokio::test]
    async fn spend_of_digits_that_are_bound_to_no_browser_fails_for_a_reset() {
        let fixture = TestStore::open().await;
        let request = RequestId::generate(&fixture.env);
        for (purpose, is_spent) in [(Purpose::Reset, false), (Purpose::Verify, true)] {
            let code = fixture.issue(purpose, None).await;
            let typed = digits(code.digits.as_str(), Some(&request));
            assert_eq!(fixture.is_spent(typed, purpose, NOW).await, is_spent, "{purpose:?}");
        }
    }

    #[tokio::test]
    async fn spend_of_digits_after_five_wrong_ones_fails_and_the_link_still_works() {
        let fixture = TestStore::open().await;
        let request = RequestId::generate(&fixture.env);
        let code = fixture.issue(Purpose::Reset, Some(&request)).await;
        let wrong = wrong_digits(&[&code]);
        for _ in 0..MAX_TRIES {
            let presented = digits(&wrong, Some(&request));
            assert!(!fixture.is_spent(presented, Purpose::Reset, NOW).await);
        }
        let right = digits(code.digits.as_str(), Some(&request));
        assert!(!fixture.is_spent(right, Purpose::Reset, NOW).await);
        assert!(fixture.is_spent(token(&code), Purpose::Reset, NOW).await);
    }

    #[tokio::test]
    async fn wrong_digits_count_against_every_code_of_the_browser() {
        let fixture = TestStore::open().await;
        let request = RequestId::generate(&fixture.env);
        let one = fixture.issue(Purpose::Reset, Some(&request)).await;
        let other = fixture.issue(Purpose::Reset, Some(&request)).await;
        let wrong = wrong_digits(&[&one, &other]);
        for _ in 0..MAX_TRIES {
            fixture.spend(digits(&wrong, Some(&request)), Purpose::Reset, NOW).await.unwrap();
        }
        for code in [&one, &other] {
            let right = digits(code.digits.as_str(), Some(&request));
            assert!(!fixture.is_spent(right, Purpose::Reset, NOW).await);
        }
    }

    #[tokio::test]
    async fn issue_of_a_fourth_code_invalidates_the_first_and_the_use_of_one_all() {
        let fixture = TestStore::open().await;
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(fixture.issue(Purpose::Verify, None).await);
            fixture.clock.advance(1);
        }
        assert!(!fixture.is_spent(token(&codes[0]), Purpose::Verify, NOW).await);
        assert!(fixture.is_spent(token(&codes[1]), Purpose::Verify, NOW).await);
        for code in &codes[2..] {
            assert!(!fixture.is_spent(token(code), Purpose::Verify, NOW).await);
        }
    }

    #[tokio::test]
    async fn codes_of_alerts_and_invitations_are_independent() {
        let fixture = TestStore::open().await;
        for purpose in [Purpose::Undo, Purpose::Invite] {
            let mut codes = Vec::new();
            for _ in 0..5 {
                codes.push(fixture.issue(purpose, None).await);
            }
            // Without digits to guess.
            let typed = digits(codes[0].digits.as_str(), None);
            assert!(!fixture.is_spent(typed, purpose, NOW).await);
            for code in &codes {
                assert!(fixture.is_spent(token(code), purpose, NOW).await);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn spend_concurrently_succeeds_once() {
        let fixture = &TestStore::open().await;
        for _ in 0..10 {
            let request = RequestId::generate(&fixture.env);
            let code = fixture.issue(Purpose::Reset, Some(&request)).await;
            let attempts = (0..8).map(|number| {
                let presented = match number % 2 {
                    0 => token(&code),
                    _ => digits(code.digits.as_str(), Some(&request)),
                };
                fixture.spend(presented, Purpose::Reset, NOW)
            });
            let outcomes = join_all(attempts).await;
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            assert_eq!(outcomes.iter().flatten().flatten().count(), 1, "{outcomes:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn wrong_digits_concurrently_are_each_counted() {
        let fixture = &TestStore::open().await;
        let request = &RequestId::generate(&fixture.env);
        let code = fixture.issue(Purpose::Reset, Some(request)).await;
        let wrong = &wrong_digits(&[&code]);
        let attempts = (0..MAX_TRIES)
            .map(|_| fixture.spend(digits(wrong, Some(request)), Purpose::Reset, NOW));
        for outcome in join_all(attempts).await {
            assert_eq!(outcome.unwrap(), None);
        }
        let right = digits(code.digits.as_str(), Some(request));
        assert!(!fixture.is_spent(right, Purpose::Reset, NOW).await);
    }

    #[tokio::test]
    async fn sweep_of_one_time_codes_deletes_expired_ones() {
        let fixture = TestStore::open().await;
        let code = fixture.issue(Purpose::Reset, None).await;
        assert_eq!(fixture.store.sweep_one_time_codes(code.expires_at - 1).await.unwrap(), 0);
        assert_eq!(fixture.store.sweep_one_time_codes(code.expires_at).await.unwrap(), 1);
    }
}
