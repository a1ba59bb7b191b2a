import { describe, expect, test } from 'vitest';

import type { IStep } from '../src/api/types';
import { IStepCell, settingsOf, slug } from '../src/model/stepcells';
import { StepEdits } from '../src/model/stepedits';

const step = (name: string, cell_ids: string[], changes: Partial<IStep> = {}): IStep => ({
  name,
  title: name,
  cell_ids,
  first_cell_index: 0,
  reads: [],
  writes: [],
  after: [],
  depends_on: [],
  color_index: 0,
  ...changes
});
const cell = (id: string, changes: Partial<IStepCell> = {}): IStepCell => ({
  id,
  type: 'code',
  source: 'x = 1',
  tags: [],
  fairlead: {},
  ...changes
});
const tagged = (id: string, ...tags: string[]): IStepCell => cell(id, { tags });
const text = (id: string, source: string): IStepCell => cell(id, { type: 'markdown', source });

/** What an edit changes, by cell: only what is otherwise. */
function changed(
  cells: IStepCell[],
  steps: IStep[],
  edit: (edits: StepEdits) => void
): Record<string, Partial<IStepCell>> {
  const edits = new StepEdits(cells, steps);
  edit(edits);
  return Object.fromEntries(
    edits.changes.map(now => {
      const was = cells.find(one => one.id === now.id)!;
      const keys = (['source', 'tags', 'fairlead'] as const).filter(
        key => JSON.stringify(now[key]) !== JSON.stringify(was[key])
      );
      return [now.id, Object.fromEntries(keys.map(key => [key, now[key]]))];
    })
  );
}

test('a name is made as the analysis makes it', () => {
  expect(['Train Model', 'train_logistic', ' Über--fit! '].map(slug)).toEqual([
    'train-model',
    'train-logistic',
    'uber-fit'
  ]);
});

describe('renaming', () => {
  const train = step('train-it', ['b', 'c'], { title: 'train_it' });

  test('by tags, it is named anew in its own cells and wherever it is waited for', () => {
    const cells = [
      tagged('a', 'step:load'),
      tagged('b', 'x', 'step:train_it', 'after:load'),
      tagged('c', 'step:train_it'),
      tagged('d', 'step:end', 'after:train-it'),
      cell('e', { fairlead: { after: ['load', 'train_it'], cpu: 1 } }),
      cell('f', { fairlead: { after: 'train_it' } })
    ];
    expect(changed(cells, [step('load', ['a']), train], edits => edits.rename(train, 'fit'))).toEqual({
      b: { tags: ['x', 'step:fit', 'after:load'] },
      c: { tags: ['step:fit'] },
      d: { tags: ['step:end', 'after:fit'] },
      e: { fairlead: { after: ['load', 'fit'], cpu: 1 } },
      f: { fairlead: { after: 'fit' } }
    });
  });

  test("Kale's tags stay Kale's", () => {
    const cells = [
      tagged('a', 'block:load'),
      tagged('b', 'block:train_it', 'prev:load'),
      cell('c'),
      tagged('d', 'block:end', 'prev:train_it')
    ];
    const steps = [step('load', ['a']), train, step('end', ['d'])];
    const both = (edits: StepEdits): void => {
      edits.rename(train, 'fit');
      edits.setAfter(train, []);
      edits.make('c', 'score');
    };
    expect(changed(cells, steps, both)).toEqual({
      b: { tags: ['block:fit'] },
      c: { tags: ['block:score'] },
      d: { tags: ['block:end', 'prev:fit'] }
    });
  });

  test('by metadata, the metadata is changed', () => {
    const cells = [cell('b', { fairlead: { step: 'train_it', retries: 2 } }), cell('c')];
    expect(changed(cells, [train], edits => edits.rename(train, 'fit'))).toEqual({
      b: { fairlead: { step: 'fit', retries: 2 } }
    });
  });

  test('by headings, the heading is changed and its level is kept', () => {
    const cells = [text('a', 'words\n\n## train_it ##\nmore'), cell('b'), cell('c')];
    expect(changed(cells, [train], edits => edits.rename(train, 'Fit it'))).toEqual({
      a: { source: 'words\n\n## Fit it ##\nmore' }
    });
  });

  test('the code before the first step, which no tag names, gets one', () => {
    const start = step('start', ['a']);
    const cells = [cell('a'), tagged('b', 'step:train_it')];
    expect(changed(cells, [start, train], edits => edits.rename(start, 'load'))).toEqual({
      a: { tags: ['step:load'] }
    });
  });
});

describe('waiting', () => {
  const [load, end] = [step('load-it', ['a'], { title: 'Load it' }), step('end', ['b', 'c'])];

  test.each<[string, IStepCell[], string[], object]>([
    [
      'tags stay tags, and what stood there is kept as it was written',
      [tagged('a', 'step:Load it'), tagged('b', 'step:end'), tagged('c', 'after:Load it')],
      ['load-it', 'gone'],
      { b: { tags: ['step:end', 'after:Load it', 'after:gone'] }, c: { tags: [] } }
    ],
    [
      'metadata stays metadata',
      [tagged('a', 'step:Load it'), cell('b', { tags: ['step:end'], fairlead: { after: 'x' } }), cell('c')],
      ['load-it'],
      { b: { fairlead: { after: ['Load it'] } } }
    ],
    [
      'a notebook of metadata gets metadata',
      [cell('a', { fairlead: { step: 'Load it' } }), cell('b', { fairlead: { step: 'end' } }), cell('c')],
      ['load-it'],
      { b: { fairlead: { step: 'end', after: ['Load it'] } } }
    ],
    [
      'nothing is left where nothing is waited for',
      [tagged('a', 'step:Load it'), tagged('b', 'step:end', 'after:Load it'), cell('c')],
      [],
      { b: { tags: ['step:end'] } }
    ]
  ])('%s', (_, cells, names, expected) => {
    expect(changed(cells, [load, end], edits => edits.setAfter(end, names))).toEqual(expected);
  });
});

describe('settings', () => {
  const train = step('train', ['a', 'b']);
  const cells = [
    cell('a', { tags: ['step:train'], fairlead: { resources: { cpu: '2' } } }),
    cell('b', { fairlead: { resources: { memory: '4Gi' }, retries: 1 } })
  ];

  test('those of all cells are read, maps joined', () => {
    expect(settingsOf(cells, train)).toEqual({ resources: { cpu: '2', memory: '4Gi' }, retries: 1 });
  });

  test('a setting stays in the cell that has it, a new one goes to the first, and none is left empty', () => {
    expect(
      changed(cells, [train], edits => {
        edits.set(train, 'retries', 3);
        edits.set(train, 'packages', ['pandas']);
        edits.set(train, 'resources', undefined);
      })
    ).toEqual({ a: { fairlead: { packages: ['pandas'] } }, b: { fairlead: { retries: 3 } } });
  });
});

describe('making, joining and marking', () => {
  const [load, train] = [step('load', ['a', 'b']), step('train', ['c', 'd'])];
  const cells = [
    tagged('a', 'step:load'),
    cell('b'),
    cell('c', { tags: ['step:train', 'after:load'], fairlead: { retries: 1 } }),
    cell('d'),
    tagged('e', 'step:end', 'after:train')
  ];
  const steps = [load, train, step('end', ['e'])];

  test('a step begins with a cell, which is no setup any more', () => {
    expect(changed(cells, steps, edits => edits.make('b', 'split'))).toEqual({ b: { tags: ['step:split'] } });
    const setup = [tagged('a', 'step:load'), tagged('b', 'setup', 'x')];
    expect(changed(setup, [load], edits => edits.make('b', 'split'))).toEqual({
      b: { tags: ['x', 'step:split'] }
    });
  });

  test('the first tag in a notebook of headings keeps its other steps', () => {
    const headed = [text('h1', '# load'), cell('a'), cell('b'), text('h2', '# train'), cell('c'), cell('d')];
    expect(changed(headed, [load, train], edits => edits.make('d', 'score'))).toEqual({
      a: { tags: ['step:load'] },
      c: { tags: ['step:train'] },
      d: { tags: ['step:score'] }
    });
  });

  test('the first step of a plain notebook is the only one', () => {
    const whole = step('notebook', ['a', 'b']);
    expect(changed([cell('a'), cell('b')], [whole], edits => edits.make('b', 'train'))).toEqual({
      b: { tags: ['step:train'] }
    });
  });

  test('a step that is joined to the one before is waited for under its name, and waits for itself no more', () => {
    const edits = new StepEdits(cells, steps);
    expect(['a', 'b', 'c', 'd', 'e'].map(id => edits.canJoin(id))).toEqual([false, false, true, false, true]);
    expect(changed(cells, steps, one => one.join('c'))).toEqual({
      c: { tags: [] },
      e: { tags: ['step:end', 'after:load'] }
    });
  });

  test('a step whose first cell is taken out goes on with its next', () => {
    expect(changed(cells, steps, edits => edits.mark('c', 'skip'))).toEqual({
      c: { tags: ['skip'], fairlead: {} },
      d: { tags: ['step:train', 'after:load'], fairlead: { retries: 1 } }
    });
    expect(changed(cells, steps, edits => edits.mark('b', 'parameters'))).toEqual({
      b: { tags: ['parameters'] }
    });
  });
});
