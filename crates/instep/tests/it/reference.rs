//! The pages of docs/reference say what the code says; `UPDATE=1` writes them anew.

use instep::reference::pages;
use std::path::Path;
use std::{env, fs};

#[test]
fn the_reference_says_what_the_code_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    for (name, text) in pages() {
        let path = folder.join(name);
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        let stale = "is stale: UPDATE=1 cargo test -p instep --test it reference";
        assert!(found == text, "docs/reference/{name} {stale}");
    }
}
