//! The data plane over real sockets: each test names a rule of Istio, Envoy or HTTP that it holds to.

mod admin;
mod connections;
mod foreign;
mod health;
mod http2;
mod limits;
mod operation;
mod retries;
mod routing;
mod sides;
mod timeouts;
mod tls;
mod tunnels;
