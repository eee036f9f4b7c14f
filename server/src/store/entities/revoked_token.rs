use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    #[sea_orm(unique)]
    pub jti: String,
    #[sea_orm(column_name = "type")]
    pub token_type: String,
    pub expires_at: i64,
    pub revoked_at: i64,
    pub reason: String,
}

impl ActiveModelBehavior for ActiveModel {}
