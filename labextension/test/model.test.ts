import { describe, expect, test, vi } from 'vitest';

import { ApiError, ServerMissingError } from '../src/api/errors';
import type { IRunDetail, IRunSummary } from '../src/api/types';
import { coalesced } from '../src/model/coalesce';
import { RunModel } from '../src/model/run';
import { RunsModel } from '../src/model/runs';
import { StartedRuns } from '../src/model/started';
import { change, detail, FakeContext, FakeRunFeed, node, settled, summary, WELL } from './helpers';

function runsModel(runs: IRunSummary[]): {
  model: RunsModel;
  events: FakeRunFeed;
  context: FakeContext;
  client: { runs: ReturnType<typeof vi.fn> };
} {
  const client = { runs: vi.fn(() => Promise.resolve(runs)) };
  const events = new FakeRunFeed();
  const context = new FakeContext();
  return { model: new RunsModel(client, events, context), events, context, client };
}

describe('RunsModel', () => {
  test('nothing is asked before the start, and a second start asks nothing', async () => {
    const { model, client, events, context } = runsModel([summary('1')]);
    expect(client.runs).not.toHaveBeenCalled();
    model.start();
    model.start();
    await settled();
    expect(client.runs).toHaveBeenCalledTimes(1);
    expect(events.starts).toBe(1);
    expect(model.runs).toEqual([summary('1')]);
    expect(context.starts).toBe(1);
    expect(model.load).toEqual({ kind: 'ready' });
    expect(model.active).toBe(1);
  });

  test('progress is taken from the event without asking', async () => {
    const { model, client, events } = runsModel([summary('1')]);
    model.start();
    await settled();
    events.runChanged.emit(change(summary('1'), { done: 1 }));
    expect(model.runs).toEqual([summary('1', { done: 1 })]);
    expect(client.runs).toHaveBeenCalledTimes(1);
  });

  test('another state and an unknown run are read from the server', async () => {
    const { model, client, events } = runsModel([summary('1')]);
    model.start();
    await settled();
    const ended = summary('1', { state: 'SUCCEEDED', done: 2 });
    client.runs.mockResolvedValue([summary('2'), ended]);
    const told: IRunSummary[] = [];
    model.ended.connect((_, run) => void told.push(run));
    events.runChanged.emit(change(ended));
    await vi.waitFor(() => expect(model.runs).toEqual([summary('2'), ended]));
    expect(told).toEqual([ended]);
  });

  test('a deleted run is gone', async () => {
    const { model, events } = runsModel([summary('1'), summary('2')]);
    model.start();
    await settled();
    events.runChanged.emit(change(summary('1'), { deleted: true }));
    expect(model.runs).toEqual([summary('2')]);
  });

  test('when the socket opens again everything is read once', async () => {
    const { model, client, events } = runsModel([]);
    model.start();
    await settled();
    events.opened.emit();
    await settled();
    expect(client.runs).toHaveBeenCalledTimes(2);
  });

  test('a watch that is well again makes it read again, and what was known stays meanwhile', async () => {
    const { model, client, events } = runsModel([summary('1')]);
    model.start();
    await settled();
    events.healthChanged.emit({ health: 'reconnecting', message: 'gone', hint: '' });
    expect(model.health.message).toBe('gone');
    expect(model.runs).toEqual([summary('1')]);
    events.healthChanged.emit(WELL);
    await vi.waitFor(() => expect(client.runs).toHaveBeenCalledTimes(2));
  });

  test('another context has other runs, and a late answer about the old one is left out', async () => {
    const { model, client, context } = runsModel([summary('old')]);
    model.start();
    await settled();
    let answer: (runs: IRunSummary[]) => void = () => undefined;
    client.runs.mockReturnValueOnce(new Promise(resolve => (answer = resolve)));
    void model.refresh();
    client.runs.mockResolvedValue([summary('new')]);
    context.move({ context: 'cluster' });
    expect([model.runs, model.load]).toEqual([[], { kind: 'loading' }]);
    answer([summary('old')]);
    await settled();
    expect(model.runs).toEqual([]);
    await vi.waitFor(() => expect(model.runs).toEqual([summary('new')]));
  });

  test('a server without the extension is told apart from one that fails', async () => {
    const { model, client } = runsModel([]);
    client.runs.mockRejectedValueOnce(new ServerMissingError());
    model.start();
    await settled();
    expect(model.load).toEqual({ kind: 'missing' });
    client.runs.mockRejectedValueOnce(new ApiError(502, 'The plane did not start.', 'Look at plane.log.'));
    await model.refresh();
    expect(model.load).toEqual({
      kind: 'error',
      message: 'The plane did not start.',
      hint: 'Look at plane.log.'
    });
    await model.refresh();
    expect(model.load).toEqual({ kind: 'ready' });
  });
});

describe('RunModel', () => {
  const graph = (states: Record<string, 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED'>): IRunDetail =>
    detail(
      'r',
      Object.entries(states).map(([id, state]) => node(id, { state }))
    );
  const follow = (
    first: IRunDetail
  ): { model: RunModel; events: FakeRunFeed; context: FakeContext; run: ReturnType<typeof vi.fn> } => {
    const run = vi.fn(() => Promise.resolve(first));
    const events = new FakeRunFeed();
    const context = new FakeContext();
    return { model: new RunModel('r', { run }, events, context), events, context, run };
  };

  test('its own events make it read again, those of others do not', async () => {
    const { events, run } = follow(graph({ a: 'RUNNING' }));
    await settled();
    events.runChanged.emit(change(summary('other')));
    await settled();
    expect(run).toHaveBeenCalledTimes(1);
    events.runChanged.emit(change(summary('r')));
    await settled();
    expect(run).toHaveBeenCalledTimes(2);
  });

  test('by itself it shows the running step, stays with it at the end, and goes to a failed one', async () => {
    const { model, run } = follow(graph({ a: 'SUCCEEDED', b: 'RUNNING', c: 'PENDING' }));
    await settled();
    expect(model.selected?.id).toBe('b');
    run.mockResolvedValue(graph({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'PENDING' }));
    await model.refresh();
    expect(model.selected?.id).toBe('b');
    run.mockResolvedValue(graph({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'FAILED' }));
    await model.refresh();
    expect(model.selected?.id).toBe('c');
    model.select('a');
    await model.refresh();
    expect(model.selected?.id).toBe('a');
  });

  test('a deleted run is gone, and one that never was says why', async () => {
    const { model, events, run } = follow(graph({ a: 'RUNNING' }));
    await settled();
    events.runChanged.emit(change(summary('r'), { deleted: true }));
    expect(model.load).toEqual({ kind: 'gone', message: '', hint: '' });
    run.mockRejectedValue(new ApiError(404, "No run 'r'.", 'List them.'));
    await model.refresh();
    expect(model.load).toEqual({ kind: 'gone', message: "No run 'r'.", hint: 'List them.' });
  });

  test('what was known stays while the server is away', async () => {
    const known = graph({ a: 'RUNNING' });
    const { model, run } = follow(known);
    await settled();
    run.mockRejectedValue(new ApiError(0, 'No answer.'));
    await model.refresh();
    expect(model.run).toEqual(known);
    expect(model.load).toEqual({ kind: 'error', message: 'No answer.', hint: '' });
  });

  test('while another context is in use it stays as last known, and goes on when its own is back', async () => {
    const { model, context, run } = follow(graph({ a: 'RUNNING' }));
    await settled();
    context.move({ context: 'cluster' });
    expect(model.load).toEqual({ kind: 'elsewhere', context: 'local' });
    await model.refresh();
    expect(run).toHaveBeenCalledTimes(1);
    expect(model.run).not.toBeNull();
    context.move({});
    await vi.waitFor(() => expect(model.load).toEqual({ kind: 'ready' }));
    expect(run).toHaveBeenCalledTimes(2);
  });

  test('after its end it listens no more', async () => {
    const { model, events, run } = follow(graph({ a: 'RUNNING' }));
    await settled();
    model.dispose();
    events.runChanged.emit(change(summary('r')));
    await settled();
    expect(run).toHaveBeenCalledTimes(1);
  });
});

describe('coalesced', () => {
  test('a burst of calls is answered by one run and one more', async () => {
    const ends: (() => void)[] = [];
    const work = vi.fn(() => new Promise<void>(resolve => ends.push(resolve)));
    const call = coalesced(work, 0);
    const all = Promise.all([call(), call(), call(), call()]);
    expect(work).toHaveBeenCalledTimes(1);
    ends.shift()!();
    await vi.waitFor(() => expect(work).toHaveBeenCalledTimes(2));
    ends.shift()!();
    await all;
    expect(work).toHaveBeenCalledTimes(2);
  });

  test('a failure does not stop what waits for its turn', async () => {
    const work = vi.fn(() => Promise.resolve()).mockRejectedValueOnce(new Error('first'));
    const call = coalesced(work, 0);
    const first = call();
    const second = call();
    await expect(first).rejects.toThrow('first');
    await second;
    expect(work).toHaveBeenCalledTimes(2);
  });
});

test('a run is known by the notebook that started it, and the other way round', () => {
  const started = new StartedRuns();
  const paths: string[] = [];
  started.changed.connect((_, path) => void paths.push(path));
  started.put('a.ipynb', '1');
  started.put('a.ipynb', '2');
  expect([started.of('a.ipynb'), started.of('b.ipynb')]).toEqual(['2', null]);
  expect([started.notebookOf('2'), started.notebookOf('1')]).toEqual(['a.ipynb', null]);
  expect(paths).toEqual(['a.ipynb', 'a.ipynb']);
  started.restore([['a.ipynb', 'old'], ['b.ipynb', '3'], 'rubbish', [1, 2]]);
  started.restore(undefined);
  expect(started.entries).toEqual([
    ['a.ipynb', '2'],
    ['b.ipynb', '3']
  ]);
});
