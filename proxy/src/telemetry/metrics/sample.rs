//! Numbers added up, with their names in Envoy's words and in Prometheus'.

use super::histogram::Summary;
use crate::telemetry::escape;

/// One number or histogram.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// `cluster.cart.upstream_rq_503`.
    pub name: String,
    /// `envoy_cluster_upstream_rq`.
    pub family: String,
    /// `envoy_response_code="503",envoy_cluster_name="cart"`.
    pub labels: String,
    /// How much.
    pub value: Value,
}

/// How much.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// It only grows.
    Counter(u64),
    /// It is so now.
    Gauge(u64),
    /// Many values.
    Histogram(Box<Summary>),
}

impl Sample {
    /// A number of this process as a whole: `access_log.lines_lost`.
    pub(crate) fn of_process(name: &str, value: Value) -> Self {
        Self { name: name.to_owned(), family: sanitized(&format!("envoy_{name}")), labels: String::new(), value }
    }
}

impl Value {
    /// True if anything was ever counted; a gauge, if it is not 0.
    pub(crate) fn is_used(&self) -> bool {
        match self {
            Self::Counter(value) | Self::Gauge(value) => *value > 0,
            Self::Histogram(summary) => summary.count() > 0,
        }
    }
}

/// Samples of one cluster, listener, …, as they are put together.
pub(super) struct Scope<'a> {
    samples: &'a mut Vec<Sample>,
    /// `cluster.cart.`.
    prefix: String,
    /// `envoy_cluster_`.
    family: String,
    /// `envoy_cluster_name="cart"`.
    label: String,
}

impl<'a> Scope<'a> {
    /// Of a kind and a name: `cluster`, `cart`; and the label that says the name: `envoy_cluster_name`.
    pub(super) fn new(samples: &'a mut Vec<Sample>, kind: &str, name: &str, label: &str) -> Self {
        // Envoy keeps colons for itself.
        let name = name.replace(':', "_");
        let (prefix, family) = (format!("{kind}.{name}."), format!("envoy_{kind}_"));
        Self { samples, prefix, family, label: pair(label, &name) }
    }

    /// `cart.http_local_rate_limit.`: the name comes first.
    pub(super) fn behind(samples: &'a mut Vec<Sample>, kind: &str, name: &str, label: &str) -> Self {
        let scope = Self::new(samples, kind, name, label);
        let prefix = format!("{}.{kind}.", name.replace(':', "_"));
        Self { prefix, ..scope }
    }

    /// A number that only grows.
    pub(super) fn counter(&mut self, name: &str, value: u64) {
        self.push(name, name, String::new(), Value::Counter(value));
    }

    /// A number that is so now.
    pub(super) fn gauge(&mut self, name: &str, value: u64) {
        self.push(name, name, String::new(), Value::Gauge(value));
    }

    /// Many values.
    pub(super) fn histogram(&mut self, name: &str, summary: Summary) {
        self.push(name, name, String::new(), Value::Histogram(Box::new(summary)));
    }

    /// Answers of one status: `upstream_rq` and 503 are `upstream_rq_503`.
    pub(super) fn status(&mut self, name: &str, status: u64, value: u64) {
        let label = pair("envoy_response_code", &status.to_string());
        self.push(&format!("{name}_{status}"), name, label, Value::Counter(value));
    }

    /// Answers of one class: `upstream_rq` and 5 are `upstream_rq_5xx`.
    pub(super) fn class(&mut self, name: &str, class: usize, value: u64) {
        let label = pair("envoy_response_code_class", &class.to_string());
        self.push(&format!("{name}_{class}xx"), &format!("{name}_xx"), label, Value::Counter(value));
    }

    fn push(&mut self, name: &str, family: &str, mut labels: String, value: Value) {
        let name = format!("{}{name}", self.prefix);
        let family = sanitized(&format!("{}{family}", self.family));
        if !labels.is_empty() {
            labels.push(',');
        }
        labels.push_str(&self.label);
        self.samples.push(Sample { name, family, labels, value });
    }
}

/// `name="value"`.
pub(super) fn pair(name: &str, value: &str) -> String {
    let mut text = format!("{name}=\"");
    escape::label(value, &mut text);
    text.push('"');
    text
}

/// Prometheus takes letters, digits and `_`.
fn sanitized(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
