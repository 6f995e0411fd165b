//! PURE: what a certificate gives to bind a login to its connection, as in RFC 5929.
//!
//! It is a hash of the whole certificate, by the algorithm that the certificate was signed with;
//! MD5 and SHA-1 are replaced by SHA-256. Where the algorithm names no hash, nothing is bound.

use aws_lc_rs::digest::{self, Algorithm, SHA256, SHA384, SHA512};

/// The hash, if the algorithm of its signature is one that names a hash.
pub(super) fn binding(certificate: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let certificate = certificate.as_ref();
    let algorithm = hash_of(signature_of(certificate)?)?;
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;

/// The identifier of RSASSA-PSS, whose hash stands among its parameters.
const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

/// The content of `signatureAlgorithm`: an identifier, and parameters.
fn signature_of(certificate: &[u8]) -> Option<&[u8]> {
    let (whole, _) = element(SEQUENCE, certificate)?;
    let (_, rest) = element(SEQUENCE, whole)?;
    let (signature, _) = element(SEQUENCE, rest)?;
    Some(signature)
}

fn hash_of(algorithm: &[u8]) -> Option<&'static Algorithm> {
    let (identifier, parameters) = element(OBJECT, algorithm)?;
    if identifier == PSS {
        let (parameters, _) = element(SEQUENCE, parameters)?;
        let (hash, _) = element(0xa0, parameters)?;
        let (hash, _) = element(SEQUENCE, hash)?;
        let (identifier, _) = element(OBJECT, hash)?;
        return match identifier {
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, kind] => of_number(*kind),
            _ => None,
        };
    }
    match identifier {
        // Of RSA with MD5, SHA-1, and the family of SHA-2.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, kind] => match kind {
            4 | 5 | 11 => Some(&SHA256),
            12 => Some(&SHA384),
            13 => Some(&SHA512),
            _ => None,
        },
        // Of ECDSA with SHA-1, and with the family of SHA-2.
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => Some(&SHA256),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, kind] => of_number(kind.checked_sub(1)?),
        _ => None,
    }
}

fn of_number(number: u8) -> Option<&'static Algorithm> {
    match number {
        1 => Some(&SHA256),
        2 => Some(&SHA384),
        3 => Some(&SHA512),
        _ => None,
    }
}

/// The content of the next element, if it has this tag, and what follows it.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first != tag {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let add = |sum: usize, &digit: &u8| sum << 8 | usize::from(digit);
            (digits.iter().fold(0, add), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::binding;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (algorithm, length) in [(&PKCS_ECDSA_P256_SHA256, 32), (&PKCS_ECDSA_P384_SHA384, 48)] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
            let certificate = parameters.self_signed(&key).unwrap();
            assert_eq!(binding(certificate.der()).unwrap().len(), length);
        }
    }

    #[test]
    fn what_names_no_hash_binds_nothing() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        assert_eq!(binding(certificate.der()), None);
        for end in 0..certificate.der().len() {
            assert_eq!(binding(&certificate.der()[..end]), None);
        }
        assert_eq!(binding([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
