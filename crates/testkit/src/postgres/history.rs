//! What happens to the data of a server as a whole: it is saved and put back, or gets a standby that
//! takes its place.

use super::{Server, append};
use std::fs;
use std::path::Path;
use std::process::Command;

impl Server {
    /// Saves the data of a server that is stopped.
    pub fn save(&self) {
        copy(&self.data(), &self.saved());
    }

    /// Puts back what was saved of a server that is stopped, as from a backup of the whole machine.
    pub fn put_back(&self) {
        fs::remove_dir_all(self.data()).expect("the data of a stopped server");
        copy(&self.saved(), &self.data());
    }

    /// A standby of a server that is stopped, which is started again. Slots are not taken over.
    pub fn standby(&self) -> Server {
        let mut standby = Server::in_new_folder(self.programs.clone());
        copy(&self.data(), &standby.data());
        standby.own_tablespaces();
        self.start_again();
        let slots = standby.data().join("pg_replslot");
        for slot in fs::read_dir(slots).expect("each server has this folder") {
            fs::remove_dir_all(slot.expect("an entry").path()).expect("a slot");
        }
        let lines = [
            format!("unix_socket_directories = '{}'", standby.folder.display()),
            format!("primary_conninfo = 'host=127.0.0.1 port={} user=postgres'", self.port),
            "hot_standby = on".to_owned(),
        ];
        append(&standby.data().join("postgresql.conf"), &lines);
        fs::write(standby.data().join("standby.signal"), "").expect("a file beside the data");
        standby.programs.own(&standby.data().join("standby.signal"));
        standby.start_at_a_free_port();
        standby
    }

    /// Makes a standby a primary, on a new timeline.
    pub fn promote(&self) {
        let promoted = self.control(&["promote", "-w", "-t", "120"]);
        assert!(promoted, "PostgreSQL was not promoted: {}", self.log());
    }

    fn saved(&self) -> std::path::PathBuf {
        self.folder.join("saved")
    }
}

/// Copies a folder with everything in it, owners too.
pub(super) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()), "cp {} {}", from.display(), to.display());
}
