import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { flushSync } from 'react-dom';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { IComparison } from '../src/comparison';
import { CompareTable } from '../src/components/compare/CompareTable';
import { SourceDiffs } from '../src/components/compare/SourceDiffs';
import { plainTrans as trans } from '../src/components/text';
import { ComparisonModel } from '../src/model/comparison';
import { change, FakeRunFeed, settled, summary } from './helpers';

const run = (id: string): IComparison['runs'][number] => ({
  id,
  name: id,
  label: id,
  state: 'SUCCEEDED',
  created_at: null,
  finished_at: null
});

const FOUND: IComparison = {
  runs: [run('one'), run('two')],
  parameters: [
    { name: 'trees', values: [5, 7], differs: true },
    { name: 'seed', values: [1, 1], differs: false }
  ],
  metrics: [{ name: 'accuracy', values: [0.9, null], differs: true }],
  plots: [],
  artifacts: [
    { task: 'fit', name: 'model', type: 'Model', values: [{ id: 'a', uri: '/a', size: 1500 }, null] }
  ],
  sources: [
    { step: 'load', changes: ['same', 'same'], diffs: ['', ''] },
    {
      step: 'fit',
      changes: ['same', 'changed'],
      diffs: ['', '--- one\n+++ two\n@@ -1 +1 @@\n-a = 1\n+a = 2']
    }
  ]
};

let host: HTMLElement;
let root: Root;
beforeEach(() => {
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});
afterEach(() => {
  flushSync(() => root.unmount());
  host.remove();
});

const verbs = { onOpenRun: vi.fn(), onOpenArtifact: vi.fn(), onBaseline: vi.fn(), onRemove: vi.fn() };

function table(onlyDifferences: boolean): void {
  flushSync(() =>
    root.render(<CompareTable found={FOUND} onlyDifferences={onlyDifferences} trans={trans} {...verbs} />)
  );
}
const rows = (): (string | undefined)[] =>
  [...host.querySelectorAll<HTMLElement>('[data-fl-row]')].map(row => row.dataset.flRow);
const click = (selector: string): void => flushSync(() => host.querySelector<HTMLElement>(selector)!.click());

describe('runs side by side', () => {
  test('show what differs, and all where it is asked for', () => {
    table(true);
    expect(rows()).toEqual(['trees', 'accuracy', 'fit.model']);
    table(false);
    expect(rows()).toEqual(['trees', 'seed', 'accuracy', 'fit.model']);
    const cells = [...host.querySelectorAll('[data-fl-row="accuracy"] td')].map(one => one.textContent);
    expect(cells).toEqual(['90.0 %', '–']);
  });

  test('have the first as baseline, and let another be it', () => {
    table(true);
    expect(host.querySelector('[data-fl-compared="one"]')!.textContent).toContain('Baseline');
    click('[data-fl-compared="two"] [data-fl-action="baseline"]');
    expect(verbs.onBaseline).toHaveBeenCalledWith('two');
    click('[data-fl-compared="two"] [data-fl-action="leave-out"]');
    expect(verbs.onRemove).toHaveBeenCalledWith('two');
    click('[data-fl-row="fit.model"] .fl-Link');
    expect(verbs.onOpenArtifact).toHaveBeenCalledWith('a');
  });

  test('show what differs in their code, line by line', () => {
    flushSync(() => root.render(<SourceDiffs found={FOUND} trans={trans} />));
    expect([...host.querySelectorAll<HTMLElement>('details')].map(one => one.dataset.flSource)).toEqual([
      'fit'
    ]);
    const lines = [...host.querySelectorAll<HTMLElement>('[data-fl-line]')];
    expect(lines.map(line => [line.dataset.flLine, line.textContent])).toEqual([
      ['place', '@@ -1 +1 @@'],
      ['removed', '-a = 1'],
      ['added', '+a = 2']
    ]);
  });
});

describe('the model', () => {
  const make = (): [ComparisonModel, ReturnType<typeof vi.fn>, FakeRunFeed] => {
    const comparison = vi.fn((ids: readonly string[]) =>
      Promise.resolve({ ...FOUND, runs: ids.map(run) } as IComparison)
    );
    const feed = new FakeRunFeed();
    return [new ComparisonModel(['one', 'two'], { comparison }, feed), comparison, feed];
  };

  test('reads again with another baseline, more runs or fewer', async () => {
    const [model, comparison] = make();
    await settled();
    model.makeBaseline('two');
    await settled();
    expect(comparison).toHaveBeenLastCalledWith(['two', 'one']);
    model.add(['three', 'one']);
    await settled();
    expect(model.found!.runs.map(one => one.id)).toEqual(['two', 'one', 'three']);
    model.remove('one');
    await settled();
    expect(model.runs).toEqual(['two', 'three']);
    model.dispose();
  });

  test('leaves out a run that was deleted, and follows one that ends', async () => {
    const [model, comparison, feed] = make();
    await settled();
    feed.runChanged.emit(change(summary('one', { state: 'FAILED' })));
    await settled();
    expect(comparison).toHaveBeenCalledTimes(2);
    feed.runChanged.emit(change(summary('two'), { deleted: true }));
    await settled();
    expect(model.runs).toEqual(['one']);
    model.dispose();
  });
});
