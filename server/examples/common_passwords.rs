//! For `scripts/common-passwords`: builds the filter from passwords on standard input, one a line,
//! and prints its size and its false positives among ten million random texts.

use std::{
    error::Error,
    fs,
    io::{self, Read as _, Write as _},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use server::{
    clock::Env,
    domain::common_passwords::{CommonPasswords, build},
};

/// Random texts to measure false positives.
const TRIES: u32 = 10_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("Name the file to write.")?;
    let mut list = Vec::new();
    io::stdin().read_to_end(&mut list)?;
    // Lines that are not UTF-8 cannot be typed as a password.
    let list = String::from_utf8_lossy(&list);
    let (filter, passwords) = build(list.lines());
    let common = CommonPasswords::read(&filter).ok_or("The filter cannot be read back.")?;
    let env = Env::system();
    let mistaken =
        (0..TRIES).filter(|_| common.contains(&URL_SAFE_NO_PAD.encode(env.random::<9>()))).count();
    fs::write(path, &filter)?;
    writeln!(
        io::stdout(),
        "{passwords} passwords in {} bytes; {mistaken} of {TRIES} random texts are taken for one of them",
        filter.len()
    )?;
    Ok(())
}
