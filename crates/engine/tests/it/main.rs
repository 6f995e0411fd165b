//! What a pipeline promises, shown one promise at a time over honest doubles and scripted faults.

mod capture;
mod groups;
mod lifecycle;
mod rig;
mod slow_log;
