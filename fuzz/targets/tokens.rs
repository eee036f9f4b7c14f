#![no_main]

#[expect(dead_code, reason = "each target takes one")]
#[path = "../../server/tests/properties/what.rs"]
mod what;

libfuzzer_sys::fuzz_target!(|input: &[u8]| what::token(input));
