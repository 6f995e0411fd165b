//! What a pipeline promises, shown one promise at a time over honest doubles and scripted faults.

mod bridge;
mod capture;
mod catalog;
mod counts;
mod detach;
mod fill;
mod folder;
mod groups;
mod holds;
mod instances;
mod lifecycle;
mod marks;
mod pushes;
mod rig;
mod slow_log;
mod state;
mod stores;
mod workload;
mod works;
