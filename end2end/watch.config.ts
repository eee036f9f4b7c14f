import { defineConfig } from '@playwright/test';

import journeys from './playwright.config.ts';

/** Playwright configuration of the test of `make watch`, which includes a development build. */
export default defineConfig({
  ...journeys,
  testDir: 'watch',
  outputDir: 'results/watch',
  workers: 1,
  timeout: 45 * 60_000,
  reporter: [['list'], ['json', { outputFile: 'results/watch.json' }]],
});
