//! Points in time as people write them: RFC 3339, in the Gregorian calendar continued backwards.
//!
//! The day counts are those of Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*: years
//! begin in March, so that a leap day is the last day of its year.

/// Milliseconds of the year 0's first moment.
pub const FIRST_MILLIS: i64 = -62_167_219_200_000;

/// Milliseconds of the year 9999's last moment.
pub const LAST_MILLIS: i64 = 253_402_300_799_999;

const DAY: i64 = 86_400_000;

/// A timestamp as RFC 3339 text in UTC with milliseconds, or nothing outside the years 0 to 9999.
///
/// # Example
///
/// ```
/// use syncline_core::value::date;
///
/// assert_eq!(date::format(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
/// assert_eq!(date::format(i64::MAX), None);
/// ```
pub fn format(millis: i64) -> Option<String> {
    if !(FIRST_MILLIS..=LAST_MILLIS).contains(&millis) {
        return None;
    }
    let (year, month, day) = civil(millis.div_euclid(DAY));
    let time = millis.rem_euclid(DAY);
    let (hour, minute) = (time / 3_600_000, time / 60_000 % 60);
    let (second, milli) = (time / 1_000 % 60, time % 1_000);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"))
}

/// Milliseconds since 1970 from RFC 3339 text, or from a date alone, which means its first moment in
/// UTC. What is finer than a millisecond is cut off.
///
/// # Errors
///
/// What is wrong with the text.
///
/// # Example
///
/// ```
/// use syncline_core::value::date;
///
/// assert_eq!(date::parse("1970-01-01T01:00:00.5+01:00"), Ok(500));
/// assert_eq!(date::parse("1970-01-02"), Ok(86_400_000));
/// assert!(date::parse("1970-01-01T00:00:00").is_err(), "whose midnight?");
/// ```
pub fn parse(text: &str) -> Result<i64, &'static str> {
    let mut rest = Rest(text.as_bytes());
    let millis = rest.date()? * DAY;
    if rest.0.is_empty() {
        return Ok(millis);
    }
    if !rest.take(|byte| matches!(byte, b'T' | b't' | b' ')) {
        return Err("between date and time stands a `T`");
    }
    let time = rest.time()?;
    let offset = rest.offset()?;
    if !rest.0.is_empty() {
        return Err("there is something behind the point in time");
    }
    Ok(millis + time - offset)
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day from days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        match self.0.split_first() {
            Some((byte, rest)) if wanted(*byte) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn digits(&mut self, count: usize, problem: &'static str) -> Result<i64, &'static str> {
        let digits = self.0.get(..count).filter(|of| of.iter().all(u8::is_ascii_digit));
        let digits = digits.ok_or(problem)?;
        self.0 = &self.0[count..];
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// Days since 1970.
    fn date(&mut self) -> Result<i64, &'static str> {
        const FORM: &str = "a date is written like 2026-11-20";
        let year = self.digits(4, FORM)?;
        let dash = |byte| byte == b'-';
        let month = if self.take(dash) { self.digits(2, FORM)? } else { return Err(FORM) };
        let day = if self.take(dash) { self.digits(2, FORM)? } else { return Err(FORM) };
        if !(1..=12).contains(&month) || day < 1 || civil(days(year, month, day)).2 != day {
            return Err("there is no such day in the calendar");
        }
        Ok(days(year, month, day))
    }

    /// Milliseconds since midnight.
    fn time(&mut self) -> Result<i64, &'static str> {
        const FORM: &str = "a time is written like 12:00:00 or 12:00:00.000";
        let colon = |byte| byte == b':';
        let hour = self.digits(2, FORM)?;
        let minute = if self.take(colon) { self.digits(2, FORM)? } else { return Err(FORM) };
        let second = if self.take(colon) { self.digits(2, FORM)? } else { return Err(FORM) };
        if hour > 23 || minute > 59 || second > 59 {
            return Err("there is no such time of day");
        }
        let mut milli = 0;
        if self.take(|byte| byte == b'.') {
            let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let kept = count.min(3);
            milli = self.digits(kept.max(1), FORM)? * [100, 100, 10, 1][kept];
            self.0 = &self.0[count - kept..];
        }
        Ok(((hour * 60 + minute) * 60 + second) * 1_000 + milli)
    }

    /// Milliseconds ahead of UTC.
    fn offset(&mut self) -> Result<i64, &'static str> {
        const FORM: &str = "a time ends with `Z` or with its offset from UTC, like +02:00";
        if self.take(|byte| matches!(byte, b'Z' | b'z')) {
            return Ok(0);
        }
        let ahead = match self.0.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(FORM),
        };
        self.0 = &self.0[1..];
        let hour = self.digits(2, FORM)?;
        let minute = if self.take(|byte| byte == b':') { self.digits(2, FORM)? } else { 60 };
        if hour > 23 || minute > 59 {
            return Err(FORM);
        }
        Ok(ahead * (hour * 60 + minute) * 60_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_borders_are_where_they_should_be() {
        assert_eq!(format(FIRST_MILLIS).unwrap(), "0000-01-01T00:00:00.000Z");
        assert_eq!(format(LAST_MILLIS).unwrap(), "9999-12-31T23:59:59.999Z");
        assert_eq!(format(FIRST_MILLIS - 1), None);
        assert_eq!(format(LAST_MILLIS + 1), None);
        assert_eq!(format(i64::MIN), None);
        assert_eq!(format(-1).unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(format(951_782_400_000).unwrap(), "2000-02-29T00:00:00.000Z");
    }

    #[test]
    fn every_day_of_the_calendar_follows_the_day_before() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut year, mut month, mut day) = (0_i64, 1_i64, 1_i64);
        for count in FIRST_MILLIS / DAY..=LAST_MILLIS / DAY {
            assert_eq!(civil(count), (year, month, day));
            assert_eq!(days(year, month, day), count);
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = lengths[month as usize - 1] + i64::from(leap && month == 2);
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(year, 10_000);
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, millis) in [
            ("2026-11-20", 1_795_132_800_000),
            ("2026-11-20T12:00:00Z", 1_795_176_000_000),
            ("2026-11-20t12:00:00.000z", 1_795_176_000_000),
            ("2026-11-20 14:00:00+02:00", 1_795_176_000_000),
            ("2026-11-20T06:30:00.1239-05:30", 1_795_176_000_123),
            ("2026-11-20T12:00:00.12-00:00", 1_795_176_000_120),
            ("0000-01-01T00:00:00+23:59", FIRST_MILLIS - 86_340_000),
        ] {
            assert_eq!(parse(text), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for (text, reason) in [
            ("", "date is written"),
            ("yesterday", "date is written"),
            ("2026-1-20", "date is written"),
            ("26-11-20", "date is written"),
            ("+2026-11-20", "date is written"),
            ("2026-02-29", "no such day"),
            ("2026-13-01", "no such day"),
            ("2026-00-01", "no such day"),
            ("2026-01-00", "no such day"),
            ("1900-02-29", "no such day"),
            ("2026-11-20X", "stands a `T`"),
            ("2026-11-20T", "time is written"),
            ("2026-11-20T12:00Z", "time is written"),
            ("2026-11-20T12:00:00.Z", "time is written"),
            ("2026-11-20T24:00:00Z", "time of day"),
            ("2026-11-20T12:60:00Z", "time of day"),
            ("2026-11-20T12:00:60Z", "time of day"),
            ("2026-11-20T12:00:00", "offset"),
            ("2026-11-20T12:00:00+02", "offset"),
            ("2026-11-20T12:00:00+24:00", "offset"),
            ("2026-11-20T12:00:00Z ", "behind"),
            ("2026-11-20T12:00:00ü", "offset"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(millis in FIRST_MILLIS..=LAST_MILLIS) {
            let text = format(millis).unwrap();
            prop_assert_eq!(parse(&text), Ok(millis));
        }

        #[test]
        fn text_sorts_as_time_does(a in FIRST_MILLIS..=LAST_MILLIS, b in FIRST_MILLIS..=LAST_MILLIS) {
            prop_assert_eq!(format(a).cmp(&format(b)), a.cmp(&b));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZtz:.+ -]{0,40}|.{0,40}") {
            let _ = parse(&text);
        }
    }
}
