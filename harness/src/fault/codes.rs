//! The codes by which calls and streams fail, under the names that their standards give them.

use schemars::JsonSchema;
use serde::Deserialize;

/// A status of gRPC that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are gRPC's")]
pub enum GrpcStatus {
    Cancelled = 1,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

/// The code with which a stream of HTTP/2 is reset (RFC 9113, 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are HTTP/2's")]
pub enum StreamError {
    NoError = 0,
    ProtocolError = 1,
    InternalError = 2,
    FlowControlError = 3,
    RefusedStream = 7,
    Cancel = 8,
    EnhanceYourCalm = 11,
}
