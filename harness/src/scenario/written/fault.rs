//! Faults: a kind, what it strikes, and when.

use super::{Pick, Placed, Reserved, Struck};
use crate::fault::codes::{GrpcStatus, StreamError};
use crate::fault::spec::{AbortPlace, Direction, Part, Probes, Side, Spread, Unit};
use crate::units::{ByteRate, Bytes, Percent, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// What breaks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Holds each unit back.
    Latency(Latency),
    /// Answers in place of the instance.
    Abort(Abort),
    /// Resets the connection.
    Reset(Reset),
    /// Closes the connection amid the answer.
    Truncate(Truncate),
    /// New connections are refused, open ones reset.
    Refuse(Refuse),
    /// Refuses and serves in turn.
    Flap(Flap),
    /// New connections are made, and nobody reads them.
    AcceptStall(AcceptStall),
    /// Connections beyond a number are reset.
    ConnectionLimit(ConnectionLimit),
    /// Requests are passed on, the answer never comes.
    Hang(Hang),
    /// Nothing passes, nothing is closed.
    Blackhole(Blackhole),
    /// Bytes pass at a limited rate.
    Bandwidth(Bandwidth),
    /// Bytes pass in small pieces.
    Slicer(Slicer),
    /// The body of an answer comes in small pieces.
    Drip(Drip),
    /// What one side closes is closed towards the other later.
    SlowClose(SlowClose),
    /// Bits of the answer's body are flipped.
    Corrupt(Corrupt),
    /// Fields of a request or an answer are changed.
    Rewrite(Rewrite),
    /// The trailers of an answer are taken away.
    LoseTrailers(LoseTrailers),
    /// A limping instance: some of its requests are slow.
    Degrade(Degrade),
    /// The more requests are open, the slower it is.
    Overload(Overload),
    /// The process is killed (SIGKILL).
    Kill(Kill),
    /// The process is stopped (SIGSTOP) and goes on at the end (SIGCONT).
    Pause(Pause),
    /// The process is told to end (SIGTERM), and killed if it does not.
    Terminate(Terminate),
    /// The process is killed, and each that takes its place.
    CrashLoop(CrashLoop),
    /// The process can open no more descriptors, or have no more memory, than so.
    Limit(Limit),
    /// The proxies are told that the instance is not there.
    Unlist(Unlist),
    /// What the proxies are told of the instance stays as it is.
    Stale(Stale),
    /// The proxies are told that the instance is where nobody listens.
    Misdirect(Misdirect),
    /// Not obeyed yet.
    Partition(Reserved),
    /// Not obeyed yet.
    Loss(Reserved),
}

/// What every kind of fault has.
#[derive(Debug, Clone)]
pub struct Aim {
    /// What it strikes.
    pub target: Placed<Struck>,
    /// From the start of the phase.
    pub at: Option<Placed<TimeSpan>>,
    /// How long.
    pub lasting: Option<Placed<TimeSpan>>,
    /// On and off in turn.
    pub pulse: Option<Placed<Pulse>>,
    /// Until it has its full strength.
    pub ramp: Option<Placed<TimeSpan>>,
}

/// Which units a fault in the way to an instance takes.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What is counted and taken.
    pub unit: Option<Placed<Unit>>,
    /// Which of the matching units.
    pub pick: Option<Placed<Pick>>,
    /// Which units match.
    pub matching: Option<Placed<Match>>,
    /// Which connections.
    pub connections: Option<Which>,
    /// Which way bytes pass that it acts on.
    pub direction: Option<Placed<Direction>>,
    /// Where on the way it sits.
    pub behind: Option<Placed<Behind>>,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })?)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            /// What it strikes: `cart` (all instances), `cart/2`, `cart/1..3`, `cart@v2`; `zone:a`, all that is in a zone; or `proxy of cart/2`, its sidecar.
            pub target: Placed<Struck>,
            $($($(#[$field_doc])* pub $field: $type,)+)?
            /// From the start of the phase.
            pub at: Option<Placed<TimeSpan>>,
            /// How long; to the end of the phase where it is not said.
            pub r#for: Option<Placed<TimeSpan>>,
            /// What is counted and taken: `request` or `connection`.
            pub unit: Option<Placed<Unit>>,
            /// Which of them: `30%` (exactly so many, drawn from the seed), `every 3rd`, `first 10`, `attempt 1`; all where it is not said.
            pub pick: Option<Placed<Pick>>,
            /// Which requests may be taken at all.
            pub r#match: Option<Placed<Match>>,
            /// `all` takes open connections too, `new` leaves them alone; `all` where it is not said.
            pub connections: Option<Which>,
            /// Which way bytes pass that it acts on: `client-to-server`, `server-to-client` or `both`.
            pub direction: Option<Placed<Direction>>,
            /// `sidecar`: between the proxy beside the instance and the instance, instead of in front of both.
            pub behind: Option<Placed<Behind>>,
            /// On and off in turn: `{active: 2s, idle: 3s}`.
            pub pulse: Option<Placed<Pulse>>,
            /// It grows to its full strength in so long: a delay in length, a percentage of `pick` in share.
            pub ramp: Option<Placed<TimeSpan>>,
        }

        impl $name {
            /// What every kind has.
            pub fn aim(&self) -> Aim {
                Aim { target: self.target.clone(), at: self.at, lasting: self.r#for, pulse: self.pulse, ramp: self.ramp }
            }

            /// Which units it takes.
            pub fn selection(&self) -> Selection {
                Selection {
                    unit: self.unit,
                    pick: self.pick,
                    matching: self.r#match.clone(),
                    connections: self.connections,
                    direction: self.direction,
                    behind: self.behind,
                }
            }
        }
    )+};
}

faults! {
    /// Holds each unit back.
    Latency {
        /// The middle of the delay; for `pareto` the least.
        base: TimeSpan,
        /// How far it strays; not at all where it is not said.
        jitter: Option<TimeSpan>,
        /// How it strays: `normal`, `uniform` or `pareto`; `normal` where it is not said.
        distribution: Option<Spread>,
        /// How much of a unit's straying the next one has too; none where it is not said.
        correlation: Option<Percent>,
        /// What is held: the `request`, the `body` of its answer, or each of its `pieces`; the `request` where it is not said.
        part: Option<Placed<Part>>,
    }
    /// Answers in place of the instance.
    Abort {
        /// The status.
        status: Option<Placed<u16>>,
        /// Or a status of gRPC, such as `unavailable`.
        grpc_status: Option<Placed<GrpcStatus>>,
        /// Or, over HTTP/2, the code with which the stream is reset, such as `refused-stream`; over HTTP/1 the connection is.
        rst_stream: Option<Placed<StreamError>>,
        /// Or the request is answered, and the connection takes no more behind it.
        goaway: Option<Placed<bool>>,
        /// `before` the instance has seen the request, or `after` it has answered; `before` where it is not said.
        place: Option<AbortPlace>,
        /// Told the client as `retry-after`, in whole seconds.
        retry_after: Option<Placed<TimeSpan>>,
        /// The body: with `status: 200`, an error inside of an answer that looks well.
        body: Option<Placed<String>>,
    }
    /// Resets the connection.
    Reset {
        /// Bytes of the answer that pass first; none where it is not said.
        after_bytes: Option<Bytes>,
        /// Or so long after the connection was taken; with `unit: connection`.
        after: Option<Placed<TimeSpan>>,
    }
    /// Closes the connection amid the answer.
    Truncate {
        /// Bytes of the body that pass first; none where it is not said.
        after_bytes: Option<Bytes>,
    }
    /// New connections are refused, open ones reset.
    Refuse
    /// Refuses and serves in turn.
    Flap {
        /// So long it refuses, which it begins with.
        down: Placed<TimeSpan>,
        /// So long it serves.
        up: Placed<TimeSpan>,
    }
    /// New connections are made, and nobody reads them.
    AcceptStall
    /// Connections beyond a number are reset as soon as they are made.
    ConnectionLimit {
        /// So many may be open.
        most: u32,
    }
    /// Requests are passed on, the answer never comes.
    Hang
    /// Nothing passes, nothing is closed.
    Blackhole {
        /// But the connection is closed so long after it was taken; never where it is not said.
        close_after: Option<TimeSpan>,
    }
    /// Bytes of each connection and direction pass at a limited rate.
    Bandwidth {
        /// The rate, such as `64KB/s`.
        rate: Placed<ByteRate>,
    }
    /// Bytes of each direction pass in small pieces.
    Slicer {
        /// Bytes of a piece.
        size: Placed<Bytes>,
        /// From one piece to the next.
        every: TimeSpan,
        /// Each piece is longer or shorter by up to so many bytes; by none where it is not said.
        stray: Option<Placed<Bytes>>,
    }
    /// The body of an answer comes in small pieces.
    Drip {
        /// Bytes of a piece; one where it is not said.
        size: Option<Placed<Bytes>>,
        /// From one piece to the next.
        every: TimeSpan,
    }
    /// What one side closes is closed towards the other later.
    SlowClose {
        /// By so much.
        by: TimeSpan,
    }
    /// Bits of the answer's body are flipped: one in its first byte, and one in each so many bytes behind it.
    Corrupt {
        /// Bytes from one flipped bit to the next; 1KiB where it is not said.
        every: Option<Placed<Bytes>>,
    }
    /// Fields of a request or an answer are changed.
    Rewrite {
        /// Whose: of the `request` or of the `answer`; of the `answer` where it is not said.
        of: Option<Side>,
        /// Fields that get a value in the place of what they had: `{cache-control: no-store}`.
        set: Option<Placed<std::collections::BTreeMap<String, String>>>,
        /// Fields that are taken away: `[etag]`.
        remove: Option<Placed<Vec<String>>>,
    }
    /// The trailers of an answer are taken away.
    LoseTrailers
    /// A limping instance: those of its requests that `pick` says are slow.
    Degrade {
        /// By so much.
        by: TimeSpan,
        /// How far it strays; not at all where it is not said.
        jitter: Option<TimeSpan>,
    }
    /// The more requests are open, the longer each is held.
    Overload {
        /// Requests that are served without; none where it is not said.
        free: Option<u32>,
        /// Delay for each that is open beyond that.
        each: TimeSpan,
    }
    /// The process is killed.
    Kill {
        /// `supervisor` starts it again by the kubelet's rules; otherwise it comes back when the fault ends.
        restart: Option<Restart>,
    }
    /// The process is told to end, and killed if it has not by then.
    Terminate {
        /// So long it may take; 30s where it is not said, as a pod's `terminationGracePeriodSeconds`.
        grace: Option<Placed<TimeSpan>>,
        /// `supervisor` starts it again by the kubelet's rules; otherwise it comes back when the fault ends.
        restart: Option<Restart>,
    }
    /// The process is killed, and each that takes its place; the last one stays.
    CrashLoop {
        /// So long each lives once it is ready.
        up: Placed<TimeSpan>,
    }
    /// The process is stopped, and goes on at the end.
    Pause
    /// The process can have no more of something than so; what it has already it keeps.
    Limit {
        /// Descriptors of files and sockets, such as `64`.
        descriptors: Option<Placed<u64>>,
        /// Address space, such as `256MB`: more than the memory that it uses.
        memory: Option<Placed<Bytes>>,
    }
    /// The proxies are told that the instance is not there; all of a service: its endpoints are empty.
    Unlist
    /// What the proxies are told of the instance stays as it is, as where the control plane cannot be reached: one that is gone stays listed.
    Stale
    /// The proxies are told that the instance is at an address where nobody listens.
    Misdirect
}

/// Who starts a killed process again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// The supervisor, by the kubelet's rules.
    Supervisor,
}

/// Which connections a fault takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Only those opened while it acts.
    New,
    /// Open ones too.
    All,
}

/// What a fault sits behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Behind {
    /// The proxy beside the instance.
    Sidecar,
}

/// Which requests may be taken.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Match {
    /// The method.
    pub method: Option<String>,
    /// The path: exact, or what it begins with where it ends in `*`.
    pub path: Option<Placed<String>>,
    /// One field and its value: `{x-user: ann}`.
    pub header: Option<Placed<std::collections::BTreeMap<String, String>>>,
    /// What of health checks and probes: `too` (they are requests like others), `only` or `never`; `too` where it is not said.
    pub probes: Option<Probes>,
}

/// On and off in turn.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pulse {
    /// So long it acts, which it begins with.
    pub active: TimeSpan,
    /// So long it rests.
    pub idle: TimeSpan,
}
