import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  // The scripts of app/ are pieces that the document puts together.
  { ignores: ['target/', 'dist/', 'public/', 'app/', 'end2end/results/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // The compiler knows which names there are.
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-properties': [
        'error',
        { property: 'waitForTimeout', message: 'Wait for what should happen, not for time.' },
        { property: 'only', message: 'The whole suite runs.' },
      ],
    },
  },
  // A cast in a comment is seen by the compiler but not by this rule.
  {
    files: ['scripts/*.mjs'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  // node:test is given promises that it awaits by itself.
  { files: ['scripts/*.test.mjs'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
);
