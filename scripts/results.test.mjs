import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ofCargo, ofNode, ofPlaywright, total } from './results.mjs';

const RUNNING = '     Running unittests src/lib.rs (target/debug/deps/app-0123)\n';
const OK =
  'test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n';
const FAILED =
  'test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n';

test('cargo: the results of all programs are summed', () => {
  assert.deepEqual(
    ofCargo({ stdout: `running 12 tests\n${OK}\n${FAILED}`, stderr: RUNNING + RUNNING }),
    { passed: 14, failed: 3, failures: [] },
  );
});

test('cargo: a program that crashed is one failure', () => {
  const stderr = `${RUNNING}   Doc-tests app\n     Running tests/login.rs (target/debug/deps/login-0123)\n`;
  assert.deepEqual(ofCargo({ stdout: OK + OK, stderr }), {
    passed: 24,
    failed: 1,
    failures: [],
  });
});

test('cargo: colours are no obstacle', () => {
  const stdout =
    'test result: \u001b[32mok\u001b[m. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n';
  assert.deepEqual(ofCargo({ stdout, stderr: '\u001b[1m     Running\u001b[0m unittests' }), {
    passed: 4,
    failed: 0,
    failures: [],
  });
});

test('cargo: a failure has the name of its test and its output', () => {
  const stdout = `test rules::a ... FAILED
test rules::b ... FAILED

failures:

---- rules::a stdout ----

thread 'rules::a' panicked at app/src/rules.rs:7:9:
assertion failed: left == right

---- rules::b stdout ----
Error: "no"


failures:
    rules::a
    rules::b

${FAILED}`;
  assert.deepEqual(ofCargo({ stdout, stderr: RUNNING }).failures, [
    "rules::a\n    thread 'rules::a' panicked at app/src/rules.rs:7:9:\n    assertion failed: left == right",
    'rules::b\n    Error: "no"',
  ]);
});

test('node: both reporters are understood', () => {
  assert.deepEqual(ofNode('# tests 5\n# pass 3\n# fail 1\n# cancelled 1\n'), {
    passed: 3,
    failed: 2,
    failures: [],
  });
  assert.deepEqual(ofNode('ℹ tests 3\nℹ pass 3\nℹ fail 0\n'), {
    passed: 3,
    failed: 0,
    failures: [],
  });
  assert.deepEqual(ofNode('ok 1 - a\nnot ok 2 - b\n').failures, ['b']);
  assert.deepEqual(ofNode('✔ a (1ms)\n✖ b (0.5ms)\n✖ failing tests:\n✖ b (0.5ms)\n').failures, ['b']);
});

test('playwright: flaky tests and errors outside of tests are failures', () => {
  const report = {
    stats: { expected: 7, unexpected: 1, flaky: 1, skipped: 0 },
    errors: [{ message: 'the server' }],
  };
  assert.deepEqual(ofPlaywright(JSON.stringify(report)), {
    passed: 7,
    failed: 3,
    failures: ['outside of any test\n    the server'],
  });
});

test('playwright: a failure has its place, its titles and its errors', () => {
  /** @param {string} status @param {string[]} messages */
  const result = (status, ...messages) => [
    { status, results: [{ errors: messages.map((message) => ({ message })) }] },
  ];
  const report = {
    stats: { expected: 1, unexpected: 1 },
    suites: [
      {
        title: 'login.spec.ts',
        file: 'login.spec.ts',
        specs: [{ title: 'works', file: 'login.spec.ts', line: 3, tests: result('expected') }],
        suites: [
          {
            title: 'login',
            file: 'login.spec.ts',
            specs: [
              {
                title: 'fails',
                file: 'login.spec.ts',
                line: 7,
                tests: result('unexpected', '\u001b[31mExpected\u001b[39m: 1\nReceived: 2', 'closed'),
              },
            ],
          },
        ],
      },
    ],
  };
  assert.deepEqual(ofPlaywright(JSON.stringify(report)).failures, [
    'login.spec.ts:7 › login › fails\n    Expected: 1\n    Received: 2\n    closed',
  ]);
});

test('the whole is the sum of its parts', () => {
  const whole = total([
    { name: 'a', code: 0, counts: { passed: 3, failed: 0, failures: [] } },
    { name: 'b', code: 101, counts: { passed: 4, failed: 2, failures: ['c', 'd'] } },
  ]);
  assert.deepEqual([whole.passed, whole.failed], [7, 2]);
  assert.deepEqual(whole.failures, ['b: c', 'b: d']);
  assert.deepEqual(whole.remarks, ['a: 3 of 3 tests passed', 'b: 4 of 6 tests passed']);
});

test('a part that crashed, was not built, or ran nothing is one failure', () => {
  for (const broken of [
    { code: 1, counts: { passed: 5, failed: 0, failures: [] } },
    { code: 101, counts: null },
    { code: 0, counts: { passed: 0, failed: 0, failures: [] } },
    { code: 0, counts: null },
  ]) {
    assert.equal(total([{ name: 'x', ...broken }]).failed, 1);
  }
  assert.equal(total([]).failed, 1);
});
