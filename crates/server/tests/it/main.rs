//! What the interface promises, over real connections to works over memory systems.

mod auth;
mod client;
mod counts;
mod failures;
mod fuzz;
mod hostile;
mod limits;
mod logs;
mod metrics;
mod openapi;
mod rig;
mod site;
mod status;
mod tls;
