//! In the making.
use super::Results;
/// x
pub fn html(_: &Results) -> String {
    String::new()
}
