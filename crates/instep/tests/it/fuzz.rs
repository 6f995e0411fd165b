//! The configuration under damage: for any text it ends in a configuration or in problems.

use crate::any_text::{GOOD, check};
use instep::config::{Surroundings, load_text};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use testkit::fuzz::fuzz;

#[test]
fn configurations() {
    let words: &[&[u8]] = &[
        b"${",
        b"}",
        b":-",
        b":?",
        b"$$",
        b"{ file: x }",
        b"<<: *book",
        b"&book",
        b"!!str",
        b"|\n  ",
        b">-\n",
        b"\"",
        b"'",
        b"\n",
        b"  ",
        b"\t",
        b"- ",
        b": ",
        b"[",
        b"]",
        b"{",
        b"~",
        b"yes",
        b"0x7f",
        b"1e999",
        b"\xef\xbb\xbf",
        b"# ",
        b"---\n",
        b"...\n",
        b"a/b",
        b"*book",
        b"shard_column: x",
        b"from: [a, b]",
        b"postgres: x",
        b"by: [at_least]",
        b"in (1, 2)",
        b"between 1 and 2",
    ];
    fuzz("configurations", &[GOOD.as_bytes().to_vec()], words, |input| {
        check(input);
        let around = Surroundings { variables: Default::default(), folder: PathBuf::from("/base") };
        let mut hasher = DefaultHasher::new();
        match load_text("x.yaml", input.to_vec(), around) {
            Ok(loaded) => loaded.config.limits.held_keys_max.hash(&mut hasher),
            Err(problems) => problems.iter().for_each(|it| it.code.name().hash(&mut hasher)),
        }
        hasher.finish()
    });
}
