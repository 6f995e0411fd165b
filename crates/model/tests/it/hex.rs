//! Hexadecimal files: bytes that people can read, with remarks.

/// The bytes of a file, in blocks between empty lines. What comes after a `#` is a remark; a block
/// of remarks alone does not count.
pub(crate) fn blocks(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("\n\n").map(bytes);
    blocks.filter(|bytes| !bytes.is_empty()).collect()
}

/// Bytes as such a file has them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x} ")).collect()
}

fn bytes(block: &str) -> Vec<u8> {
    let digits = block.lines().flat_map(|line| line.split('#').next());
    let pairs = digits.flat_map(str::split_ascii_whitespace);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
