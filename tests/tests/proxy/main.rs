//! The data plane over real sockets: each test names a rule of Istio, Envoy or HTTP that it holds to.

mod admin;
mod beyond;
mod changes;
mod connections;
mod explained;
mod files;
mod foreign;
mod gateway_api;
mod health;
mod hedging;
mod http2;
mod identities;
mod limits;
mod operation;
mod rate_limits;
mod reloads;
mod retries;
mod routing;
mod sides;
mod stream_age;
mod timeouts;
mod tls;
mod tunnels;
mod warming;
mod workloads;
