//! Kubernetes' Gateway API: its routes become those of Istio, and its gateways too.

mod backend;
mod filter;
mod gateway;
mod grpc_route;
mod http_route;
mod order;
mod parent;
mod value;

pub(super) use gateway::gateway;
pub(super) use grpc_route::grpc_route;
pub(super) use http_route::http_route;
pub use order::precedence;
