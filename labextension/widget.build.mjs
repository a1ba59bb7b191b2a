/**
 * Bundle the run widget: one ES module with its style inside, which anywidget serves from the Python package.
 */
import { build } from 'esbuild';

await build({
  entryPoints: ['src/components/runcard/widget.ts'],
  outfile: '../jupyter_ext/fairlead/widgets/static/run.js',
  bundle: true,
  format: 'esm',
  target: 'es2021',
  minify: true,
  loader: { '.css': 'text' },
  legalComments: 'none',
  logLevel: 'warning'
});
