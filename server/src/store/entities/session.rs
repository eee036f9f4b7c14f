use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub generation: i64,
    pub parent_generation: Option<i64>,
    pub acknowledged: bool,
    pub undelivered: String,
    pub remember: bool,
    pub created_at: i64,
    pub refreshed_at: i64,
    pub expires_at: i64,
    pub ended_at: Option<i64>,
    pub end_reason: Option<String>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub new_device: bool,
}

impl ActiveModelBehavior for ActiveModel {}
