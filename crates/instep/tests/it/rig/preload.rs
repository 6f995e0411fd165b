//! A library that is loaded before all others and lets syncs of some files fail while a switch is on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The switch: the file says which paths, by a part of their name.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd) {
    const char *name = getenv("INSTEP_TEST_SYNC");
    char part[256] = {0}, link[64], path[4096] = {0};
    int file = name ? open(name, O_RDONLY) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, part, sizeof part - 1);
    close(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (length <= 0 || readlink(link, path, sizeof path - 1) < 0) return 0;
    return strstr(path, part) != NULL;
}

static int sync_with(const char *name, int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
"#;

/// The library, and its switch.
#[derive(Debug)]
pub(crate) struct Syncs {
    library: PathBuf,
    switch: PathBuf,
}

impl Syncs {
    /// Compiles it into a directory; the compiler is the one that SQLite is compiled with.
    pub(crate) fn compile(folder: &Path) -> Self {
        let (code, library) = (folder.join("sync.c"), folder.join("sync.so"));
        fs::write(&code, LIBRARY).unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut command = Command::new(compiler);
        command.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).arg("-ldl");
        assert!(command.status().unwrap().success(), "the library compiles");
        Self { library, switch: folder.join("sync.switch") }
    }

    /// The variables under which a program meets it.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 2] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("INSTEP_TEST_SYNC", self.switch.to_str().unwrap()),
        ]
    }

    /// From now on syncs of files with this in their path fail.
    pub(crate) fn fail(&self, part: &str) {
        fs::write(&self.switch, part).unwrap();
    }

    /// They succeed again.
    pub(crate) fn succeed(&self) {
        fs::remove_file(&self.switch).unwrap();
    }
}
