//! Tokens: who may ask. Only digests are kept, and they are compared in constant time.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::sync::Arc;

/// What a token's owner may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Look, and decide.
    Operator,
}

/// A token, without its secret.
#[derive(Clone)]
pub struct Token {
    name: Arc<str>,
    role: Role,
    digest: [u8; 32],
}

impl Token {
    /// A token of this name and role. The secret is not kept.
    pub fn new(name: &str, role: Role, secret: &str) -> Self {
        Self { name: name.into(), role, digest: sha256(secret) }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }
}

/// Never shows more than the name.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("role", &self.role).finish()
    }
}

/// The token with this secret. It takes as long whichever it is.
pub(crate) fn find<'a>(tokens: &'a [Token], secret: &str) -> Option<&'a Token> {
    let digest = sha256(secret);
    let is_it = |token: &&Token| verify_slices_are_equal(&token.digest, &digest).is_ok();
    tokens.iter().fold(None, |found, token| Some(token).filter(is_it).or(found))
}

/// The secret that an `Authorization` header carries, if it is one of ours.
pub(crate) fn secret_of(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

fn sha256(secret: &str) -> [u8; 32] {
    let digest = digest(&SHA256, secret.as_bytes());
    digest.as_ref().try_into().expect("BUG: SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_whole_secret_alone() {
        let tokens =
            [Token::new("ops", Role::Operator, "one"), Token::new("look", Role::Viewer, "two")];
        let name = |secret: &str| find(&tokens, secret).map(|token| token.name().to_string());
        assert_eq!(name("one").as_deref(), Some("ops"));
        assert_eq!(name("two").as_deref(), Some("look"));
        for wrong in ["", "on", "one ", "ONE", "three"] {
            assert_eq!(name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_token_never_shows_its_secret() {
        let shown = format!("{:?}", Token::new("ops", Role::Operator, "canary"));
        assert_eq!(shown, r#"Token { name: "ops", role: Operator }"#);
    }

    #[test]
    fn the_header_is_read_as_its_standard_says() {
        assert_eq!(secret_of("Bearer abc"), Some("abc"));
        assert_eq!(secret_of("bearer  abc "), Some("abc"));
        for wrong in ["abc", "Basic abc", "Bearer", "Bearer ", ""] {
            assert_eq!(secret_of(wrong), None, "{wrong:?}");
        }
    }
}
