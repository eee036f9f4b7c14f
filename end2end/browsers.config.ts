// The tests in browsers that Playwright does not drive: `make test-browsers`.
import { defineConfig } from '@playwright/test';

import { chromium } from './support/chromium.ts';

export default defineConfig({
  testDir: 'browsers',
  outputDir: 'results/browsers',
  workers: 1,
  // A test that passes at the second try only is a defect of the test or of the product.
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'results/browsers.json' }]],
  // Some results are looked at in Chromium.
  use: {
    launchOptions: {
      ...chromium(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    },
  },
});
