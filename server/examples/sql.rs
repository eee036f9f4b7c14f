//! Runs statements in a database, for benchmarks: `sql URL STATEMENT...`.

use sea_orm::{ConnectionTrait as _, Database, DbErr};

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    let mut arguments = std::env::args().skip(1);
    let connection = Database::connect(arguments.next().unwrap_or_default()).await?;
    for statement in arguments {
        connection.execute_unprepared(&statement).await?;
    }
    connection.close().await
}
