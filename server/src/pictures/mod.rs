//! Pictures that people send: what they are is told by their bytes, and what is made of them is our own.

mod kind;
mod picture;
mod workshop;

pub use kind::Kind;
pub use picture::{Picture, Refusal};
pub use workshop::{Workshop, WorkshopError};
