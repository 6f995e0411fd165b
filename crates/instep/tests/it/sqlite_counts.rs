//! Counts over SQLite files: what SQLite's own SQL says of the same rows is what they have to be.

mod edges;
mod places;
mod pushed;
mod random;
mod running;
mod values;
