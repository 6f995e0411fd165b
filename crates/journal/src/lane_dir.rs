//! Lane directories: a lane's name as a directory's name, and back.
//!
//! Safe on every file system, also one that ignores case: what is not a small letter, a digit, `-`
//! or `_` becomes `%` and two hexadecimal digits. Must not know: what is in the directory.

use crate::fault;
use model::{Fault, Lane};

/// No directory's name is longer.
const NAME_BYTES_MAX: usize = 240;

const PREFIX: &str = "lane-";

/// The directory's name for a lane.
pub(crate) fn name(lane: &Lane) -> Result<String, Fault> {
    let mut name = PREFIX.to_owned();
    for byte in lane.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(fault::broken(format!("the lane name {lane} is too long for a directory")));
    }
    Ok(name)
}

/// The lane that a directory belongs to; `None` if it is none of ours.
pub(crate) fn parse(name: &str) -> Option<Lane> {
    let mut bytes = Vec::new();
    let mut rest = name.strip_prefix(PREFIX)?.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            byte => *byte,
        });
    }
    let lane = Lane::from(std::str::from_utf8(&bytes).ok()?);
    (self::name(&lane).ok()? == name).then_some(lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_name_survives_as_a_directory_name() {
        for lane in ["", "questions-a", "Fragen/Ä", "..", "a%b", "lane-", "CON", "\0"] {
            let name = name(&Lane::from(lane)).unwrap();
            assert!(
                name.bytes().all(|byte| byte == b'%'
                    || byte.is_ascii_alphanumeric()
                    || byte == b'-'
                    || byte == b'_'),
                "{name}"
            );
            assert_eq!(parse(&name), Some(Lane::from(lane)));
        }
    }

    #[test]
    fn only_the_one_spelling_is_ours() {
        for name in ["lock", "lane-A", "lane-%41%", "lane-%61", "lane-%4A", "lane-%ff"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
