//! PURE: amounts, as they are typed.

use std::time::Duration;

/// A time such as 500ms, 30s or 2m.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let number: u32 = text[..digits].parse().map_err(|_| "write it like 500ms, 30s or 2m")?;
    let number = u64::from(number);
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err("write it like 500ms, 30s or 2m".to_owned()),
    }
}

/// A share such as 5% or 0.5%: hundredths, above zero and no more than a hundred.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
    let number = number.filter(|number| *number > 0.0 && *number <= 100.0);
    number.ok_or_else(|| "write a share above 0% and up to 100%, such as 5%".to_owned())
}

/// A share in whole hundredths, such as 50%.
pub(super) fn whole_share(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim_end().parse().ok());
    let number = number.filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| "write a share from 1% to 100%, such as 50%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{share, time, whole_share};
    use std::time::Duration;

    #[test]
    fn times_and_shares_have_their_units() {
        assert_eq!(time("1500ms"), Ok(Duration::from_millis(1_500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(share("0.5%"), Ok(0.5));
        assert_eq!(whole_share("100 %"), Ok(100));
        for bad in ["5", "", "%", "0%", "-1%", "101%", "NaN%", "inf%", "x%"] {
            assert!(share(bad).is_err() && whole_share(bad).is_err(), "{bad}");
        }
        for bad in ["5", "", "s", "-1s", "1h", "1.5s"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
