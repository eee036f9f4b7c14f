import { defineConfig } from '@playwright/test';

import { chromium } from './support/chromium.ts';
import type { WorkerOptions } from './support/fixtures.ts';

export default defineConfig<object, WorkerOptions>({
  testDir: 'journeys',
  outputDir: 'results/artifacts',
  fullyParallel: true,
  workers: 2,
  // No retries: a test that passes on the second try only is a defect.
  retries: 0,
  forbidOnly: true,
  timeout: 30_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'results/report.json' }], ['./support/summary.ts']],
  use: {
    locale: 'en-US',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    launchOptions: {
      ...chromium(),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
      ],
    },
  },
});
