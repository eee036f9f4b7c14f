//! What the pages say.

super::table! {
    /// The pages' words.
    Words {
        product: "Gatehouse", "Gatehouse";
    }
}
