//! Single keys of a terminal, without the return key; as long as they are listened to, the terminal
//! does not show them.

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::{self, IsTerminal, Read};
use std::thread;
use tokio::sync::mpsc::{Receiver, channel};

/// The keys of the terminal that the demo was started from.
#[derive(Debug)]
pub(super) struct Keys {
    before: Termios,
    pressed: Receiver<u8>,
}

/// How many keys are remembered until they are looked at.
const KEYS_MAX: usize = 16;

impl Keys {
    /// From now on keys are noticed; nothing where nobody could press any.
    pub(super) fn listen() -> Option<Self> {
        let input = io::stdin();
        // To change the terminal of others would stop the process.
        let is_ours = input.is_terminal() && tcgetpgrp(&input).ok()? == getpgrp();
        if !is_ours {
            return None;
        }
        let before = tcgetattr(&input).ok()?;
        let mut single = before.clone();
        // Signals stay: an interrupt is one.
        single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &single).ok()?;
        let (sender, pressed) = channel(KEYS_MAX);
        // Ends with the process: a read of a terminal can not be called off.
        let read = move || {
            for key in io::stdin().lock().bytes().map_while(Result::ok) {
                // Whoever presses more than can be done loses some.
                let _ = sender.try_send(key);
            }
        };
        let keys = Self { before, pressed };
        thread::Builder::new().name("keys".to_owned()).spawn(read).ok()?;
        Some(keys)
    }

    /// The next key that was pressed.
    pub(super) fn next(&mut self) -> Option<u8> {
        self.pressed.try_recv().ok()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
