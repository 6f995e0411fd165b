//! PURE: where a group begins: what of it has to be filled, or bridged because history was lost.

use crate::extent::Extent;
use crate::group::Group;
use model::{CopyName, Offset, Pass, Purpose, Standing, Watermark};

/// Passes that begin together, and the watermark that they begin at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    pub(super) watermark: Watermark,
    pub(super) passes: Vec<(CopyName, Pass)>,
}

/// What has to begin before the group can follow the log; nothing if it can follow as it stands.
pub(super) fn beginning(group: &Group, standing: &Standing, extent: &Extent) -> Option<Beginning> {
    let copies = || group.copies.iter().map(|copy| &copy.name);
    match &standing.watermark {
        Some(watermark) if extent.follows(watermark) => {
            let new = copies().filter(|copy| !standing.passes.contains_key(copy));
            // A copy that is no longer configured misses what comes from now on: should it come
            // back, it has to be compared.
            let left = standing.passes.iter().filter(|(copy, pass)| {
                let is_begun = matches!(pass, Pass::Under { upto: None, .. });
                !is_begun && !copies().any(|of| of == *copy)
            });
            let all = new.chain(left.map(|(copy, _)| copy));
            let passes: Vec<_> = all.map(|copy| begin(copy, standing, watermark)).collect();
            let watermark = watermark.clone();
            (!passes.is_empty()).then_some(Beginning { watermark, passes })
        }
        Some(_) | None => Some(bridging(group, standing, &extent.end)),
    }
}

/// Every copy begins anew here: what came before is not all in the log.
pub(super) fn bridging(group: &Group, standing: &Standing, at: &Offset) -> Beginning {
    let copies = group.copies.iter().map(|copy| &copy.name);
    let passes = copies.map(|copy| begin(copy, standing, at)).collect();
    Beginning { watermark: at.clone(), passes }
}

/// A copy that was whole once is bridged; another is filled.
fn begin(copy: &CopyName, standing: &Standing, at: &Offset) -> (CopyName, Pass) {
    let purpose = match standing.passes.get(copy) {
        Some(Pass::Done | Pass::Under { purpose: Purpose::Bridge, .. }) => Purpose::Bridge,
        Some(Pass::Under { .. }) | None => Purpose::Fill,
    };
    (copy.clone(), Pass::Under { purpose, began: at.clone(), upto: None, deleted: 0 })
}

#[cfg(test)]
mod tests;
