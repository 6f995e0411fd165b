//! Fuzzing: what reads bytes from outside is given good ones, damaged in every way, for a moment in
//! each test run and for as long as one likes with `cargo xtask fuzz`.
//!
//! The same seed gives the same inputs. An input whose outcome was not seen before becomes one of
//! those that are damaged next, so that what is reached deep inside is damaged, too.

use std::collections::BTreeSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// Says how many seconds each target is to be fuzzed.
pub const SECONDS: &str = "INSTEP_FUZZ_SECONDS";

/// Says from which seed inputs are made.
pub const SEED: &str = "INSTEP_FUZZ_SEED";

/// Inputs that are tried where nobody asks for more.
const INPUTS: u64 = 3_000;

/// The longest input.
const BYTES_MAX: usize = 64 << 10;

/// Inputs that are kept to be damaged.
const KEPT_MAX: usize = 2_000;

/// Gives damaged inputs to `check`, which must not panic; what it answers tells outcomes apart.
/// `words` are pieces that mean something to what is tried.
#[expect(clippy::disallowed_methods, reason = "fuzzing is bounded by the time of whoever waits")]
pub fn fuzz(name: &str, good: &[Vec<u8>], words: &[&[u8]], check: impl Fn(&[u8]) -> u64) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (seconds, seed) = (number(SECONDS).map(Duration::from_secs), number(SEED).unwrap_or(1));
    let mut damage = Damage { random: seed ^ hash(name), words };
    let (mut kept, mut seen): (Vec<Vec<u8>>, _) = (good.to_vec(), BTreeSet::new());
    let began = Instant::now();
    let mut tried = 0;
    while seconds.map_or(tried < INPUTS, |seconds| began.elapsed() < seconds) {
        let input = damage.some(&kept);
        match catch_unwind(AssertUnwindSafe(|| check(&input))) {
            Ok(outcome) => {
                if seen.insert(outcome) && kept.len() < KEPT_MAX {
                    kept.push(input);
                }
            }
            Err(panic) => {
                eprintln!("{name}: seed {seed}, input {tried}: {}", shown(&input));
                resume_unwind(panic);
            }
        }
        tried += 1;
    }
    println!("{name}: {tried} inputs, {} outcomes, seed {seed}", seen.len());
}

/// Makes bad inputs of good ones.
struct Damage<'a> {
    random: u64,
    words: &'a [&'a [u8]],
}

impl Damage<'_> {
    fn some(&mut self, kept: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match kept.len() {
            0 => Vec::new(),
            some => kept[self.below(some)].clone(),
        };
        for _ in 0..=self.below(6) {
            self.one(&mut input, kept);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn one(&mut self, input: &mut Vec<u8>, kept: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(64) + 1);
        match self.below(9) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => input.splice(at..at, [self.byte()]).for_each(drop),
            3 if at < input.len() => input[at] ^= 1 << self.below(8),
            4 if at < input.len() => input[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
            5 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece).for_each(drop);
            }
            6 if !kept.is_empty() => {
                let other = &kept[self.below(kept.len())];
                let from = self.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied()).for_each(drop);
            }
            7 if !self.words.is_empty() => {
                let word = self.words[self.below(self.words.len())];
                input.splice(at..end, word.iter().copied()).for_each(drop);
            }
            // A length that nothing has.
            _ => input.splice(at..end, [0xff; 9].into_iter().chain([1])).for_each(drop),
        }
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[0]
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("BUG: a length fits");
        usize::try_from(self.draw() % end).expect("BUG: it is below a length")
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn hash(name: &str) -> u64 {
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// An input as it can be put into a test.
fn shown(input: &[u8]) -> String {
    match std::str::from_utf8(input) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("{input:02x?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::fuzz;
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let inputs = || {
            let inputs = RefCell::new(Vec::new());
            fuzz("the same", &[b"a good one".to_vec()], &[b"word"], |input| {
                inputs.borrow_mut().push(input.to_vec());
                u64::from(input.len() > 10)
            });
            inputs.into_inner()
        };
        let first = inputs();
        assert_eq!(first, inputs());
        assert!(first.iter().collect::<BTreeSet<_>>().len() > first.len() / 2);
    }

    #[test]
    fn a_panic_is_not_swallowed() {
        let fuzzed = catch_unwind(AssertUnwindSafe(|| {
            fuzz("a panic", &[b"abc".to_vec()], &[], |input| {
                assert!(!input.contains(&0xff), "found");
                0
            });
        }));
        assert!(fuzzed.is_err());
    }
}
