#![no_main]

#[expect(dead_code, reason = "each target takes one")]
#[path = "../../server/tests/properties/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|input: &str| invariants::name(input));
