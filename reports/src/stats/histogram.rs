//! Distributions of latencies: microseconds, 1 us to 1 h, 3 significant digits.

mod encoded;

use crate::record::Interval;
use crate::stats::quantile_ranks;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use std::collections::BTreeMap;
use std::io::Write;

/// Longest latency that is told apart, microseconds.
const LONGEST: u64 = 3_600_000_000;

/// How a compressed histogram begins; the length of what follows stands behind it.
const COMPRESSED: u32 = 0x1c84_9314;

/// Quantiles that every distribution tells.
const TOLD: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// A distribution.
#[derive(Debug, Clone)]
pub struct Histogram {
    inner: hdrhistogram::Histogram<u64>,
}

/// A text that is no histogram.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a histogram: {0}")]
pub struct BadHistogram(String);

impl Default for Histogram {
    fn default() -> Self {
        let inner = hdrhistogram::Histogram::new_with_bounds(1, LONGEST, 3);
        // These bounds and digits are valid by the library's own rules.
        Self { inner: inner.unwrap_or_else(|_| unreachable!("constant bounds")) }
    }
}

impl Histogram {
    /// Adds one value; what is longer than an hour counts as an hour.
    pub fn record(&mut self, micros: u64) {
        self.inner.saturating_record(micros.max(1));
    }

    /// Adds all values of another.
    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.inner.add(&other.inner);
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.inner.len()
    }

    /// Mean, microseconds.
    pub fn mean(&self) -> f64 {
        self.inner.mean()
    }

    /// Largest value, microseconds.
    pub fn max(&self) -> u64 {
        if self.count() == 0 { 0 } else { self.inner.max() }
    }

    /// Nearest rank: the smallest value with at least this share of all at or below it. 0 without values.
    pub fn quantile(&self, quantile: f64) -> u64 {
        if self.count() == 0 { 0 } else { self.inner.value_at_quantile(quantile).min(self.max()) }
    }

    /// The value of the `rank`-th smallest, from 1.
    pub fn at_rank(&self, rank: u64) -> u64 {
        self.quantile(rank as f64 / self.count().max(1) as f64)
    }

    /// 95 % interval of a quantile by order statistics, microseconds. None: too few values.
    pub fn quantile_interval(&self, quantile: f64) -> Option<Interval> {
        let (low, high) = quantile_ranks(self.count(), quantile)?;
        Some(Interval { low: self.at_rank(low) as f64, high: self.at_rank(high) as f64 })
    }

    /// The quantiles that every report tells.
    pub fn told(&self) -> BTreeMap<String, u64> {
        TOLD.iter().map(|(name, quantile)| ((*name).to_owned(), self.quantile(*quantile))).collect()
    }

    /// `HdrHistogram` V2, base64.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::new();
        // Writing to memory fails for counts beyond what any run reaches.
        let _ = V2Serializer::new().serialize(&self.inner, &mut bytes);
        STANDARD.encode(bytes)
    }

    /// Reads what [`Histogram::encode`] has written.
    pub fn decode(text: &str) -> Result<Self, BadHistogram> {
        let mut histogram = Self::default();
        histogram.add_encoded(text)?;
        Ok(histogram)
    }

    /// What [`Histogram::encode`] has written, compressed, as logs hold it. It is not unfolded in between: an hour has thousands of them.
    pub fn compressed(text: &str) -> Result<String, BadHistogram> {
        let plain = STANDARD.decode(text).map_err(|error| BadHistogram(error.to_string()))?;
        encoded::counts(&plain).ok_or_else(|| BadHistogram("not one of ours".to_owned()))?;
        let mut bytes = COMPRESSED.to_be_bytes().to_vec();
        bytes.extend_from_slice(&[0; 4]);
        let mut encoder = ZlibEncoder::new(bytes, Compression::fast());
        let written = encoder.write_all(&plain).and_then(|()| encoder.finish());
        let mut bytes = written.map_err(|error| BadHistogram(error.to_string()))?;
        let length = bytes.len() as u32 - 8;
        bytes[4..8].copy_from_slice(&length.to_be_bytes());
        Ok(STANDARD.encode(bytes))
    }

    /// Adds all values of what [`Histogram::encode`] has written.
    pub fn add_encoded(&mut self, text: &str) -> Result<(), BadHistogram> {
        let bytes = STANDARD.decode(text).map_err(|error| BadHistogram(error.to_string()))?;
        if let Some(counts) = encoded::counts(&bytes) {
            for one in counts {
                let (value, count) = one.map_err(|_| BadHistogram("cut, or too many slots".to_owned()))?;
                self.inner.saturating_record_n(value, count);
            }
            return Ok(());
        }
        let inner: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| BadHistogram(format!("{error:?}")))?;
        self.inner.add(&inner).map_err(|error| BadHistogram(format!("{error:?}")))
    }

    /// Buckets with values, as their highest value (microseconds) and count.
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        self.inner
            .iter_recorded()
            .map(|value| (value.value_iterated_to(), value.count_since_last_iteration()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    #[test]
    fn percentiles_are_nearest_ranks_and_never_beyond_the_largest() {
        let histogram = of(1..=100);
        assert_eq!([0.5, 0.9, 0.99, 1.0].map(|quantile| histogram.quantile(quantile)), [50, 90, 99, 100]);
        assert_eq!(of([123_457]).quantile(0.5), of([123_457]).max());
        assert_eq!(Histogram::default().quantile(0.99), 0);
    }

    #[test]
    fn what_is_encoded_is_read_back_bucket_by_bucket_and_two_can_be_added() {
        let (one, two) = (of((1..2000).map(|value| value * 37)), of([5, 5_000_000_000]));
        let mut sum = Histogram::decode(&one.encode()).unwrap();
        assert_eq!(sum.buckets(), one.buckets());
        sum.add(&two);
        assert_eq!(sum.count(), one.count() + 2);
        assert!(Histogram::decode("no histogram").is_err());
    }

    fn by_the_library(text: &str) -> Histogram {
        let bytes = STANDARD.decode(text).unwrap();
        Histogram { inner: Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap() }
    }

    proptest! {
        #[test]
        fn every_histogram_reads_as_the_library_reads_it(values in prop::collection::vec((0..32u32, any::<u64>()), 0..200)) {
            let histogram = of(values.into_iter().map(|(digits, value)| value >> (32 + digits)));
            let text = histogram.encode();
            let (read, other) = (Histogram::decode(&text).unwrap(), by_the_library(&text));
            prop_assert_eq!(read.buckets(), other.buckets());
            prop_assert_eq!((read.count(), read.max()), (other.count(), other.max()));
            prop_assert_eq!(read.told(), other.told());
        }

        #[test]
        fn damaged_histograms_are_errors_or_histograms(at in 0..200usize, byte: u8, kept in 0..200usize) {
            let mut bytes = STANDARD.decode(of((1..300).map(|value| value * 997)).encode()).unwrap();
            let place = at % bytes.len();
            bytes[place] = byte;
            bytes.truncate(kept.max(1));
            let _ = Histogram::decode(&STANDARD.encode(bytes));
        }
    }
}
