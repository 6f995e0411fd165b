//! What is done to the program and to the files around it, and what has to hold all the same.

mod data_dir;
mod full_disk;
mod killed;
mod lost_source;
mod raw_text;
mod school;
mod stopped;
mod syncs;
mod target_file;
mod touched_source;
mod transfers;
mod two_insteps;
mod writer;
