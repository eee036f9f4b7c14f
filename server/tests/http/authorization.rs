//! What an operation asks of its caller beyond a token, for every operation that asks for it:
//! before anything of its body or its query is looked at.

use app::protocol::operations::OPERATIONS;

use crate::app::App;

#[tokio::test]
async fn invariant_20_what_asks_for_a_fresh_token_takes_no_other() {
    let app = App::start().await;
    let first = app.admin("root").await;
    let access = app.refresh(&first.refresh).await.pair().access;
    let mut asked = 0;
    for operation in OPERATIONS.iter().filter(|operation| operation.auth.is_fresh()) {
        let call = app.call(operation.method.clone(), operation.path).bearer(&access);
        call.send().await.assert_failure(401, "fresh_required");
        asked += 1;
    }
    assert!(asked >= 4, "{asked}");
}

#[tokio::test]
async fn invariant_41_what_is_for_administrators_is_for_nobody_else() {
    let app = App::start().await;
    let person = app.person("alice").await;
    let mut asked = 0;
    for operation in OPERATIONS.iter().filter(|operation| operation.auth.is_for_admins()) {
        let call = || app.call(operation.method.clone(), operation.path);
        call().bearer(&person.access).send().await.assert_failure(403, "forbidden");
        call().bearer(&person.refresh).send().await.assert_failure(401, "token_wrong_type");
        call().send().await.assert_failure(401, "token_missing");
        asked += 1;
    }
    assert!(asked >= 2, "{asked}");
}
