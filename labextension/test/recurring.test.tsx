import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { IRecurringRun } from '../src/api/recurringtypes';
import { ahead, zoned } from '../src/components/format';
import { RecurringTable } from '../src/components/RecurringTable';
import { Remarks } from '../src/components/Remarks';
import { plainTrans } from '../src/components/text';
import { initialTiming, timingOf, timingProblem } from '../src/components/timing';
import { RecurringModel } from '../src/model/recurring';
import { change, FakeContext, FakeRunFeed, settled, summary } from './helpers';

const recurring = (id: string, changes: Partial<IRecurringRun> = {}): IRecurringRun => ({
  id,
  name: `name ${id}`,
  enabled: true,
  when: 'every 1 h',
  time_zone: 'UTC',
  next: [],
  last_run: null,
  max_concurrency: 1,
  catchup: true,
  error: null,
  experiment_id: '',
  created_at: null,
  ...changes
});

describe('the timing of a form', () => {
  const begun = initialTiming('Europe/Berlin');

  test('a cron expression goes with its time zone, an interval without', () => {
    expect(timingOf(begun)).toEqual({
      cron: '0 7 * * *',
      time_zone: 'Europe/Berlin',
      max_concurrency: 1,
      catchup: true
    });
    expect(timingOf({ ...begun, kind: 'every', count: '90', unit: 'm', catchup: false })).toEqual({
      every: '90m',
      max_concurrency: 1,
      catchup: false
    });
    const start = '2026-01-01T08:00';
    expect(timingOf({ ...begun, kind: 'every', start })).toMatchObject({ time_zone: 'Europe/Berlin', start });
  });

  test.each([
    [{ cron: ' ' }, 'A cron expression is needed.'],
    [{ kind: 'every' as const, count: '0' }, 'The interval must be a whole number, 1 or more.'],
    [{ max_concurrency: '11' }, 'At most 1 to 10 runs at one time.'],
    [{}, '']
  ])('%j is told before the server is asked', (changes, problem) => {
    expect(timingProblem({ ...begun, ...changes }, plainTrans)).toBe(problem);
  });
});

test('a time to come is near or far, on the clock of its time zone', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const at = (seconds: number): string =>
    ahead(new Date(now + seconds * 1000).toISOString(), now, plainTrans);
  expect([0, 5, 180, 7300, 200000].map(at)).toEqual(['now', 'in 5 s', 'in 3 min', 'in 2 h', 'in 2 d']);
  expect(zoned('2026-07-01T05:00:00Z', 'Europe/Berlin')).toContain('7:00');
  expect(zoned('2026-07-01T05:00:07Z', 'Europe/Berlin')).toContain('7:00:07');
  expect(zoned('2026-07-01T05:00:00Z', 'Nowhere/Here')).toContain('2026');
});

describe('the model of recurring runs', () => {
  let feed: FakeRunFeed;
  let context: FakeContext;
  let model: RecurringModel;
  let rows: IRecurringRun[];
  let reads: number;

  beforeEach(async () => {
    feed = new FakeRunFeed();
    context = new FakeContext();
    rows = [recurring('1'), recurring('2')];
    reads = 0;
    const door = {
      list: () => {
        reads += 1;
        return Promise.resolve(rows);
      },
      enable: (id: string, enabled: boolean) => Promise.resolve(recurring(id, { enabled })),
      remove: () => Promise.resolve()
    };
    model = new RecurringModel(door, feed, context);
    await settled();
  });
  afterEach(() => model.dispose());

  test('it reads again when a run is there or has another state, not with each step', async () => {
    feed.runChanged.emit(change(summary('r')));
    await vi.waitFor(() => expect(reads).toBe(2));
    feed.runChanged.emit(change(summary('r'), { done: 1 }));
    await settled();
    expect(reads).toBe(2);
    feed.runChanged.emit(change(summary('r', { state: 'SUCCEEDED' })));
    await vi.waitFor(() => expect(reads).toBe(3), { timeout: 5000 });
  });

  test('what is switched or deleted shows at once', async () => {
    await model.enable('1', false);
    expect(model.rows.map(row => row.enabled)).toEqual([false, true]);
    await model.remove('2');
    expect(model.rows.map(row => row.id)).toEqual(['1']);
  });

  test('another context has others', async () => {
    rows = [];
    context.move({ context: 'team' });
    expect(model.load.kind).toBe('loading');
    await vi.waitFor(() => expect(model.load.kind).toBe('ready'), { timeout: 5000 });
    expect(model.rows).toEqual([]);
  });
});

describe('the table', () => {
  let host: HTMLElement;
  let root: Root;

  beforeEach(() => {
    (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
  });
  afterEach(() => {
    React.act(() => root.unmount());
    host.remove();
  });

  test('what has no effect is told folded, and nothing where all has', () => {
    React.act(() => root.render(<Remarks texts={['One.', 'Two.']} trans={plainTrans} />));
    const said = host.querySelector('details')!;
    expect([said.open, said.querySelector('summary')!.textContent]).toEqual([
      false,
      '2 things of it have no effect, or may come out otherwise.'
    ]);
    expect([...said.querySelectorAll('li')].map(one => one.textContent)).toEqual(['One.', 'Two.']);
    React.act(() => root.render(<Remarks texts={[]} trans={plainTrans} />));
    expect(host.childElementCount).toBe(0);
  });

  test('a row is switched, deleted and leads to its last run; without the right to, it says why', () => {
    const said: string[] = [];
    const draw = (refusal: string): void =>
      React.act(() =>
        root.render(
          <RecurringTable
            rows={[recurring('1', { last_run: summary('r'), error: 'The pipeline is gone.' })]}
            refusal={refusal}
            onEnable={(row, enabled) => said.push(`enable ${row.id} ${enabled}`)}
            onDelete={row => said.push(`delete ${row.id}`)}
            onOpenRun={run => said.push(`open ${run}`)}
            trans={plainTrans}
          />
        )
      );
    const click = (action: string): void =>
      React.act(() => host.querySelector<HTMLElement>(`[data-fl-action='${action}']`)!.click());
    draw('');
    ['toggle', 'delete', 'open-last'].forEach(click);
    expect(said).toEqual(['enable 1 false', 'delete 1', 'open r']);
    expect(host.querySelector('[role="alert"]')!.textContent).toBe('The pipeline is gone.');
    draw('You may not.');
    ['toggle', 'delete'].forEach(click);
    expect(said.length).toBe(3);
    expect(host.querySelector<HTMLElement>('[role="switch"]')!.title).toBe('You may not.');
  });
});
