// Playwright configuration of the WebKitGTK and Firefox tests: `make test-browsers`.
import { defineConfig } from '@playwright/test';

import { chromium } from './support/chromium.ts';

export default defineConfig({
  testDir: 'browsers',
  outputDir: 'results/browsers',
  workers: 1,
  // No retries: a test that passes on the second try only is a defect.
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'results/browsers.json' }]],
  // Some results are checked in Chromium.
  use: {
    launchOptions: {
      ...chromium(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    },
  },
});
