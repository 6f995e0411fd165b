//! PURE: percent signs in a URL and what they stand for.

use percent_encoding::percent_decode_str;

/// Text with each `%2F` and the like replaced.
pub(super) fn decode(what: &str, text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let broken = bytes.iter().enumerate().any(|(at, &byte)| {
        let digits = bytes.get(at + 1..at + 3);
        byte == b'%' && !digits.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
    });
    if broken {
        return Err(format!("{what} has a `%` without two digits: write %25 for a percent sign"));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| format!("{what} is not UTF-8"))?.into_owned();
    match decoded.contains('\0') {
        true => Err(format!("{what} has a zero byte in it")),
        false => Ok(decoded),
    }
}
