// Parses the results of tests from the output of test runners, and adds them up.

/**
 * `failures` has a text for each failed test: its name and how it failed.
 * @typedef {{ passed: number, failed: number, failures: string[] }} Counts
 */

/**
 * Result of a part; `counts` is null if it could not be built or its output not be parsed.
 * @typedef {{ name: string, code: number, counts: Counts | null }} Outcome
 */

// eslint-disable-next-line no-control-regex -- colours begin with the control character ESC
const COLOURS = /\u001b\[[0-9;]*m/g;

/** Maximum number of lines that a failure repeats of the output of its test. */
const LINES = 30;

/**
 * cargo test: one `test result:` line on stdout for each executable announced on stderr. An
 * executable without such a line has crashed and counts as one failure.
 * @param {{ stdout: string, stderr: string }} printed
 * @returns {Counts}
 */
export function ofCargo({ stdout, stderr }) {
  const plain = stdout.replace(COLOURS, '');
  const results = [...plain.matchAll(/^test result: .*?(\d+) passed; (\d+) failed;/gm)];
  const announced = [...stderr.replace(COLOURS, '').matchAll(/^ +(?:Running|Doc-tests) /gm)].length;
  return {
    passed: sum(results.map((result) => Number(result[1]))),
    failed:
      sum(results.map((result) => Number(result[2]))) + Math.max(0, announced - results.length),
    failures: [...plain.matchAll(/^-+ (\S+) (?:stdout|output) -+\n(.*?)^(?=-{4} |failures:)/gms)].map(
      ([, name = '', output = '']) => failure(name, output),
    ),
  };
}

/**
 * node --test: the summary of its reporters, `# pass 3` (tap) or `ℹ pass 3` (spec).
 * @param {string} stdout
 * @returns {Counts}
 */
export function ofNode(stdout) {
  const plain = stdout.replace(COLOURS, '');
  /** @param {string} word */
  const count = (word) => Number(new RegExp(`^[#ℹ] ${word} (\\d+)$`, 'm').exec(plain)?.[1] ?? 0);
  const names = [...plain.matchAll(/^(?:not ok \d+ - |✖ )(?!failing tests:)(.+)$/gm)];
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    failures: [...new Set(names.map(([, name = '']) => name.replace(/ \([\d.]+ms\)$/, '')))],
  };
}

/**
 * @typedef {{
 *   title: string,
 *   file: string,
 *   line: number,
 *   tests: { status: string, results: { errors?: { message?: string }[] }[] }[],
 * }} Spec
 * @typedef {{ title: string, file: string, suites?: Suite[], specs?: Spec[] }} Suite
 */

/**
 * Playwright's JSON report. Flaky tests count as failed; an error outside of any test is one
 * failure.
 * @param {string} json
 * @returns {Counts}
 */
export function ofPlaywright(json) {
  const report =
    /** @type {{ stats: Record<string, number>, suites?: Suite[], errors?: { message?: string }[] }} */ (
      JSON.parse(json)
    );
  const { expected = 0, unexpected = 0, flaky = 0 } = report.stats;
  const errors = report.errors ?? [];
  return {
    passed: expected,
    failed: unexpected + flaky + errors.length,
    failures: [
      ...(report.suites ?? []).flatMap((suite) => failuresOf(suite, [])),
      ...errors.map(({ message = '' }) => failure('outside of any test', message)),
    ],
  };
}

/**
 * The failures of a suite of Playwright; `titles` are those of the suites around it.
 * @param {Suite} suite
 * @param {string[]} titles
 * @returns {string[]}
 */
function failuresOf({ suites = [], specs = [] }, titles) {
  const own = specs.flatMap(({ title, file, line, tests }) =>
    tests
      .filter(({ status }) => status === 'unexpected' || status === 'flaky')
      .map(({ results }) => {
        const errors = results.flatMap((result) => result.errors ?? []);
        const messages = errors.map(({ message = '' }) => message);
        return failure(
          [`${file}:${String(line)}`, ...titles, title].join(' › '),
          messages.join('\n'),
        );
      }),
  );
  return [...own, ...suites.flatMap((suite) => failuresOf(suite, [...titles, suite.title]))];
}

/**
 * The name of a failed test, and the beginning of its output.
 * @param {string} name
 * @param {string} output
 */
function failure(name, output) {
  const lines = output.replace(COLOURS, '').trim().split('\n').slice(0, LINES);
  return [name, ...lines.map((line) => `    ${line}`.trimEnd())].join('\n');
}

/**
 * Adds the parts up. A part that crashed, could not be built or ran no test counts as a failure.
 * @param {Outcome[]} outcomes
 * @returns {Counts & { remarks: string[] }} `remarks` has one line for each part
 */
export function total(outcomes) {
  const remarks = [];
  const failures = [];
  let passed = 0;
  let failed = 0;
  for (const { name, code, counts } of outcomes) {
    const ran = counts ?? { passed: 0, failed: 0, failures: [] };
    // Worded differently from the closing line, which must be unique.
    let remark = `${name}: ${String(ran.passed)} of ${String(ran.passed + ran.failed)} tests passed`;
    if (ran.failed === 0 && (code !== 0 || ran.passed === 0)) {
      remark += code === 0 ? '; it ran no test' : `; it ended with code ${String(code)}`;
      failed += 1;
    }
    remarks.push(remark);
    passed += ran.passed;
    failed += ran.failed;
    failures.push(...ran.failures.map((text) => `${name}: ${text}`));
  }
  return { passed, failed: outcomes.length === 0 ? 1 : failed, failures, remarks };
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((left, right) => left + right, 0);
}
