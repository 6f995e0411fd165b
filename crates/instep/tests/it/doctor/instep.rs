//! Faults of what is Instep's own: configuration, address, certificate and data directory.

use super::seen::{CONFIG, codes, finds, found, look, sound};
use crate::program::Folder;
use rcgen::{CertificateParams, KeyPair};
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_configuration_that_can_not_be_used_is_refused_as_everywhere() {
    let ran = Folder::with("version: 1\nlisten: nowhere\n").run("--json doctor");
    assert_eq!((ran.code, ran.problems()), (2, vec!["2:9 E-CONFIG-TYPE".to_owned()]));
}

#[test]
fn who_has_the_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = sound();
    let address = taken.local_addr().unwrap().to_string();
    folder.write("instep.yaml", CONFIG.replace("127.0.0.1:0", &address));
    let json = finds(&folder, 3, &["E-LISTEN-IN-USE"]);
    let me = format!("process {}", std::process::id());
    assert!(found(&json, "listen", "connect").contains(&me), "{json:#}");
}

#[test]
fn an_address_of_another_machine_is_found() {
    let folder = sound();
    let tokens = "auth: { tokens: [{ name: o, role: viewer, token: s3cret }] }\n";
    let config = CONFIG.replace("127.0.0.1:0", "192.0.2.1:7171");
    folder.write("instep.yaml", format!("{config}{tokens}"));
    finds(&folder, 3, &["W-LISTEN-PLAIN", "E-LISTEN-FAILED"]);
}

/// Puts a certificate that is valid from and until these years into the folder, and its key.
fn certify(folder: &Folder, from: i32, until: i32) {
    certify_until(folder, from, (until, 1, 1));
}

fn certify_until(folder: &Folder, from: i32, (year, month, day): (i32, u8, u8)) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(from, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year, month, day);
    let certificate = parameters.self_signed(&key).unwrap();
    folder.write("cert.pem", certificate.pem());
    put_key(folder, &key);
}

fn put_key(folder: &Folder, key: &KeyPair) {
    let key = folder.write("key.pem", key.serialize_pem());
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_certificate_that_can_not_be_used_is_found() {
    let folder = sound();
    folder.write("instep.yaml", format!("{CONFIG}tls: {{ cert: cert.pem, key: key.pem }}\n"));
    let missing = folder.run("--json doctor");
    assert_eq!(missing.code, 2, "the configuration can not be used");
    assert!(missing.problems().iter().all(|it| it.ends_with("E-CONFIG-FILE")), "{}", missing.out);
    certify(&folder, 2000, 4000);
    let json = finds(&folder, 0, &[]);
    assert!(found(&json, "listen", "tls").contains("valid for"), "{json:#}");
    certify(&folder, 2000, 2001);
    let json = finds(&folder, 3, &["E-TLS-FILES"]);
    assert!(found(&json, "listen", "tls").contains("valid until 2001"), "{json:#}");
    certify(&folder, 3000, 4000);
    finds(&folder, 3, &["E-TLS-FILES"]);
    certify(&folder, 2000, 4000);
    put_key(&folder, &KeyPair::generate().unwrap());
    let json = finds(&folder, 3, &["E-TLS-FILES"]);
    assert!(found(&json, "listen", "tls").contains("no key for"), "{json:#}");
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of() {
    let folder = sound();
    folder.write("instep.yaml", format!("{CONFIG}tls: {{ cert: cert.pem, key: key.pem }}\n"));
    let soon = Command::new("date").args(["-u", "-d", "+10 days", "+%Y %m %d"]).output().unwrap();
    let soon = String::from_utf8(soon.stdout).unwrap();
    let soon: Vec<i32> = soon.split_whitespace().map(|it| it.parse().unwrap()).collect();
    let (month, day) = (soon[1].try_into().unwrap(), soon[2].try_into().unwrap());
    certify_until(&folder, 2000, (soon[0], month, day));
    let json = finds(&folder, 0, &["W-CERTIFICATE-ENDS"]);
    assert!(found(&json, "listen", "tls").contains(" ends in "), "{json:#}");
}

#[test]
fn a_secret_that_everybody_may_read_is_warned_of() {
    let folder = sound();
    let token = folder.write("token", "s3cret");
    fs::set_permissions(token, fs::Permissions::from_mode(0o644)).unwrap();
    let tokens = "auth: { tokens: [{ name: o, role: viewer, token: { file: token } }] }\n";
    folder.write("instep.yaml", format!("{CONFIG}{tokens}"));
    let (code, json) = look(&folder);
    assert_eq!((code, codes(&json)), (0, vec!["W-SECRET-READABLE".to_owned()]));
}

#[test]
fn a_data_directory_that_is_none_is_found() {
    let folder = sound();
    folder.write("data", "a file");
    finds(&folder, 3, &["E-DATA-UNUSABLE"]);
}

#[test]
fn a_stranger_who_holds_the_data_directory_is_named() {
    let folder = sound();
    let lock = File::create(folder.write("data/journal/lock", "")).unwrap();
    lock.try_lock().unwrap();
    let json = finds(&folder, 3, &["E-DATA-LOCKED"]);
    let me = format!("process {}", std::process::id());
    assert!(found(&json, "data_dir", "role").contains(&me), "{json:#}");
    drop(lock);
    finds(&folder, 0, &[]);
}

#[test]
fn a_damaged_catalog_is_found_and_left_as_it_is() {
    let folder = sound();
    folder.write("data/catalog.db", "this is no catalog, and long enough to be looked at in full");
    let (code, json) = look(&folder);
    // Whether it is the right source can not be told without it.
    let expected = ["E-NOT-MEASURED", "E-CATALOG-DAMAGED"];
    let mut found = codes(&json);
    found.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!((code, found), (3, expected), "{json:#}");
}
