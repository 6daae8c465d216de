//! Least squares by Levenberg and Marquardt, started from the law's linearised form.

use super::Point;

/// The law's coefficients.
pub(super) struct Curve {
    pub(super) alpha: f64,
    pub(super) beta: f64,
    pub(super) gamma: f64,
}

/// Steps of the search, at most; a handful is usual.
const STEPS: usize = 500;

/// The law as N / X = c0 + c1 (N - 1) + c2 N (N - 1), in which it is linear: gamma = 1 / c0, alpha = c1 / c0, beta = c2 / c0. Loads and throughputs are shares of
/// their largest, so that all three are of one size.
type Coefficients = [f64; 3];

struct Problem {
    /// 1, N - 1 and N (N - 1) of each point, scaled.
    bases: Vec<[f64; 3]>,
    loads: Vec<f64>,
    throughputs: Vec<f64>,
}

/// The best curve with alpha and beta not below 0. Where the free minimum has one below, the best lies on an edge, where that one is 0.
pub(super) fn fit(points: &[Point]) -> Option<Curve> {
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let (n, x) = (most(|point| point.load), most(|point| point.throughput));
    let basis = |point: &Point| [1.0, (point.load - 1.0) / n, point.load / n * ((point.load - 1.0) / n)];
    let problem = Problem {
        bases: points.iter().map(basis).collect(),
        loads: points.iter().map(|point| point.load / n).collect(),
        throughputs: points.iter().map(|point| point.throughput / x).collect(),
    };
    let models = [[true; 3], [true, true, false], [true, false, true], [true, false, false]];
    let fits = models.into_iter().filter_map(|free| problem.minimum(free));
    let allowed = fits.filter(|(c, _)| c[0] > 0.0 && c[1] >= 0.0 && c[2] >= 0.0);
    let (c, _) = allowed.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    // Undoes the scaling: c0 is in largest loads a largest throughput, the others in further loads.
    let curve = Curve { alpha: c[1] / c[0] / n, beta: c[2] / c[0] / n / n, gamma: x / n / c[0] };
    [curve.alpha, curve.beta, curve.gamma].iter().all(|value| value.is_finite()).then_some(curve)
}

impl Problem {
    /// The minimum over the free coefficients, the others being 0, and its sum of squares.
    fn minimum(&self, free: [bool; 3]) -> Option<(Coefficients, f64)> {
        let mut best = self.start(free)?;
        let mut least = self.squares(&best)?;
        let mut damping = 1e-3;
        for _ in 0..STEPS {
            let (mut normal, mut gradient) = ([[0.0; 3]; 3], [0.0; 3]);
            for ((basis, load), measured) in self.bases.iter().zip(&self.loads).zip(&self.throughputs) {
                let modelled = load / dot(&best, basis);
                // The slope of load / (c . basis).
                let slope = -modelled * modelled / load;
                accumulate(&mut normal, &mut gradient, basis, slope, (measured - modelled) * slope);
            }
            (0..3).for_each(|k| normal[k][k] *= 1.0 + damping);
            let next = solve(normal, gradient, free).map(|step| [0, 1, 2].map(|k| best[k] + step[k]));
            match next.and_then(|next| Some((next, self.squares(&next)?))) {
                Some((next, squares)) if squares < least => {
                    (best, least) = (next, squares);
                    damping = f64::max(damping / 10.0, 1e-15);
                }
                _ if damping > 1e15 => break,
                _ => damping *= 10.0,
            }
        }
        Some((best, least))
    }

    /// Least squares on N / X, weighted by X^2 / N as far as that undoes the change of scale; points without throughput have no place in it.
    fn start(&self, free: [bool; 3]) -> Option<Coefficients> {
        let (mut normal, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
        for ((basis, load), measured) in self.bases.iter().zip(&self.loads).zip(&self.throughputs) {
            let weight = measured * measured / load;
            accumulate(
                &mut normal,
                &mut right,
                basis,
                weight,
                weight * load / measured.max(f64::MIN_POSITIVE) * weight,
            );
        }
        let linear = solve(normal, right, free).filter(|c| self.squares(c).is_some());
        // Where that has a pole among the points, a straight line is a start as good as any.
        linear.or_else(|| Some([1.0, 0.0, 0.0]).filter(|c| self.squares(c).is_some()))
    }

    /// Sum of squares of what the curve leaves. None: it has a pole among the points.
    fn squares(&self, c: &Coefficients) -> Option<f64> {
        let points = self.bases.iter().zip(&self.loads).zip(&self.throughputs);
        let mut sum = 0.0;
        for ((basis, load), measured) in points {
            let per_throughput = dot(c, basis);
            if per_throughput <= 0.0 {
                return None;
            }
            sum += (measured - load / per_throughput).powi(2);
        }
        Some(sum).filter(|sum| sum.is_finite())
    }
}

fn dot(one: &[f64; 3], other: &[f64; 3]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// Adds one point to the normal equations: its basis times its slope, against its target.
fn accumulate(normal: &mut [[f64; 3]; 3], right: &mut [f64; 3], basis: &[f64; 3], slope: f64, target: f64) {
    for row in 0..3 {
        for column in 0..3 {
            normal[row][column] += basis[row] * slope * basis[column] * slope;
        }
        right[row] += basis[row] * target;
    }
}

/// Solves the equations of the free unknowns by elimination with the largest pivot; the others are 0. None: no single solution.
fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3], free: [bool; 3]) -> Option<[f64; 3]> {
    for fixed in (0..3).filter(|k| !free[*k]) {
        (0..3).for_each(|k| (matrix[k][fixed], matrix[fixed][k]) = (0.0, 0.0));
        (matrix[fixed][fixed], right[fixed]) = (1.0, 0.0);
    }
    for column in 0..3 {
        let pivot =
            (column..3).max_by(|one, other| matrix[*one][column].abs().total_cmp(&matrix[*other][column].abs()))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..3 {
            let factor = matrix[row][column] / matrix[column][column];
            (column..3).for_each(|k| matrix[row][k] -= factor * matrix[column][k]);
            right[row] -= factor * right[column];
        }
    }
    let mut solution = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|k| matrix[row][k] * solution[k]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}
