//! The statements that are written mend the copy that they are written for.

use super::rig::Pair;

#[test]
fn a_sqlite_copy_is_mended_by_its_statements_and_by_nothing_else() {
    let pair = Pair::broken();
    let ran = pair.verify("--output sql");
    assert_eq!(ran.code, 3);
    assert!(ran.out.starts_with("-- Statements that would make question in "), "{}", ran.out);
    assert!(ran.err.contains("3 rows differ"), "{}", ran.err);
    assert_eq!(pair.verify("").code, 3, "nothing has run them");
    pair.write("copy.db", &ran.out);
    assert_eq!(pair.verify("").code, 0);
}
