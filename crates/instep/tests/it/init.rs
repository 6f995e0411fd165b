//! `instep init` through the program: what it proposes is checked and run.

mod commands;
mod proposals;
