//! Authorization beyond a valid token, for every operation that requires it: checked before the
//! body and query are validated.

use server::http::endpoints;

use crate::app::App;

#[tokio::test]
async fn invariant_20_operation_requiring_fresh_token_rejects_others() {
    let app = App::start().await;
    let first = app.admin("root").await;
    let access = app.refresh(&first.refresh).await.pair().access;
    let mut asked = 0;
    for operation in endpoints().iter().filter(|operation| operation.auth.is_fresh()) {
        let call = app.call(operation.method.clone(), operation.path).bearer(&access);
        call.send().await.assert_failure(401, "fresh_required");
        asked += 1;
    }
    assert!(asked >= 4, "{asked}");
}

#[tokio::test]
async fn invariant_41_administrator_operation_by_a_user_is_forbidden() {
    let app = App::start().await;
    let person = app.register_and_login("alice").await;
    let mut asked = 0;
    for operation in endpoints().iter().filter(|operation| operation.auth.is_for_admins()) {
        let call = || app.call(operation.method.clone(), operation.path);
        call().bearer(&person.access).send().await.assert_failure(403, "forbidden");
        call().bearer(&person.refresh).send().await.assert_failure(401, "token_wrong_type");
        call().send().await.assert_failure(401, "token_missing");
        asked += 1;
    }
    assert!(asked >= 2, "{asked}");
}
