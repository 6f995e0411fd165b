//! PURE: transaction numbers of 32 bits, as the stream carries them, to those of 64.

use model::TransactionId;

/// Knows about where the server's numbers are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// A number of 64 bits that was given lately.
    near: u64,
}

impl Numbers {
    /// A number that the server has given, or is about to give.
    pub(super) fn near(number: u64) -> Self {
        Self { near: number }
    }

    /// The whole number: the one nearest to what is known, since numbers that are still told apart
    /// lie within two thousand million of each other.
    pub(super) fn whole(&mut self, number: u32) -> TransactionId {
        let [.., a, b, c, d] = self.near.to_be_bytes();
        let distance = number.wrapping_sub(u32::from_be_bytes([a, b, c, d])).cast_signed();
        let whole = self.near.saturating_add_signed(distance.into());
        self.near = self.near.max(whole);
        TransactionId(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::{Numbers, TransactionId};

    #[test]
    fn a_number_is_taken_for_the_nearest() {
        const WRAP: u64 = 1 << 32;
        let whole = |near, number| Numbers::near(near).whole(number);
        assert_eq!(whole(700, 690), TransactionId(690));
        assert_eq!(whole(WRAP + 5, u32::MAX), TransactionId(WRAP - 1));
        assert_eq!(whole(WRAP - 5, 3), TransactionId(WRAP + 3));
        assert_eq!(whole(3 * WRAP + 100, 100), TransactionId(3 * WRAP + 100));
    }

    #[test]
    fn what_comes_moves_what_is_known() {
        let mut numbers = Numbers::near(10);
        for number in [2_000_000_000, 4_000_000_000, 1_700_000_000] {
            numbers.whole(number);
        }
        assert_eq!(numbers.whole(3), TransactionId((1 << 32) + 3));
    }
}
