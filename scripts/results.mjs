// Parses numbers of passed and failed tests from the output of test runners, and adds them up.

/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * Result of a part; `counts` is null if it could not be built or its output not be parsed.
 * @typedef {{ name: string, code: number, counts: Counts | null }} Outcome
 */

// eslint-disable-next-line no-control-regex -- colours begin with the control character ESC
const COLOURS = /\u001b\[[0-9;]*m/g;

/**
 * cargo test: one `test result:` line on stdout for each executable announced on stderr. An
 * executable without such a line has crashed and counts as one failure.
 * @param {{ stdout: string, stderr: string }} printed
 * @returns {Counts}
 */
export function ofCargo({ stdout, stderr }) {
  const results = [
    ...stdout.replace(COLOURS, '').matchAll(/^test result: .*?(\d+) passed; (\d+) failed;/gm),
  ];
  const announced = [...stderr.replace(COLOURS, '').matchAll(/^ +(?:Running|Doc-tests) /gm)].length;
  return {
    passed: sum(results.map((result) => Number(result[1]))),
    failed:
      sum(results.map((result) => Number(result[2]))) + Math.max(0, announced - results.length),
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
  return { passed: count('pass'), failed: count('fail') + count('cancelled') };
}

/**
 * Playwright's JSON report. Flaky tests count as failed; an error outside of any test is one
 * failure.
 * @param {string} json
 * @returns {Counts}
 */
export function ofPlaywright(json) {
  const report = /** @type {{ stats: Record<string, number>, errors?: unknown[] }} */ (
    JSON.parse(json)
  );
  const { expected = 0, unexpected = 0, flaky = 0 } = report.stats;
  return { passed: expected, failed: unexpected + flaky + (report.errors?.length ?? 0) };
}

/**
 * Adds the parts up. A part that crashed, could not be built or ran no test counts as a failure.
 * @param {Outcome[]} outcomes
 * @returns {Counts & { remarks: string[] }}
 */
export function total(outcomes) {
  const remarks = [];
  let passed = 0;
  let failed = 0;
  for (const { name, code, counts } of outcomes) {
    const ran = counts ?? { passed: 0, failed: 0 };
    // Worded differently from the closing line, which must be unique.
    let remark = `${name}: ${String(ran.passed)} of ${String(ran.passed + ran.failed)} tests passed`;
    if (ran.failed === 0 && (code !== 0 || ran.passed === 0)) {
      remark += code === 0 ? '; it ran no test' : `; it ended with code ${String(code)}`;
      failed += 1;
    }
    remarks.push(remark);
    passed += ran.passed;
    failed += ran.failed;
  }
  return { passed, failed: outcomes.length === 0 ? 1 : failed, remarks };
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((left, right) => left + right, 0);
}
