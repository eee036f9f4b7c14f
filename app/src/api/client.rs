//! The client of the server functions.
pub use server_fn::client::browser::BrowserClient as ApiClient;
