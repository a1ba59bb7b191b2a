import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { IJob, IReplica } from '../src/api/trainingtypes';
import { JobList, JobVerb } from '../src/components/JobList';
import { ReplicaTable } from '../src/components/ReplicaTable';
import { plainTrans } from '../src/components/text';
import { TrainingModel } from '../src/model/training';
import { suspendIcon } from '../src/panels/icons';
import { FakeContext, FakeFeed } from './helpers';

const replica = (index: number, changes: Partial<IReplica> = {}): IReplica => ({
  name: `digits-worker-${index}`,
  type: 'worker',
  index,
  state: 'RUNNING',
  message: '',
  restarts: 0,
  started_at: '2026-01-01T00:00:01Z',
  finished_at: null,
  ...changes
});

const job = (uid: string, changes: Partial<IJob> = {}): IJob => ({
  resource: 'pytorchjobs.v1.kubeflow.org',
  kind: 'PyTorchJob',
  name: `job-${uid}`,
  namespace: 'default',
  uid,
  version: '1',
  state: 'RUNNING',
  message: '',
  wanted: 2,
  created_at: `2026-01-01T00:00:0${uid}Z`,
  started_at: null,
  finished_at: null,
  replicas: [replica(0)],
  ...changes
});

describe('the jobs of a context', () => {
  let feed: FakeFeed;
  let context: FakeContext;
  let model: TrainingModel;

  beforeEach(() => {
    feed = new FakeFeed();
    context = new FakeContext();
    model = new TrainingModel(feed, context);
  });

  test('they are followed while somebody looks, once', () => {
    const one = model.watch();
    const other = model.watch();
    expect(feed.topics).toEqual(['training']);
    one.dispose();
    one.dispose();
    expect(feed.topics).toEqual(['training']);
    other.dispose();
    expect(feed.topics).toEqual([]);
  });

  test('rows come, change and go; the newest is first', () => {
    model.watch();
    feed.tell('training', { snapshot: true, rows: { '1': job('1'), '2': job('2') }, gone: [] });
    expect(model.jobs.map(one => one.uid)).toEqual(['2', '1']);
    expect(model.active).toBe(2);
    feed.tell('training', { rows: { '2': job('2', { state: 'SUCCEEDED' }) }, gone: ['1'] });
    expect(model.jobs.map(one => one.state)).toEqual(['SUCCEEDED']);
    expect([model.active, model.find('1')]).toEqual([0, null]);
  });

  test('what was known stays while the server is away', () => {
    model.watch();
    feed.tell('training', { snapshot: true, rows: { '1': job('1') }, gone: [] });
    feed.tell('training', { health: 'reconnecting', message: 'away', hint: '' });
    expect([model.jobs.length, model.health.health]).toEqual([1, 'reconnecting']);
  });

  test('another context has others', () => {
    model.watch();
    feed.tell('training', { snapshot: true, rows: { '1': job('1') }, gone: [] });
    context.move({ context: 'team' });
    expect([model.jobs.length, model.ready]).toEqual([0, false]);
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

  function list(jobs: IJob[], refusal: (verb: JobVerb) => string = () => ''): string[] {
    const said: string[] = [];
    React.act(() =>
      root.render(
        <JobList
          jobs={jobs}
          suspendIcon={suspendIcon}
          onVerb={(verb, uid) => said.push(`${verb} ${uid}`)}
          refusal={refusal}
          trans={plainTrans}
        />
      )
    );
    return said;
  }

  test('a row has the verbs that its state allows', () => {
    const verbs = (uid: string): string[] =>
      [...host.querySelectorAll<HTMLElement>(`[data-fl-job="${uid}"] [data-fl-action]`)].map(
        button => button.dataset.flAction!
      );
    const said = list([job('1'), job('2', { state: 'SUSPENDED' }), job('3', { state: 'SUCCEEDED' })]);
    expect(verbs('1')).toEqual(['open', 'suspend', 'delete']);
    expect(verbs('2')).toEqual(['open', 'resume', 'delete']);
    expect(verbs('3')).toEqual(['open', 'delete']);
    find('[data-fl-job="1"] [data-fl-action="suspend"]').click();
    find('[data-fl-job="2"] .fl-RunRow-main').click();
    expect(said).toEqual(['suspend 1', 'open 2']);
  });

  test('a verb that is refused says why and does nothing', () => {
    const said = list([job('1')], verb => (verb === 'delete' ? 'You may not.' : ''));
    const button = find('[data-fl-action="delete"]');
    button.click();
    find('.fl-RunRow-main').dispatchEvent(new KeyboardEvent('keydown', { key: 'Delete', bubbles: true }));
    expect([button.title, button.getAttribute('aria-disabled'), said]).toEqual(['You may not.', 'true', []]);
  });

  test('a row tells how many replicas run, and why others do not', () => {
    list([
      job('1', {
        message: 'digits-worker-1: Insufficient cpu.',
        replicas: [replica(0), replica(1, { state: 'PENDING' })]
      })
    ]);
    expect(find('[data-fl-progress]').textContent).toBe('1/2');
    expect(find('.fl-RunRow-main').title).toContain('Insufficient cpu.');
  });

  test('a replica is chosen, and left again', () => {
    const chosen = vi.fn();
    const draw = (selected: string | null): void =>
      React.act(() =>
        root.render(
          <ReplicaTable
            replicas={[
              replica(0),
              replica(1, { state: 'FAILED', message: 'exit code 137, signal 9', restarts: 2 })
            ]}
            selected={selected}
            onSelect={chosen}
            trans={plainTrans}
          />
        )
      );
    draw(null);
    const second = find('[data-fl-replica="digits-worker-1"]');
    expect(second.textContent).toContain('exit code 137, signal 9');
    second.querySelector('button')!.click();
    expect(chosen).toHaveBeenLastCalledWith('digits-worker-1');
    draw('digits-worker-1');
    find('[data-fl-replica="digits-worker-1"] button').click();
    expect(chosen).toHaveBeenLastCalledWith(null);
  });
});
