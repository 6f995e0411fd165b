//! PURE: the query of a request as names and values, each strictly read.
//!
//! Must not know: which names a route takes.

pub(crate) mod asked;
pub(crate) mod cursor;
pub(crate) mod paging;

use percent_encoding::percent_decode_str;

/// The most parameters that a request may have.
const PARAMETERS_MAX: usize = 100;

/// Names and values, in the order of the query.
pub(crate) type Pairs = Vec<(String, String)>;

/// Reads a query; says what is wrong with it.
pub(crate) fn pairs(query: Option<&str>) -> Result<Pairs, String> {
    let parts: Vec<_> =
        query.unwrap_or_default().split('&').filter(|part| !part.is_empty()).collect();
    if parts.len() > PARAMETERS_MAX {
        return Err(format!("more than {PARAMETERS_MAX} parameters"));
    }
    let pair = |part: &&str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((decoded(name)?, decoded(value)?))
    };
    parts.iter().map(pair).collect()
}

fn decoded(text: &str) -> Result<String, String> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    for at in (0..bytes.len()).filter(|at| bytes[*at] == b'%') {
        if !is_digit(bytes.get(at + 1)) || !is_digit(bytes.get(at + 2)) {
            return Err(format!("{text:?} has a % without two hexadecimal digits; write it %25"));
        }
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| format!("{text:?} is no UTF-8 when it is decoded"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_is_read_strictly() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs(None), Ok(vec![]));
        assert_eq!(
            pairs(Some("a=1&b=x+y%2Bz&&c&d=%C3%A9=")),
            Ok(vec![pair("a", "1"), pair("b", "x y+z"), pair("c", ""), pair("d", "é=")])
        );
        for wrong in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%C3"] {
            assert!(pairs(Some(wrong)).is_err(), "{wrong}");
        }
        assert!(pairs(Some(&"a&".repeat(101))).is_err());
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in "[-a-z0-9%&=+.é]{0,80}") {
            let _ = pairs(Some(&query));
        }
    }
}
