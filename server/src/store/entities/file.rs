use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "files")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    pub media_type: String,
    pub size: i64,
    pub stored_bytes: i64,
    pub width: i32,
    pub height: i32,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
