//! Pictures that users send: recognised by their bytes, decoded within limits, and rendered as
//! small JPEGs of our own.

mod blocking_pool;
mod color;
mod decode;
mod header;
mod kind;
mod picture;
mod shrink;

pub use blocking_pool::{BlockingPool, PoolError};
pub use header::Header;
pub use kind::Kind;
pub use picture::{Refusal, Rendered, Shape, render};
