import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { IRunEntry, IRunPage, IRunQuery } from '../src/api/runtypes';
import { initialValues, IParameter, parseAll } from '../src/components/parameters';
import { RunTable } from '../src/components/RunTable';
import { StepTable } from '../src/components/StepTable';
import { plainTrans } from '../src/components/text';
import { RunTableModel } from '../src/model/runtable';
import { change, FakeContext, FakeRunFeed, node, settled, summary } from './helpers';

const entry = (id: string, changes: Partial<IRunEntry> = {}): IRunEntry => ({
  ...summary(id),
  pipeline: 'digits',
  experiment_id: 'e',
  experiment: 'Default',
  archived: false,
  pinned: false,
  baseline: false,
  labels: {},
  ...changes
});

describe('the model of the table of runs', () => {
  let feed: FakeRunFeed;
  let context: FakeContext;
  let model: RunTableModel;
  let pages: Record<string, IRunPage>;
  let asked: IRunQuery[];

  beforeEach(async () => {
    feed = new FakeRunFeed();
    context = new FakeContext();
    asked = [];
    pages = {
      '': { runs: [entry('1'), entry('2')], total_size: 3, next_page_token: 'second' },
      second: { runs: [entry('3', { state: 'SUCCEEDED' })], total_size: 3, next_page_token: '' }
    };
    const runPage = (query: IRunQuery): Promise<IRunPage> => {
      asked.push(query);
      return Promise.resolve(pages[query.page_token ?? '']);
    };
    model = new RunTableModel({ runPage }, feed, context);
    await settled();
  });
  afterEach(() => model.dispose());

  const ids = (): string[] => model.runs.map(run => run.id);
  const until = (holds: () => void): Promise<void> => vi.waitFor(holds, { timeout: 5000 });

  test('it has one page, and turns to the next and back', async () => {
    expect([ids(), model.range, model.total]).toEqual([['1', '2'], [1, 2], 3]);
    expect([model.hasPrevious, model.hasNext]).toEqual([false, true]);
    model.next();
    await until(() => expect(ids()).toEqual(['3']));
    expect(model.hasNext).toBe(false);
    model.previous();
    await until(() => expect(ids()).toEqual(['1', '2']));
  });

  test('the server filters and sorts, from the first page on', async () => {
    model.next();
    await until(() => expect(ids()).toEqual(['3']));
    model.setFilter({ name: 'dig', states: ['FAILED'], sort: 'name', descending: false });
    await until(() => expect(ids()).toEqual(['1', '2']));
    expect(asked[asked.length - 1]).toMatchObject({
      page_token: '',
      sort_by: 'name asc',
      name: 'dig',
      state: ['FAILED'],
      storage_state: 'AVAILABLE'
    });
  });

  test('progress is taken from its event, another state or a new run is read', async () => {
    feed.runChanged.emit(change(summary('1'), { done: 1 }));
    expect(model.runs[0].done).toBe(1);
    expect(asked.length).toBe(1);
    pages[''].runs[0] = entry('1', { state: 'FAILED' });
    feed.runChanged.emit(change(summary('1', { state: 'FAILED' })));
    await until(() => expect(model.runs[0].state).toBe('FAILED'));
    pages[''].runs.unshift(entry('0'));
    feed.runChanged.emit(change(summary('0')));
    await until(() => expect(ids()).toEqual(['0', '1', '2']));
  });

  test('rows stay chosen while they are there', async () => {
    model.choose(['1', '2'], true);
    pages[''].runs = [entry('2')];
    feed.runChanged.emit(change(summary('1'), { deleted: true }));
    await until(() => expect([...model.chosen]).toEqual(['2']));
  });

  test('another context begins anew, without the experiment of the old one', async () => {
    model.setFilter({ experiment: 'e' });
    await until(() => expect(asked[asked.length - 1].experiment_id).toBe('e'));
    context.move({ context: 'team' });
    await until(() => expect(asked[asked.length - 1].experiment_id).toBe(''));
  });

  test('a page that was emptied meanwhile gives way to the one before it', async () => {
    model.next();
    await until(() => expect(ids()).toEqual(['3']));
    pages.second.runs = [];
    feed.runChanged.emit(change(summary('3'), { deleted: true }));
    await until(() => expect(ids()).toEqual(['1', '2']));
  });
});

describe('what is drawn', () => {
  let host: HTMLElement;
  let root: Root;
  const find = (selector: string): HTMLElement => host.querySelector<HTMLElement>(selector)!;

  beforeEach(() => {
    (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
  });
  afterEach(() => {
    React.act(() => root.unmount());
    host.remove();
  });

  test('the table of runs is sorted by its heads and chosen by its boxes', () => {
    const [onSort, onChoose, onOpen, onLabel] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    React.act(() =>
      root.render(
        <RunTable
          runs={[entry('1'), entry('2', { labels: { team: 'vision', checked: '' } })]}
          chosen={new Set(['2'])}
          sort="created_at"
          descending
          onSort={onSort}
          onChoose={onChoose}
          onOpen={onOpen}
          onLabel={onLabel}
          trans={plainTrans}
        />
      )
    );
    expect(find('th[aria-sort="descending"]').textContent).toContain('Created');
    React.act(() => find('[data-fl-sort="name"]').click());
    React.act(() => find('[data-fl-sort="created_at"]').click());
    expect(onSort.mock.calls).toEqual([
      ['name', false],
      ['created_at', false]
    ]);
    expect((find('[data-fl-choose="all"]') as HTMLInputElement).indeterminate).toBe(true);
    React.act(() => find('[data-fl-choose="all"]').click());
    React.act(() => find('[data-fl-choose="2"]').click());
    expect(onChoose.mock.calls).toEqual([
      [['1', '2'], true],
      [['2'], false]
    ]);
    React.act(() => find('[data-fl-run="1"] [data-fl-action="open"]').click());
    expect(onOpen.mock.calls).toEqual([['1']]);
    React.act(() => find('[data-fl-label="team"]').click());
    React.act(() => find('[data-fl-label="checked"]').click());
    expect(onLabel.mock.calls).toEqual([['team=vision'], ['checked']]);
  });

  test('the table of steps is filtered and sorted, and its arrows go from row to row', () => {
    const times = (seconds: number): object => ({
      started_at: '2026-01-01T00:00:00Z',
      finished_at: `2026-01-01T00:00:0${seconds}Z`
    });
    const steps = [
      node('load', { state: 'SUCCEEDED', ...times(3) }),
      node('loop', { type: 'LOOP', state: 'FAILED', ...times(9) }),
      node('loop.0.work', { name: 'work', parent: 'loop.0', state: 'FAILED', ...times(1) })
    ];
    React.act(() =>
      root.render(<StepTable steps={steps} selected={null} onSelect={() => undefined} trans={plainTrans} />)
    );
    const rows = (): string[] =>
      [...host.querySelectorAll<HTMLElement>('[data-fl-step]')].map(row => row.dataset.flStep!);
    React.act(() => find('[data-fl-sort="duration"]').click());
    expect(rows()).toEqual(['loop.0.work', 'load', 'loop']);
    React.act(() => find('[data-fl-sort="duration"]').click());
    expect(rows()).toEqual(['loop', 'load', 'loop.0.work']);
    React.act(() => find('[data-fl-sort="duration"]').click());
    expect(rows()).toEqual(['load', 'loop', 'loop.0.work']);
    const state = find('[data-fl-filter="step-state"]') as HTMLSelectElement;
    React.act(() => {
      state.value = 'FAILED';
      state.dispatchEvent(new Event('change', { bubbles: true }));
    });
    expect(rows()).toEqual(['loop', 'loop.0.work']);
    expect(find('[data-fl-fact="steps"]').textContent).toBe('2 of 3');
    const first = find('[data-fl-step="loop"] button');
    first.focus();
    first.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
    expect(document.activeElement).toBe(find('[data-fl-step="loop.0.work"] button'));
  });
});

describe('parameters of a form', () => {
  const parameter = (name: string, type: string, more: Partial<IParameter> = {}): IParameter => ({
    name,
    type,
    description: '',
    optional: true,
    literals: [],
    ...more
  });
  const of = (type: string, text: string, more: Partial<IParameter> = {}): unknown => {
    const { values, errors } = parseAll([parameter('x', type, more)], { x: text }, plainTrans);
    return errors.x ?? values.x;
  };

  test('each type takes its own values and says what is wrong with others', () => {
    expect(of('NUMBER_INTEGER', ' -3 ')).toBe(-3);
    expect(of('NUMBER_INTEGER', '3.5')).toBe('It must be a whole number.');
    expect(of('NUMBER_INTEGER', '99999999999999999999')).toBe('It is larger than JSON carries exactly.');
    expect(of('NUMBER_DOUBLE', '1e-3')).toBe(0.001);
    expect(of('NUMBER_DOUBLE', '0x10')).toBe('It must be a number.');
    expect(of('BOOLEAN', 'true')).toBe(true);
    expect(of('LIST', '[1, "a"]')).toEqual([1, 'a']);
    expect(of('LIST', '{"a": 1}')).toBe('It must be a list: [ … ].');
    expect(of('STRUCT', '{"a": 1}')).toEqual({ a: 1 });
    expect(of('STRUCT', 'null')).toBe('It must be an object: { … }.');
    expect(of('STRUCT', '{')).toMatch(/^It is not JSON: /);
    expect(of('STRING', ' "quoted"\nlines ')).toBe(' "quoted"\nlines ');
    expect(of('STRING', 'c', { literals: ['a', 'b'] })).toBe('It must be one of "a", "b".');
  });

  test('a form begins with the values of the run, and what has none and no default is asked for', () => {
    const parameters = [
      parameter('n', 'NUMBER_INTEGER', { value: 2 }),
      parameter('names', 'LIST', { value: ['a'] }),
      parameter('free', 'STRING'),
      parameter('needed', 'STRING', { optional: false })
    ];
    const values = initialValues(parameters);
    expect(values).toEqual({ n: '2', names: '[\n  "a"\n]', free: null, needed: null });
    expect(parseAll(parameters, values, plainTrans)).toEqual({
      values: { n: 2, names: ['a'] },
      errors: { needed: 'It has no default: a value is needed.' }
    });
  });
});
