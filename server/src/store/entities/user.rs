use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub username: String,
    #[sea_orm(unique)]
    pub username_key: String,
    pub username_skeleton: String,
    pub password_hash: String,
    pub password_changed_at: i64,
    pub nickname: Option<String>,
    pub avatar_url: Option<String>,
    pub role: String,
    pub email: Option<String>,
    pub mobile: Option<String>,
    pub language: String,
    pub alert_new_device: bool,
    pub created_at: i64,
    pub disabled_at: Option<i64>,
    pub logged_in_at: Option<i64>,
    pub device_epoch: i64,
}

impl ActiveModelBehavior for ActiveModel {}
