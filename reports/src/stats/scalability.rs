//! Gunther's Universal Scalability Law: how throughput grows with load, and from which load on it falls.
//!
//! X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1)) (N. Gunther, Guerrilla Capacity Planning, 2007). It is fitted by least squares on the throughput, as the R
//! package `usl` does, with alpha and beta not below 0.

mod fit;

use fit::Curve;

/// Different loads without which nothing is said: three coefficients fit any three points.
pub const LEAST_LOADS: usize = 4;

/// A measured point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// N: connections, workers, instances; above 0.
    pub load: f64,
    /// X, in any unit a second; not negative.
    pub throughput: f64,
}

/// The law as fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scalability {
    /// Contention: the share of the work that stands in a queue for something shared. 0 and more.
    pub alpha: f64,
    /// Coherence: the cost of agreement between each two, as a share. 0 and more.
    pub beta: f64,
    /// Throughput at a load of 1, in the unit of the points.
    pub gamma: f64,
    /// Share of the throughput's variance that the law explains; 1 is all, below 0 it is worse than a constant. None: all throughputs are equal.
    pub r_squared: Option<f64>,
    /// Where throughput is largest.
    pub knee: Knee,
}

/// Where throughput is largest: N* = sqrt((1 - alpha) / beta).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Knee {
    /// Between the smallest and the largest load that was measured.
    Measured(Peak),
    /// Beyond the largest load: a guess, as nothing was measured there.
    Beyond(Peak),
    /// Below the smallest load: throughput falls over all that was measured.
    Below,
    /// Nowhere: without coherence cost throughput rises towards gamma / alpha, or without end.
    Nowhere,
}

/// The top of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// N*, in the unit of the loads.
    pub load: f64,
    /// X(N*), in the unit of the throughputs.
    pub throughput: f64,
}

/// Why there is no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// So few different loads were measured.
    #[error("{0} different loads; the scalability law needs {LEAST_LOADS}")]
    TooFewLoads(usize),
    /// A point is no measurement.
    #[error("point {0} has a load that is not above 0 or a throughput below 0, or one that is no number")]
    NotMeasured(usize),
    /// No throughput at all, or magnitudes that cannot be reckoned with.
    #[error("no curve of the scalability law fits these throughputs")]
    NoCurve,
}

impl Scalability {
    /// Throughput at a load, in the unit of the points.
    pub fn throughput(&self, load: f64) -> f64 {
        self.gamma * load / (1.0 + self.alpha * (load - 1.0) + self.beta * load * (load - 1.0))
    }
}

/// Fits the law. Several points of one load are welcome.
pub fn scalability(points: &[Point]) -> Result<Scalability, Unfit> {
    let measured = |point: &Point| {
        point.load > 0.0 && point.load.is_finite() && point.throughput >= 0.0 && point.throughput.is_finite()
    };
    if let Some(at) = points.iter().position(|point| !measured(point)) {
        return Err(Unfit::NotMeasured(at));
    }
    let mut loads: Vec<f64> = points.iter().map(|point| point.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    if loads.len() < LEAST_LOADS {
        return Err(Unfit::TooFewLoads(loads.len()));
    }
    let Curve { alpha, beta, gamma } = fit::fit(points).ok_or(Unfit::NoCurve)?;
    let mut law = Scalability { alpha, beta, gamma, r_squared: None, knee: Knee::Nowhere };
    law.r_squared = r_squared(&law, points);
    law.knee = knee(&law, loads[0], loads[loads.len() - 1]);
    Ok(law)
}

fn r_squared(law: &Scalability, points: &[Point]) -> Option<f64> {
    let mean = points.iter().map(|point| point.throughput).sum::<f64>() / points.len() as f64;
    let all: f64 = points.iter().map(|point| (point.throughput - mean).powi(2)).sum();
    let left: f64 = points.iter().map(|point| (point.throughput - law.throughput(point.load)).powi(2)).sum();
    Some(1.0 - left / all).filter(|share| share.is_finite())
}

fn knee(law: &Scalability, smallest: f64, largest: f64) -> Knee {
    let load = ((1.0 - law.alpha).max(0.0) / law.beta).sqrt();
    let peak = Peak { load, throughput: law.throughput(load) };
    match load {
        // More contention than work: it falls from the start, whatever beta is.
        _ if law.alpha > 1.0 => Knee::Below,
        // Without coherence cost, or with so little that it is none.
        load if !load.is_finite() => Knee::Nowhere,
        load if load < smallest => Knee::Below,
        load if load > largest => Knee::Beyond(peak),
        _ => Knee::Measured(peak),
    }
}

#[cfg(test)]
mod tests;
