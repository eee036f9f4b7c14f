use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "username_skeletons")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub skeleton: String,
    pub ascii: bool,
    pub usernames: i64,
}

impl ActiveModelBehavior for ActiveModel {}
