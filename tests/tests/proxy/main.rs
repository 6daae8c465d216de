//! The data plane over real sockets: each test names a rule of Istio, Envoy or HTTP that it holds to.

mod admin;
mod beyond;
mod changes;
mod connections;
mod drains;
mod explained;
mod files;
mod foreign;
mod health;
mod hedging;
mod http2;
mod identities;
mod keepalive;
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
mod tracing;
mod tunnels;
mod warming;
