//! Tables of a real server looked at in order to be compared.

mod asks;
mod conditions;
mod faults;
mod groups;
mod keys;
mod kinds;
mod looks;
mod marks;
mod ranges;
