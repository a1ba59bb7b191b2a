import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Who may import whom: only `api` knows the server, and components know neither it nor the model. */
const only = (files, patterns, message) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }]
  }
});

export default tseslint.config(
  { ignores: ['lib/**', 'node_modules/**', '.yarn/**'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } }
  },
  ...tseslint.configs.recommendedTypeChecked.map(config => ({
    ...config,
    files: ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}']
  })),
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}'],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: true } }
      ],
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      '@typescript-eslint/unbound-method': 'off', // Lumino's signals bind the receiver by their second argument
      'max-lines': ['error', 300],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'prefer-arrow-callback': 'error',
      'no-console': ['error', { allow: ['warn'] }]
    }
  },
  only(
    ['src/components/**/*.{ts,tsx}'],
    ['**/api/*', '**/api', '**/model/*', '**/model', '**/panels/*', '**/notebook/*', '@jupyterlab/services'],
    'Components show what they are given; they know neither the server nor the model.'
  ),
  only(
    ['src/api/**/*.ts'],
    ['**/model/*', '**/panels/*', '**/components/*', '**/components/**', '**/notebook/*'],
    'The client knows the server and nothing above it.'
  ),
  only(
    ['src/model/**/*.ts'],
    ['**/panels/*', '**/components/*', '**/components/**', '**/notebook/*', 'react', '@jupyterlab/apputils'],
    'Models have no DOM.'
  ),
  only(
    ['src/panels/**/*.{ts,tsx}', 'src/notebook/**/*.{ts,tsx}'],
    ['@jupyterlab/coreutils/lib/url', '**/index'],
    'Only api/ builds a URL.'
  )
);
