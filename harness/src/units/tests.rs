use super::{ByteRate, Bytes, Percent, Rate, TimeSpan};
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn quantities_are_read_with_their_unit() {
    let nanos = |text: &str| text.parse::<TimeSpan>().map(|span| span.0.as_nanos()).ok();
    for (text, expected) in [
        ("5s", Some(5_000_000_000)),
        ("1.5s", Some(1_500_000_000)),
        ("0.25ms", Some(250_000)),
        ("200us", Some(200_000)),
        ("2m", Some(120_000_000_000)),
        ("1h", Some(3_600_000_000_000)),
        ("0.50s", Some(500_000_000)),
        ("0ms", Some(0)),
        ("5", None),
        ("5 s", None),
        (".5s", None),
        ("5.s", None),
        ("-5s", None),
        ("1e3s", None),
        ("1.5ns", None),
        ("99999999999999999999s", None),
        ("5sec", None),
        ("", None),
    ] {
        assert_eq!(nanos(text), expected, "{text}");
    }
    assert_eq!("500/s".parse(), Ok(Rate(500.0)));
    assert!("500".parse::<Rate>().is_err());
    assert!("1k/s".parse::<Rate>().is_err());
    assert_eq!("0.1%".parse(), Ok(Percent(0.1)));
    assert!("101%".parse::<Percent>().is_err());
    assert_eq!("1KB".parse(), Ok(Bytes(1_000)));
    assert_eq!("1.5KiB".parse(), Ok(Bytes(1_536)));
    assert!("1kb".parse::<Bytes>().is_err());
    assert_eq!("64KB/s".parse(), Ok(ByteRate(64_000)));
}

#[test]
fn durations_are_printed_shortly() {
    for (nanos, expected) in [
        (0, "0s"),
        (7_500_000_000, "7.5s"),
        (500_000_000, "500ms"),
        (90_000_000_000, "90s"),
        (120_000_000_000, "2m"),
        (1_234_500, "1234.5us"),
        (1_234_567, "1234.567us"),
        (1_050_000, "1.05ms"),
    ] {
        assert_eq!(TimeSpan(Duration::from_nanos(nanos)).to_string(), expected);
    }
}

#[test]
fn an_error_says_what_was_given_and_what_was_expected() {
    let error = "5".parse::<TimeSpan>().unwrap_err();
    assert_eq!(error.to_string(), "`5` is not a duration such as `5s`, `20ms` or `1.5s`");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_unchanged(number in 0.0..1e12_f64, share in 0.0..=100.0_f64, whole in any::<u64>()) {
        prop_assert_eq!(Rate(number).to_string().parse(), Ok(Rate(number)));
        prop_assert_eq!(Percent(share).to_string().parse(), Ok(Percent(share)));
        prop_assert_eq!(Bytes(whole).to_string().parse(), Ok(Bytes(whole)));
        prop_assert_eq!(ByteRate(whole).to_string().parse(), Ok(ByteRate(whole)));
        let span = TimeSpan(Duration::from_nanos(whole));
        prop_assert_eq!(span.to_string().parse(), Ok(span));
    }

    #[test]
    fn no_text_makes_a_quantity_panic(text in "\\PC*") {
        let _ = (text.parse::<Rate>(), text.parse::<Percent>(), text.parse::<Bytes>(), text.parse::<TimeSpan>());
    }
}
