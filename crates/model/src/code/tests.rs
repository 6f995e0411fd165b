//! The list of codes is whole and in order.

use super::Code;
use std::collections::BTreeSet;

#[test]
fn every_code_has_its_own_name_and_an_explanation() {
    let names: BTreeSet<_> = Code::all().map(Code::name).collect();
    assert_eq!(names.len(), Code::all().count());
    for (place, code) in Code::all().enumerate() {
        assert_eq!(code as usize, place, "{code} is out of order");
        assert!(code.name().starts_with("E-") || code.is_warning(), "{code}");
        assert!(code.explain().len() > 80, "{code} is hardly explained");
    }
}

#[test]
fn every_explanation_has_a_beginning_and_an_end() {
    for code in Code::all() {
        assert!(code.title().ends_with('.') && code.fix().ends_with('.'), "{code}");
        assert_eq!(format!("{} {}", code.why(), code.fix()), code.explain());
    }
}
