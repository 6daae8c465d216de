//! Pictures, from the record alone. SVG with presentation attributes only, so that a page may forbid styles; PNG from the same SVG.

mod healing;
mod latency;
mod palette;
mod png;
mod sweep;

pub use healing::healing;
pub use latency::latency;
pub use png::png;
pub use sweep::sweep;

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chart.
    #[error("a chart could not be drawn: {0}")]
    Chart(String),
    /// The picture.
    #[error("a picture could not be made: {0}")]
    Picture(String),
}

/// Text that is safe in SVG.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
