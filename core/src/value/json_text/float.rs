//! Floats as JSON has them: to the last digit, without tables.

use std::cmp::Ordering;

/// More digits than this cannot matter, but for whether there are any: no float is so near to half-way between two.
const DIGITS: usize = 800;
/// Up to here powers of ten are floats.
const EXACT_POWER: i64 = 22;
/// Up to here all whole numbers are floats.
const EXACT: u64 = 1 << 53;

/// The float that is nearest to a number: its digits before and behind the point, and its power of ten. It is infinite
/// if the number is too large.
pub(super) fn read(whole: &str, fraction: &str, exponent: i64) -> f64 {
    let digits = || whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0');
    let zeros = digits().take_while(|digit| *digit == 0).count();
    let count = whole.len() + fraction.len() - zeros;
    if count == 0 {
        return 0.0;
    }
    let exponent = exponent.saturating_sub(fraction.len() as i64);
    let magnitude = exponent.saturating_add(count as i64);
    if magnitude > 310 {
        return f64::INFINITY;
    }
    if magnitude < -330 {
        return 0.0;
    }
    if count <= 16 {
        let number = digits().fold(0_u64, |number, digit| number * 10 + u64::from(digit));
        if number <= EXACT && exponent.abs() <= EXACT_POWER {
            let power = (0..exponent.abs()).fold(1.0, |power, _| power * 10.0);
            return if exponent < 0 { number as f64 / power } else { number as f64 * power };
        }
    }
    if count <= 19 && (-37..=18).contains(&exponent) {
        let number = digits().fold(0_u128, |number, digit| number * 10 + u128::from(digit));
        let power = 10_u128.pow(exponent.unsigned_abs() as u32);
        return match exponent < 0 {
            true => quotient(number, power),
            false => quotient(number * power, 1),
        };
    }
    let mut number = Big::default();
    digits().skip(zeros).take(DIGITS).for_each(|digit| number.grow(10, digit.into()));
    let mut exponent = exponent;
    if count > DIGITS {
        // The rest counts as one digit: whether there is anything.
        let is_more = digits().skip(zeros + DIGITS).any(|digit| digit > 0);
        number.grow(10, is_more.into());
        exponent += (count - DIGITS) as i64 - 1;
    }
    let mut divisor = Big(vec![1]);
    let power = if exponent < 0 { &mut divisor } else { &mut number };
    (0..exponent.abs()).for_each(|_| power.grow(10, 0));
    quotient(number, divisor)
}

/// The float that is nearest to a quotient.
fn quotient<N: Whole>(mut number: N, mut divisor: N) -> f64 {
    // So that the quotient has one bit before the point.
    let mut exponent = number.bits() - divisor.bits();
    number.shift(-exponent);
    divisor.shift(exponent);
    if number < divisor {
        number.shift(1);
        exponent -= 1;
    }
    // The smallest floats have fewer bits.
    let bits = if exponent < -1022 { 53 - (-1022 - exponent) } else { 53 };
    if bits < 0 {
        return 0.0;
    }
    let mut mantissa = 0_u64;
    for _ in 0..bits {
        mantissa <<= 1;
        if number >= divisor {
            number.subtract(&divisor);
            mantissa |= 1;
        }
        number.shift(1);
    }
    // What is left decides: more than half goes up, and half goes to the even one.
    if number >= divisor {
        number.subtract(&divisor);
        mantissa += u64::from(mantissa & 1 == 1 || !number.is_zero());
    }
    // A mantissa that has become too long by rounding carries into the exponent, as it should.
    let biased = if exponent < -1022 { 0 } else { (exponent + 1022) as u64 };
    let bits = (biased << 52) + mantissa;
    // There `mantissa` has its highest bit, which adds one to the exponent.
    f64::from_bits(bits.min(f64::INFINITY.to_bits()))
}

/// A whole number.
trait Whole: Ord {
    /// Multiplies by a power of two; one below 1 changes nothing.
    fn shift(&mut self, power: i64);
    /// How many bits it has.
    fn bits(&self) -> i64;
    fn is_zero(&self) -> bool;
    /// Takes away what is not more.
    fn subtract(&mut self, other: &Self);
}

impl Whole for u128 {
    fn shift(&mut self, power: i64) {
        *self <<= power.max(0);
    }

    fn bits(&self) -> i64 {
        i64::from(Self::BITS - self.leading_zeros())
    }

    fn is_zero(&self) -> bool {
        *self == 0
    }

    fn subtract(&mut self, other: &Self) {
        *self -= other;
    }
}

/// A whole number of any size, its lowest part first.
#[derive(Default, PartialEq, Eq)]
struct Big(Vec<u32>);

impl Big {
    /// Multiplies, and adds.
    fn grow(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for part in &mut self.0 {
            carry += u64::from(*part) * u64::from(factor);
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Whole for Big {
    fn shift(&mut self, power: i64) {
        let Ok(power) = usize::try_from(power) else { return };
        self.grow(1 << (power % 32), 0);
        self.0.splice(..0, std::iter::repeat_n(0, power / 32));
    }

    fn bits(&self) -> i64 {
        let last = self.0.last().map_or(32, |part| part.leading_zeros());
        self.0.len() as i64 * 32 - i64::from(last)
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn subtract(&mut self, other: &Self) {
        let mut borrowed = false;
        for (at, part) in self.0.iter_mut().enumerate() {
            let taken = other.0.get(at).copied().unwrap_or_default();
            let (less, first) = part.overflowing_sub(taken);
            let (less, second) = less.overflowing_sub(borrowed.into());
            *part = less;
            borrowed = first || second;
        }
        while self.0.last() == Some(&0) {
            let _ = self.0.pop();
        }
    }
}

/// Appends a float that is finite, as JSON has it.
pub(super) fn put(out: &mut String, float: f64) {
    put_as(out, float, -5, "e+");
}

/// Appends a float that is finite, as Rust's `{:?}` has it.
pub(super) fn put_debug(out: &mut String, float: f64) {
    put_as(out, float, -4, "e");
}

/// Appends a float, with a power of ten if it is below this one, or 16 or more.
fn put_as(out: &mut String, float: f64, least: i32, large: &str) {
    // The shortest digits that mean this float, and no other.
    let shortest = format!("{float:e}");
    let (digits, power) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    let digits = match digits.strip_prefix('-') {
        Some(digits) => {
            out.push('-');
            digits
        }
        None => digits,
    };
    if !(least..16).contains(&power) && float != 0.0 {
        out.push_str(digits);
        out.push_str(if power < 0 { "e" } else { large });
        out.push_str(&power.to_string());
        return;
    }
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_start_matches('.');
    if power < 0 {
        out.push_str("0.");
        (1..-power).for_each(|_| out.push('0'));
        out.push_str(first);
        out.push_str(rest);
        return;
    }
    out.push_str(first);
    let power = power as usize;
    let (whole, fraction) = rest.split_at(power.min(rest.len()));
    out.push_str(whole);
    (whole.len()..power).for_each(|_| out.push('0'));
    out.push('.');
    out.push_str(if fraction.is_empty() { "0" } else { fraction });
}
