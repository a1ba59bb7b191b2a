import type { INotebookContent } from '@jupyterlab/nbformat';
import { describe, expect, test } from 'vitest';

import type { IAnalysis, IProblem, IStep } from '../src/api/types';
import { chipElement, noteElement } from '../src/components/chip';
import { plainTrans } from '../src/components/text';
import { marksOf, mayHaveSteps } from '../src/model/chips';
import { spansOf } from '../src/components/words';
import { node } from './helpers';

const step = (name: string, changes: Partial<IStep> = {}): IStep => ({
  name,
  title: name,
  cell_ids: [`${name}-1`, `${name}-2`],
  first_cell_index: 0,
  reads: [],
  writes: [],
  after: [],
  depends_on: [],
  color_index: 0,
  ...changes
});

const problem = (changes: Partial<IProblem>): IProblem => ({
  severity: 'error',
  cell_id: null,
  cell_index: null,
  line: null,
  name: null,
  message: 'No.',
  hint: 'Do.',
  path: null,
  node: null,
  ...changes
});

const analysis = (steps: IStep[], problems: IProblem[] = []): IAnalysis => ({
  steps,
  parameters: [],
  problems
});

describe('whether a notebook may have steps', () => {
  const notebook = (cells: object[], metadata: object = {}): INotebookContent =>
    ({ cells, metadata, nbformat: 4, nbformat_minor: 5 }) as INotebookContent;
  const code = (metadata: object = {}): object => ({ cell_type: 'code', source: 'x = 1', metadata });
  const text = (source: string | string[]): object => ({ cell_type: 'markdown', source, metadata: {} });

  test.each<[string, object[], object, boolean]>([
    ['a step tag', [code({ tags: ['step:train'] })], {}, true],
    ["Kale's tag", [code({ tags: ['block:train'] })], {}, true],
    ['step metadata', [code({ fairlead: { step: 'train' } })], {}, true],
    ['a heading', [text('intro\n## Train'), code()], {}, true],
    ['a heading in pieces', [text(['# Train\n', 'text'])], {}, true],
    ["Kale's metadata", [code()], { kubeflow_notebook: { volumes: [] } }, true],
    ['neither', [text('no heading #here'), code({ tags: ['parameters'] })], {}, false],
    ['a heading in code', [{ ...code(), source: '# Train' }], {}, false],
    ['another language', [code({ tags: ['step:a'] })], { language_info: { name: 'R' } }, false],
    ['another kernel', [code({ tags: ['step:a'] })], { kernelspec: { name: 'ir', language: 'R' } }, false]
  ])('%s', (_, cells, metadata, expected) => {
    expect(mayHaveSteps(notebook(cells, metadata))).toBe(expected);
  });
});

describe('marks', () => {
  test('a chip stands over the first cell of its step, with the state of the run', () => {
    const steps = [step('load', { writes: ['X'] }), step('train', { reads: ['X'], color_index: 9 })];
    const marks = marksOf(analysis(steps), [node('train', { state: 'RUNNING' })]);
    const blank = { reads: [], writes: [], state: null, cached: false };
    expect([...marks]).toEqual([
      ['load-1', { step: { ...blank, name: 'load', title: 'load', writes: ['X'], color: 0 }, problems: [] }],
      [
        'train-1',
        {
          step: { ...blank, name: 'train', title: 'train', reads: ['X'], color: 1, state: 'RUNNING' },
          problems: []
        }
      ]
    ]);
  });

  test('a problem stands at its own cell, one without a cell at the first step', () => {
    const [here, anywhere] = [problem({ cell_id: 'load-2', line: 3 }), problem({ message: 'No steps.' })];
    const marks = marksOf(analysis([step('load')], [here, anywhere]));
    expect(marks.get('load-2')).toEqual({ step: null, problems: [here] });
    expect(marks.get('load-1')?.problems).toEqual([anywhere]);
    expect([...marksOf(analysis([], [anywhere]), [], 'one')]).toEqual([
      ['one', { step: null, problems: [anywhere] }]
    ]);
  });
});

describe('the drawn chip', () => {
  test('it tells what comes in and what goes out', () => {
    const chip = {
      name: 'train',
      title: 'Train',
      reads: ['X', 'y'],
      writes: ['model'],
      color: 2,
      cached: false,
      settings: ['cpu 2', '1 package']
    };
    const made = chipElement({ ...chip, state: 'FAILED' }, plainTrans);
    expect([...made.children].map(child => child.textContent)).toEqual([
      '',
      'train',
      '← X, y',
      'model →',
      'cpu 2 · 1 package'
    ]);
    expect({ ...made.dataset }).toEqual({ flChip: 'train', flColor: '2', flState: 'FAILED' });
    expect(made.getAttribute('aria-label')).toBe(
      'Step train; failed; reads X, y; writes model; cpu 2; 1 package'
    );
  });

  test('a problem is told with its line and the way out', () => {
    const made = noteElement(problem({ line: 3, name: 'lock', message: 'No.', hint: 'Do.' }), plainTrans);
    expect(made.textContent).toBe('line 3: No. Do.');
    expect({ ...made.dataset }).toEqual({ flProblem: 'lock', flSeverity: 'error' });
  });
});

test('a name is underlined as a word, and without one the line', () => {
  const text = '  lock = my_lock(lock)  ';
  expect(spansOf('lock', text).map(([from, to]) => [from, text.slice(from, to)])).toEqual([
    [2, 'lock'],
    [17, 'lock']
  ]);
  expect(spansOf(null, text)).toEqual([[2, 22]]);
  expect(spansOf('absent', text)).toEqual([[2, 22]]);
  expect(spansOf('x', '   ')).toEqual([]);
});
