//! In the making.
use super::Results;
/// x
pub fn conclusion(_: &Results) -> Vec<String> {
    Vec::new()
}
