use proptest::prelude::*;
use serde_json::Value as Json;

use super::{DEEPEST, float, read, write};

/// Reads both ways, which must come to the same.
fn check(text: &str) -> Result<(), TestCaseError> {
    let theirs: Result<Json, _> = serde_json::from_str(text);
    match (read::read(text.as_bytes(), DEEPEST), theirs) {
        (Ok(ours), Ok(theirs)) => {
            // `Json` takes 0.0 and -0.0 for the same.
            prop_assert_eq!(ours.to_string(), theirs.to_string(), "{}", text);
        }
        (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{} {:?}", text, ours),
    }
    Ok(())
}

fn written(scalar: &Json) -> String {
    let mut out = String::new();
    write::put_scalar(&mut out, scalar);
    out
}

#[test]
fn browsers_write_what_everybody_else_writes() {
    for scalar in
        [Json::Null, true.into(), false.into(), i64::MIN.into(), u64::MAX.into(), 0.into()]
    {
        assert_eq!(written(&scalar), scalar.to_string());
    }
}

fn check_float(float: f64) -> Result<(), TestCaseError> {
    let ours = written(&Json::from(float));
    prop_assert_eq!(&ours, &Json::from(float).to_string());
    let mut debug = String::new();
    float::put_debug(&mut debug, float);
    prop_assert_eq!(debug, format!("{float:?}"));
    check(&ours)?;
    check(&format!("{float}"))?;
    check(&format!("{float:e}"))
}

#[test]
fn browsers_read_what_everybody_else_reads() {
    for text in [
        "",
        " ",
        "null",
        " true\n",
        "fals",
        "nul",
        "[]",
        "[ ]",
        "{}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}",
        " { \"a\" : [ 1 , { } ] } ",
        "1 2",
        "\"",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u00e9\\n\\/\\b\\f\\r\\t\\\"\\\\\"",
        "\"\\ud83c\\udfd4\"",
        "\"\\ud83c\"",
        "\"\\ud83cx\"",
        "\"\\ud83c\\n\"",
        "\"\\udfd4\"",
        "\"\\ud83c\\u0041\"",
        "\"\\u+123\"",
        "\"\u{1}\"",
        "\"\u{7f}é\"",
        "é",
        "-",
        "-a",
        "+1",
        "01",
        "-01",
        "00",
        "1.",
        ".5",
        "1.e5",
        "1e",
        "1e+",
        "1e-",
        "1e5",
        "1E+5",
        "1e-5",
        "0",
        "-0",
        "0.0",
        "-0.0",
        "0e5",
        "-0e99999999999999999999",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "1e309",
        "-1e309",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1.797693134862315807e308",
        "5e-324",
        "2e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992.9999999999999999999",
        "1e22",
        "1e23",
        "123456789012345678901e5",
    ] {
        check(text).unwrap();
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [126, 127, 128] {
            check(&format!("{}1{}", open.repeat(depth), close.repeat(depth))).unwrap();
        }
    }
    assert!(read::read(b"\"\xff\"", DEEPEST).is_err());
}

#[test]
fn a_float_half_way_between_two_is_read_as_the_even_one() {
    // The exact digits of the middle between a float and the next one, and a little more and less.
    for exact in [
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000033306690738754696212708950042724609375",
    ] {
        for digits in ["", "0", "1", "0000000000000000000000000000000001"] {
            check(&format!("{exact}{digits}")).unwrap();
        }
        let less = format!("{}4{}", &exact[..exact.len() - 1], "9".repeat(900));
        check(&less).unwrap();
        check(&format!("{exact}{}1", "0".repeat(900))).unwrap();
        check(&format!("{exact}{}", "0".repeat(900))).unwrap();
    }
}

proptest! {
    #[test]
    fn floats_are_written_and_read_to_the_last_digit(bits in any::<u64>(), small in -1e20_f64..1e20, cents in any::<i32>()) {
        for float in [f64::from_bits(bits), small, f64::from(cents) / 100.0, f64::from(cents) * 1e15] {
            if float.is_finite() {
                check_float(float)?;
            }
        }
    }

    #[test]
    fn numbers_of_any_length_are_read_right(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,60})?([eE][-+]?[0-9]{1,3})?") {
        check(&text)?;
    }

    #[test]
    fn texts_are_written_and_read_as_they_are(text in any::<String>(), plain in "[\\x00-\\x7f]{0,20}") {
        for text in [text, plain] {
            let ours = written(&Json::from(text.as_str()));
            prop_assert_eq!(&ours, &Json::from(text.as_str()).to_string());
            check(&ours)?;
        }
    }

    #[test]
    fn any_bytes_are_json_for_both_or_for_none(text in "[\\[\\]{}:, \"0-9a-e.ntrue\\\\-]{0,24}") {
        check(&text)?;
    }
}
