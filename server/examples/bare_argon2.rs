//! For `make bench`: bare Argon2id hashes per second on all cores of this machine, with the
//! parameters and password length of the logins measured beside it. Each thread reuses its memory,
//! as the server does.

use std::{
    error::Error,
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use server::{
    accounts::hashing::Cost,
    clock::{Clock as _, SystemClock},
};

/// Duration of the measurement.
const TIME: Duration = Duration::from_secs(8);

fn main() -> Result<(), Box<dyn Error>> {
    let Cost { memory, passes, lanes } = Cost::default();
    let params = Params::new(memory, passes, lanes, Some(32))?;
    let clock = SystemClock::default();
    let hashes = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut blocks = vec![Block::default(); params.block_count()];
                let mut output = [0; 32];
                while clock.elapsed() < TIME {
                    let salt = b"a salt of 16 byt";
                    let password = b"correct horse battery";
                    if argon2
                        .hash_password_into_with_memory(password, salt, &mut output, &mut blocks)
                        .is_ok()
                    {
                        hashes.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rate = hashes.into_inner() as f64 / clock.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{rate:.1}")?;
    Ok(())
}
