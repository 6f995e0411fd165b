//! The keeper: a small process that ends a server when the process which started it is gone.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Waits for the end of a pipe; when this is dropped, or its process dies, the pipe ends.
#[derive(Debug)]
pub(super) struct Keeper(Child);

/// Reads until the pipe ends, ends the server whose process id stands in the folder, waits until
/// it is gone or has taken its file away (nobody may be there to bury it), and removes the folder.
const SCRIPT: &str = "trap '' INT TERM HUP
cat >/dev/null
file=\"$1/data/postmaster.pid\"
pid=$(head -n 1 \"$file\" 2>/dev/null)
if [ -n \"$pid\" ]; then
  kill -QUIT \"$pid\" 2>/dev/null
  while [ -e \"$file\" ] && kill -0 \"$pid\" 2>/dev/null; do sleep 0.05; done
fi
rm -rf \"$1\"";

impl Keeper {
    /// The keeper of the server in this folder.
    pub(super) fn of(folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "keeper"]).arg(folder).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("a shell that keeps the server"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The pipe ends here, not with the wait.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
