//! PostgreSQL in the program: its configuration, and what commands say of a real server.

mod configured;
mod copies;
mod doctor;
mod init;
mod outbox;
mod pooler;
mod rights;
mod seen;
mod shards;
mod source;
mod storm;
mod storm_copies;
mod two_instances;
