//! The pages, one file or folder each.

mod audit;
pub mod current_page;
pub mod files;
pub mod home;
mod invitations;
pub mod lazy_pages;
pub mod login;
pub mod not_found;
mod notices;
pub mod profile;
mod profile_resource;
mod recovery;
pub mod register;
pub mod settings;
mod users;
