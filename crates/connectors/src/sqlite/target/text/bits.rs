//! PURE: bytes in hexadecimal digits, with and without the hyphens of a uuid.

/// The hyphens stand before these bytes.
const HYPHENS: [usize; 4] = [4, 6, 8, 10];

/// The 36 characters of a uuid.
pub(super) fn uuid(uuid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if HYPHENS.contains(&at) {
            text.push('-');
        }
        text.push_str(&hex(&[*byte]));
    }
    text
}

/// A uuid from exactly the text that [`uuid`] gives.
pub(super) fn read_uuid(text: &str) -> Option<[u8; 16]> {
    let bytes: [u8; 16] = read_hex(&text.replace('-', ""))?.try_into().ok()?;
    (uuid(&bytes) == text).then_some(bytes)
}

/// Two digits for each byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |half: u8| DIGITS[usize::from(half)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes from digits.
pub(super) fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}
