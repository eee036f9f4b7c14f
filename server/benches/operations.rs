//! Benchmarks of the most frequent and the most expensive operations, without the network: `cargo
//! bench -p server`.

#![expect(clippy::expect_used, reason = "a benchmark ends where something is not as it should be")]

use std::{hint::black_box, sync::Arc};

use argon2::Argon2;
use criterion::{Criterion, criterion_group, criterion_main};
use server::{
    accounts::hashing::{Client, Cost, Hasher},
    clock::Env,
    domain::{claims::Grant, password::Password, username::Username},
    tokens::{algorithm::Algorithm, codec::Codec, keys::KeyStore},
};

fn tokens(criterion: &mut Criterion) {
    let env = Env::system();
    let folder = tempfile::tempdir().expect("a folder");
    let (keys, _) = KeyStore::open(folder.path(), Algorithm::Hs256, None, &env).expect("keys");
    let codec = Codec::new(Arc::new(keys), "gatehouse".into(), "gatehouse".into());
    let now = env.now();
    let grant = Grant {
        user: env.uuid(),
        session: env.uuid(),
        generation: 1,
        issued_at: now,
        expires_at: now + 900,
    };
    let token = codec.access(&grant, true, &env).expect("a token");
    let mut group = criterion.benchmark_group("token");
    group.bench_function("verify", |bencher| {
        bencher.iter(|| codec.verify(black_box(&token), now).expect("a good token"));
    });
    group.bench_function("sign access", |bencher| {
        bencher.iter(|| codec.access(black_box(&grant), true, &env).expect("a token"));
    });
    group.bench_function("sign refresh", |bencher| {
        bencher.iter(|| codec.refresh(black_box(&grant)).expect("a token"));
    });
    group.finish();
}

fn hashing(criterion: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let hasher = Arc::new(Hasher::new(Cost::default(), 1, Env::system()).expect("a hasher"));
    let password = Password::presented("correct horse battery".into());
    let mut group = criterion.benchmark_group("argon2id");
    group.sample_size(20);
    group.bench_function("ours, with kept memory", |bencher| {
        bencher.iter(|| {
            runtime.block_on(hasher.hash(black_box(&password), Client::LOCAL)).expect("a hash")
        });
    });
    group.bench_function("bare, with fresh memory", |bencher| {
        let mut output = [0; 32];
        bencher.iter(|| {
            Argon2::default()
                .hash_password_into(
                    black_box(b"correct horse battery"),
                    b"a salt of 16 byt",
                    &mut output,
                )
                .expect("a hash");
        });
    });
    group.finish();
}

fn names(criterion: &mut Criterion) {
    for name in ["ada.lovelace@example.com", "测试用户", "ａｄｍｉｎ"] {
        criterion.bench_function(&format!("name {name}"), |bencher| {
            bencher.iter(|| Username::parse(black_box(name)).expect("a name"));
        });
    }
}

criterion_group!(benches, tokens, hashing, names);
criterion_main!(benches);
