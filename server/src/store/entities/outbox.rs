use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub recipient: String,
    pub kind: String,
    pub language: String,
    pub parameters: String,
    pub created_at: i64,
    pub next_attempt_at: i64,
    pub attempts: i32,
}

impl ActiveModelBehavior for ActiveModel {}
