import { describe, expect, test, vi } from 'vitest';

import type { Capabilities, IContext, IRunChange, IRunRow, IUsage } from '../src/api/types';
import { ContextModel } from '../src/model/context';
import { RunFeed } from '../src/model/runfeed';
import { CONTEXT, FakeFeed, settled } from './helpers';

const AMOUNT = { used: 1, allocatable: 4, quota: null };
const USAGE: IUsage = { cpu: AMOUNT, memory: AMOUNT, gpu: AMOUNT, scope: 'cluster' };
const CAPABILITIES: Capabilities = {
  Run: {
    available: true,
    reason: '',
    verbs: { create: { allowed: false, reason: 'You may not.' }, delete: { allowed: true, reason: '' } }
  },
  Experiment: { available: false, reason: 'Katib is not there.', verbs: {} }
};

function made(): {
  model: ContextModel;
  feed: FakeFeed;
  client: { capabilities: ReturnType<typeof vi.fn>; use: ReturnType<typeof vi.fn> };
  tell: (context: Partial<IContext>) => void;
} {
  const feed = new FakeFeed();
  const client = {
    capabilities: vi.fn(() => Promise.resolve(CAPABILITIES)),
    use: vi.fn(() => Promise.resolve({ context: 'local', namespace: 'default' }))
  };
  const model = new ContextModel(client, feed);
  const tell = (context: Partial<IContext>): void =>
    feed.tell('context', { snapshot: true, rows: { context: { ...CONTEXT, ...context } }, gone: [] });
  return { model, feed, client, tell };
}

describe('ContextModel', () => {
  test('it listens once, and asks what the cluster can do when it is there', async () => {
    const { model, feed, client, tell } = made();
    model.start();
    model.start();
    expect(feed.topics).toEqual(['context']);
    expect([model.state, model.stale]).toEqual(['starting', false]);
    tell({ health: 'starting' });
    expect(client.capabilities).not.toHaveBeenCalled();
    tell({});
    await settled();
    expect(client.capabilities).toHaveBeenCalledTimes(1);
    expect(model.state).toBe('ok');
    tell({});
    await settled();
    expect(client.capabilities).toHaveBeenCalledTimes(1);
  });

  test('what is missing or forbidden is refused with the reason, what is unknown is not', async () => {
    const { model, tell } = made();
    model.start();
    expect(model.refusal('Run', 'create')).toBe('');
    tell({});
    await settled();
    expect(model.refusal('Run', 'create')).toBe('You may not.');
    expect(model.refusal('Run', 'delete')).toBe('');
    expect(model.refusal('Run', 'patch')).toBe('');
    expect(model.refusal('Experiment', 'create')).toBe('Katib is not there.');
    expect(model.refusal('Nothing', 'create')).toBe('');
  });

  test('trouble leaves what was known, marked as stale', async () => {
    const { model, feed, client, tell } = made();
    model.start();
    model.watchUsage();
    tell({});
    feed.tell('usage', { snapshot: true, rows: { usage: USAGE }, gone: [] });
    tell({ health: 'reconnecting', message: 'Nothing answers.' });
    expect([model.state, model.stale, model.usage]).toEqual(['reconnecting', true, USAGE]);
    feed.connect(false);
    expect([model.state, model.stale]).toEqual(['offline', true]);
    feed.connect(true);
    tell({});
    await settled();
    expect([model.state, model.stale]).toEqual(['ok', false]);
    // It may be another server by now.
    await vi.waitFor(() => expect(client.capabilities).toHaveBeenCalledTimes(2));
  });

  test('another namespace is told, and forgets what was known of the old one', async () => {
    const { model, feed, tell } = made();
    const moves: string[] = [];
    model.moved.connect((_, context) => void moves.push(`${context.context}/${context.namespace}`));
    model.start();
    model.watchUsage();
    tell({});
    feed.tell('usage', { snapshot: true, rows: { usage: USAGE }, gone: [] });
    await settled();
    tell({ namespace: 'team' });
    expect([model.usage, model.capability('Run')]).toEqual([null, null]);
    tell({ namespace: 'team', version: 'v1.34.0' });
    expect(moves).toEqual(['local/team']);
  });

  test('the usage is followed while somebody looks', () => {
    const { model, feed } = made();
    const first = model.watchUsage();
    const second = model.watchUsage();
    expect(feed.topics).toEqual(['usage']);
    first.dispose();
    expect(feed.topics).toEqual(['usage']);
    second.dispose();
    expect(feed.topics).toEqual([]);
  });

  test('where the chosen context is no more, another one can be used', async () => {
    const { model, feed, client, tell } = made();
    model.start();
    feed.tell('context', { error: "No context 'team'.", hint: 'Choose another one.' });
    expect([model.state, model.context]).toEqual(['error', null]);
    expect(model.problem).toEqual({ message: "No context 'team'.", hint: 'Choose another one.' });
    await model.use('local');
    expect([client.use.mock.calls.length, feed.retries]).toEqual([1, 1]);
    tell({});
    expect([model.state, model.problem]).toEqual(['ok', null]);
  });

  test('where the server refuses us, beginning anew uses the same context again', async () => {
    const { model, feed, client, tell } = made();
    model.start();
    tell({ health: 'error', message: 'Unauthorized', namespace: 'team' });
    await model.reconnect();
    expect(client.use).toHaveBeenCalledWith('local', 'team');
    feed.connect(false);
    await model.reconnect();
    expect(client.use).toHaveBeenCalledTimes(1);
    expect(feed.retries).toBe(3);
  });
});

describe('RunFeed', () => {
  const row = (state: IRunRow['state'], done = 0): IRunRow => ({
    run_id: 'r',
    namespace: 'kubeflow',
    state,
    done,
    total: 2,
    version: '1'
  });

  test('rows become changes of runs, and a snapshot says that everything must be read', () => {
    const feed = new FakeFeed();
    const runs = new RunFeed(feed);
    const told: (IRunChange | string)[] = [];
    runs.runChanged.connect((_, change) => void told.push(change));
    runs.opened.connect(() => void told.push('opened'));
    runs.start();
    runs.start();
    expect(feed.topics).toEqual(['runs']);
    feed.tell('runs', { snapshot: true, rows: { u: row('RUNNING') }, gone: [] });
    feed.tell('runs', { snapshot: false, rows: { u: row('RUNNING', 1) }, gone: [] });
    feed.tell('runs', { snapshot: false, rows: {}, gone: ['u', 'unknown'] });
    const change = { run_id: 'r', namespace: 'kubeflow', state: 'RUNNING', done: 1, total: 2 };
    expect(told).toEqual(['opened', { ...change, deleted: false }, { ...change, deleted: true }]);
  });

  test('a topic without rows tells how it is', () => {
    const feed = new FakeFeed();
    const runs = new RunFeed(feed);
    const healths: string[] = [];
    runs.healthChanged.connect((_, health) => void healths.push(`${health.health}: ${health.message}`));
    runs.start();
    feed.tell('runs', { health: 'error', message: 'No Workflows.', hint: '' });
    feed.tell('runs', { error: 'Refused.', hint: '' });
    expect(healths).toEqual(['error: No Workflows.', 'error: Refused.']);
  });
});
