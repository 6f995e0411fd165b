//! Values that are alike, and keys, where two stores do not take the same for one.

use super::rig::Pair;

#[test]
fn a_copy_that_has_a_key_in_two_spellings_is_not_said_to_be_equal() {
    let pair = Pair::new();
    pair.write(
        "copy.db",
        "alter table question rename to old;
         create table question (id text primary key not null, topic int, title text, score real);
         insert into question select * from old;",
    );
    assert_eq!(pair.verify("").code, 0);
    pair.write("copy.db", "insert into question select '0' || id, topic, title, score from old");
    let ran = pair.verify("");
    assert_eq!(ran.code, 6, "{}{}", ran.out, ran.err);
    let told = "several rows of the copy have the same values in the columns of the key";
    assert!((ran.out + &ran.err).contains(told));
}

#[test]
fn rows_that_are_the_newest_by_the_order_of_the_copy_alone_are_no_difference() {
    let pair = Pair::new();
    pair.write(
        "source.db",
        "alter table question rename to old;
         create table question (
             id integer primary key, topic int, title text collate nocase, score real);
         insert into question select * from old;
         update question set title = 'Z' where id = 1",
    );
    // By its bytes each of the other titles is above it.
    pair.write("copy.db", "update question set title = 'Z' where id = 1");
    let ran = pair.verify("--newest 1 --by title");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_rule_for_a_column_of_the_key_is_refused() {
    let ran = Pair::new().verify("--key title --treat title=trim");
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("title tells rows apart, so it is compared as it is"), "{}", ran.err);
}
