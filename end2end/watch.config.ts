import { defineConfig } from '@playwright/test';

import journeys from './playwright.config.ts';

/** The test of `make watch`: one, which builds for development and may take as long as that takes. */
export default defineConfig({
  ...journeys,
  testDir: 'watch',
  outputDir: 'results/watch',
  workers: 1,
  timeout: 45 * 60_000,
  reporter: [['list']],
});
