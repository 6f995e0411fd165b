//! Tablespaces: folders beside the data of a server, such as a disk of their own.

use super::Server;
use super::history::copy;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

impl Server {
    /// Makes a tablespace of this name in an empty folder.
    pub fn tablespace(&self, name: &str, folder: &Path) {
        self.programs.own(folder);
        let folder = folder.to_str().expect("a path in UTF-8");
        self.sql("postgres", &format!("create tablespace {name} location '{folder}'"));
    }

    /// Gives a server, whose data was copied, tablespaces of its own with what is in those of the
    /// other.
    pub(super) fn own_tablespaces(&self) {
        for link in
            fs::read_dir(self.data().join("pg_tblspc")).expect("each server has this folder")
        {
            let link = link.expect("an entry").path();
            let own =
                self.folder.join("tablespace").with_extension(link.file_name().expect("a name"));
            copy(&fs::canonicalize(&link).expect("a tablespace"), &own);
            fs::remove_file(&link).expect("a link");
            symlink(&own, &link).expect("a link to its own");
        }
    }
}
