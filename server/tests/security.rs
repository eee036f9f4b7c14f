//! SECURITY.md and the tests agree: each invariant has a row, each proof named by a row exists, and
//! each numbered test is named in its row.

#![expect(clippy::expect_used, reason = "a test ends where something is not as it should be")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Number of invariants.
const INVARIANTS: u32 = 54;

/// Prefixes of rows without a proof.
const UNPROVEN: [&str; 2] = ["Not there yet: ", "Not done: "];

/// Returns every line of the files with an extension below a folder.
fn lines(root: &Path, ending: &str) -> Vec<String> {
    let mut folders = vec![root.to_owned()];
    let mut lines = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.to_string_lossy().ends_with(ending) {
                lines.extend(
                    fs::read_to_string(&entry)
                        .expect("text")
                        .lines()
                        .map(|line| line.trim().to_owned()),
                );
            }
        }
    }
    lines
}

/// Returns the names of Rust tests that begin like invariants.
fn in_rust(lines: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in lines {
        let name = line
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .and_then(|rest| rest.split('(').next());
        match name.filter(|name| name.starts_with("invariant")) {
            Some(name) if is_test => _ = names.insert(name.to_owned()),
            Some(name) => panic!("{name} is no test"),
            None => {}
        }
        // A function may have several attributes.
        is_test = line.starts_with("#[")
            && (is_test || line == "#[test]" || line.starts_with("#[tokio::test"));
    }
    names
}

/// Returns the titles of end-to-end tests that begin like invariants.
fn in_journeys(lines: &[String]) -> BTreeSet<String> {
    let titles = lines.iter().filter_map(|line| line.strip_prefix("test(")).filter_map(|rest| {
        let quote = rest.chars().next()?;
        let end = rest
            .match_indices(quote)
            .map(|(end, _)| end)
            .find(|end| *end > 0 && !rest[..*end].ends_with('\\'))?;
        Some(rest[1..end].replace("\\'", "'"))
    });
    titles.filter(|title| title.starts_with("invariant")).collect()
}

/// Returns the rows of the benchmark.
fn in_benches(lines: &[String]) -> BTreeSet<String> {
    // The arguments of a call may begin on the next line.
    let text = lines.concat();
    let rows = text.split("row('").skip(1).filter_map(|rest| rest.split('\'').next());
    rows.map(|row| format!("bench: {}", row.replace('`', ""))).collect()
}

/// Returns the invariant number in the name of a test.
fn number(name: &str) -> Option<u32> {
    let rest = name.strip_prefix("invariant")?;
    let digits = match rest.strip_prefix('_') {
        Some(rest) => rest.split('_').next().filter(|digits| digits.len() == 2),
        None => rest.strip_prefix(' ')?.split(':').next(),
    };
    digits?.parse().ok()
}

/// Returns the differences between the table and the tests.
fn complaints(document: &str, tests: &BTreeSet<String>, benches: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut named: BTreeMap<&str, u32> = BTreeMap::new();
    let mut rows = Vec::new();
    for line in document.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (Some(number), [_, promise, proof]) = (cells[0].parse().ok(), &cells[..]) else {
            continue;
        };
        rows.push(number);
        if promise.is_empty() {
            complaints.push(format!("{number} promises nothing"));
        }
        let spans = proof.split('`').skip(1).step_by(2);
        let proofs: Vec<_> = spans
            .filter(|span| span.starts_with("invariant") || span.starts_with("bench: "))
            .collect();
        if proofs.is_empty() && !UNPROVEN.iter().any(|reason| proof.starts_with(reason)) {
            complaints.push(format!("{number} is not proven, and does not say why"));
        }
        for proof in proofs {
            if !tests.contains(proof) && !benches.contains(proof) {
                complaints.push(format!("{number} names {proof:?}, which is not there"));
            }
            if proof.starts_with("invariant") && self::number(proof) != Some(number) {
                complaints.push(format!("{proof:?} stands beside {number}"));
            }
            named.insert(proof, number);
        }
    }
    if rows != (1..=INVARIANTS).collect::<Vec<_>>() {
        complaints.push(format!("the rows are {rows:?}"));
    }
    complaints.extend(
        tests
            .iter()
            .filter(|test| !named.contains_key(&***test))
            .map(|test| format!("no row names {test:?}")),
    );
    complaints
}

#[test]
fn security_table_and_tests_name_the_same_proofs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let mut rust = lines(&root.join("server/src"), ".rs");
    rust.extend(lines(&root.join("server/tests/http"), ".rs"));
    rust.extend(lines(&root.join("server/tests/program"), ".rs"));
    rust.extend(lines(&root.join("app/src"), ".rs"));
    let mut tests = in_rust(&rust);
    let journeys = in_journeys(&lines(&root.join("end2end/journeys"), ".ts"));
    assert!(tests.len() > 30 && journeys.len() > 3, "they are not found where they are");
    tests.extend(journeys);
    let benches = in_benches(&lines(&root.join("scripts"), "bench.mjs"));
    let document = fs::read_to_string(root.join("SECURITY.md")).expect("text");
    let complaints = complaints(&document, &tests, &benches);
    assert!(complaints.is_empty(), "SECURITY.md:\n{}", complaints.join("\n"));
}

#[test]
fn security_table_with_mismatch_is_reported() {
    let found = |document: &str, tests: &[&str]| {
        let tests = tests.iter().map(|test| (*test).to_owned()).collect();
        complaints(document, &tests, &BTreeSet::from(["bench: a row".to_owned()])).join("\n")
    };
    let row = |number: u32| format!("| {number} | promised | Not there yet: nobody has asked |\n");
    let rest = |from: u32| (from..=INVARIANTS).map(row).collect::<String>();
    let first =
        |proof: &str| format!("| no. | promise | proof |\n| 1 | promised | {proof} |\n{}", rest(2));
    assert_eq!(found(&first("`invariant_01_x`, `bench: a row`"), &["invariant_01_x"]), "");
    assert_eq!(found(&first("`invariant 1: x`"), &["invariant 1: x"]), "");
    for (document, tests, complaint) in [
        (first("`invariant_01_x`"), &[][..], "1 names \"invariant_01_x\", which is not there"),
        (first("`bench: another`"), &[], "1 names \"bench: another\", which is not there"),
        (first("Not done: too hard"), &["invariant_01_x"], "no row names \"invariant_01_x\""),
        (first("`invariant_02_x`"), &["invariant_02_x"], "\"invariant_02_x\" stands beside 1"),
        (first("`invariant_x`"), &["invariant_x"], "\"invariant_x\" stands beside 1"),
        (first("`invariant_1_x`"), &["invariant_1_x"], "\"invariant_1_x\" stands beside 1"),
        (first("surely"), &[], "1 is not proven, and does not say why"),
        (rest(2), &[], "the rows are [2, "),
        (format!("{}{}", row(1), rest(1)), &[], "the rows are [1, 1, "),
    ] {
        assert!(found(&document, tests).starts_with(complaint), "{:?}", found(&document, tests));
    }
}

#[test]
fn test_names_are_found_in_rust_and_typescript() {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let rust = "#[test]\nfn invariant_01_a() {}\n#[tokio::test(x)]\n#[ignore]\nasync fn invariant_02_b() {}\nfn other() {}";
    assert_eq!(
        in_rust(&lines(rust)).into_iter().collect::<Vec<_>>(),
        ["invariant_01_a", "invariant_02_b"]
    );
    let journeys = "test('invariant 1: it\\'s so', async () => {\n  test(`invariant 2: ${x}`, 1);\ntest('other', x);";
    assert_eq!(
        in_journeys(&lines(journeys)).into_iter().collect::<Vec<_>>(),
        ["invariant 1: it's so", "invariant 2: ${x}"]
    );
    for benches in ["  row('p99 of `GET`', x);", "  row(\n    'p99 of `GET`',\n    x,\n  );"] {
        assert!(in_benches(&lines(benches)).contains("bench: p99 of GET"), "{benches}");
    }
    let error = std::panic::catch_unwind(|| in_rust(&lines("fn invariant_03_c() {}")));
    assert!(error.is_err(), "what is no test proves nothing");
}
