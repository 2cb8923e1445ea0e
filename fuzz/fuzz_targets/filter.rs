#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| syncline_fuzz::filter::check(data));
