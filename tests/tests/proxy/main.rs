//! The data plane over real sockets: each test names a rule of Istio, Envoy or HTTP that it holds to.

mod connections;
mod foreign;
mod health;
mod limits;
mod operation;
mod retries;
mod routing;
mod timeouts;
