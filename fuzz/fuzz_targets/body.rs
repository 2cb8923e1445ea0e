#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| syncline_fuzz::body::check(data));
