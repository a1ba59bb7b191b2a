import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { IAmount, meterOf } from '../src/components/amounts';
import { Meters } from '../src/components/Meters';
import { RunList } from '../src/components/RunList';
import { Section } from '../src/components/Section';
import { ISwitchGroup, Switch } from '../src/components/Switch';
import { plainTrans } from '../src/components/text';
import { summary } from './helpers';

const GIB = 2 ** 30;
const CLUSTER = { namespace: 'team', scope: 'cluster' } as const;

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

const draw = (what: JSX.Element): void => React.act(() => root.render(what));
const find = (selector: string): HTMLElement => host.querySelector<HTMLElement>(selector)!;
const amount = (used: number, allocatable: number | null, quota: IAmount['quota'] = null): IAmount => ({
  used,
  allocatable,
  quota
});

describe('an amount', () => {
  test('is shown against what the nodes offer, in cores, GiB and devices', () => {
    const cpu = meterOf('cpu', amount(0.25, 8), CLUSTER, plainTrans);
    expect([cpu.text, cpu.total, cpu.isQuota]).toEqual(['0.3/8', 8, false]);
    expect(cpu.title).toBe('CPU cores: 0.3 of 8 used in the whole cluster');
    const memory = meterOf('memory', amount(4.5 * GIB, 64 * GIB), CLUSTER, plainTrans);
    expect(memory.text).toBe('4.5/64');
    expect(meterOf('gpu', amount(2, 4), CLUSTER, plainTrans).text).toBe('2/4');
  });

  test('is shown against the quota where there is one, and the title has both', () => {
    const found = meterOf('cpu', amount(3, 8, { used: 1, hard: 2 }), CLUSTER, plainTrans);
    expect([found.text, found.used, found.total, found.isQuota]).toEqual(['1/2', 1, 2, true]);
    expect(found.title.split('\n')).toEqual([
      'CPU cores: 1 of 2 used of the quota of team',
      'CPU cores: 3 of 8 used in the whole cluster'
    ]);
  });

  test('has no bar where there is none, or where the nodes may not be seen', () => {
    const none = meterOf('gpu', amount(0, 0), CLUSTER, plainTrans);
    expect([none.text, none.total, none.title]).toEqual(['–', null, 'GPUs: there are none here']);
    const unseen = meterOf('cpu', amount(1.5, null), { ...CLUSTER, scope: 'namespace' }, plainTrans);
    expect([unseen.text, unseen.total]).toEqual(['1.5', null]);
    expect(unseen.title).toContain('used by team');
  });

  test('is a meter for screen readers, and says when it is nearly full', () => {
    const meters = [
      meterOf('cpu', amount(15, 16), CLUSTER, plainTrans),
      meterOf('gpu', amount(0, 0), CLUSTER, plainTrans)
    ];
    draw(<Meters meters={meters} stale={true} label="Resources in use" />);
    const cpu = find('[data-fl-meter="cpu"]');
    expect([
      cpu.getAttribute('role'),
      cpu.getAttribute('aria-valuenow'),
      cpu.getAttribute('aria-valuemax')
    ]).toEqual(['meter', '15', '16']);
    expect(cpu.getAttribute('aria-valuetext')).toBe('CPU cores: 15 of 16 used in the whole cluster');
    expect(cpu.dataset.flFull).toBe('true');
    expect(find('.fl-Meter-fill').style.width).toBe('93.75%');
    expect(find('[data-fl-meter="gpu"]').getAttribute('role')).toBe('img');
    expect(find('.fl-Meters').dataset.flStale).toBe('true');
  });
});

describe('the switch', () => {
  const entry = (name: string, changes = {}): ISwitchGroup['entries'][number] => ({
    name,
    note: '',
    title: '',
    problem: '',
    current: false,
    ...changes
  });
  const group = (name: ISwitchGroup['name'], names: string[], current = ''): ISwitchGroup => ({
    name,
    title: name,
    note: '',
    entries: names.map(one => entry(one, { current: one === current }))
  });
  const shown = (
    groups: ISwitchGroup[]
  ): { choose: ReturnType<typeof vi.fn>; close: ReturnType<typeof vi.fn> } => {
    const choose = vi.fn();
    const close = vi.fn();
    draw(
      <Switch
        groups={groups}
        label="Switch"
        placeholder="Filter"
        status=""
        error=""
        trans={plainTrans}
        onChoose={choose}
        onClose={close}
        opener={React.createRef()}
      />
    );
    return { choose, close };
  };
  const input = (): HTMLInputElement => find('input') as HTMLInputElement;
  const press = (key: string): void =>
    React.act(() => void input().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));
  const type = (text: string): void =>
    React.act(() => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(input(), text);
      input().dispatchEvent(new Event('input', { bubbles: true }));
    });
  const active = (): string | undefined => find('[data-fl-active="true"]')?.dataset.flChoice;
  const rows = (): (string | undefined)[] =>
    [...host.querySelectorAll<HTMLElement>('[role="option"]')].map(row => row.dataset.flChoice);

  test('begins at the current entry; arrows go through all groups and around', () => {
    const { choose } = shown([
      group('context', ['local', 'cluster'], 'cluster'),
      group('namespace', ['a', 'b'], 'a')
    ]);
    expect(document.activeElement).toBe(input());
    expect(active()).toBe('cluster');
    expect(input().getAttribute('aria-activedescendant')).toBe(find('[data-fl-active="true"]').id);
    press('ArrowDown');
    expect(active()).toBe('a');
    press('ArrowUp');
    press('ArrowUp');
    press('ArrowUp');
    expect(active()).toBe('b');
    press('Enter');
    expect(choose).toHaveBeenCalledWith('namespace', 'b');
  });

  test('what is typed filters all groups, and the first that is left is chosen', () => {
    const { choose, close } = shown([
      group('context', ['local', 'cluster']),
      group('namespace', ['team-a', 'team-b'])
    ]);
    type('TEAM');
    expect(rows()).toEqual(['team-a', 'team-b']);
    expect(active()).toBe('team-a');
    type('nothing');
    expect([rows(), find('[role="status"]').textContent]).toEqual([[], 'Nothing has that name.']);
    press('Enter');
    expect(choose).not.toHaveBeenCalled();
    press('Escape');
    expect(close.mock.calls).toEqual([[false]]);
  });

  test('a namespace that is not listed is offered where they may not be listed, if it can be one', () => {
    const free = { ...group('namespace', []), note: 'forbidden', free: (name: string) => `Use ${name}` };
    const { choose } = shown([group('context', ['local']), free]);
    expect(rows()).toEqual(['local']);
    type('my-team');
    expect(rows()).toEqual(['my-team']);
    expect(find('[data-fl-choice="my-team"]').textContent).toBe('Use my-team');
    press('Enter');
    expect(choose).toHaveBeenCalledWith('namespace', 'my-team');
    type('not_one');
    expect(rows()).toEqual([]);
  });

  test('of many a part is drawn, and the filter finds the others', () => {
    shown([
      group(
        'namespace',
        Array.from({ length: 250 }, (_, number) => `n${number}`)
      )
    ]);
    expect(rows().length).toBe(100);
    expect(host.textContent).toContain('150 more');
    type('n249');
    expect(rows()).toEqual(['n249']);
  });

  test('an entry that cannot be reached says why', () => {
    const groups = [{ ...group('context', []), entries: [entry('away', { problem: 'Nothing answers.' })] }];
    shown(groups);
    expect(find('[data-fl-choice="away"]').textContent).toContain('Nothing answers.');
    expect(find('[data-fl-choice="away"]').dataset.flProblem).toBe('true');
  });
});

describe('what is not possible', () => {
  const section = (missing: string, refusal: string, run = vi.fn()): ReturnType<typeof vi.fn> => {
    draw(
      <Section
        name="runs"
        title="Runs"
        summary=""
        missing={missing}
        folded={false}
        onFold={() => undefined}
        add={{ label: 'Run a notebook', refusal, run }}
      >
        rows
      </Section>
    );
    return run;
  };

  test('a section whose kind is not served says so in the place of its rows', () => {
    section('This cluster has no Workflow.', '');
    expect(find('section').dataset.flMissing).toBe('true');
    expect(find('.fl-Section-missing').textContent).toBe('This cluster has no Workflow.');
    expect(host.textContent).not.toContain('rows');
    expect(find('[data-fl-action="add-runs"]')).toBeNull();
  });

  test('a forbidden button stays in the tab order with its reason, and does nothing', () => {
    const run = section('', 'You may not.');
    const button = find('[data-fl-action="add-runs"]') as HTMLButtonElement;
    expect([button.getAttribute('aria-disabled'), button.title, button.disabled]).toEqual([
      'true',
      'You may not.',
      false
    ]);
    React.act(() => button.click());
    expect(run).not.toHaveBeenCalled();
    section('', '', run);
    React.act(() => button.click());
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('a verb of a run that is forbidden is not sent, by button or key', () => {
    const onVerb = vi.fn();
    draw(
      <RunList
        runs={[summary('1')]}
        onVerb={onVerb}
        onAll={() => undefined}
        refusal={verb => (verb === 'delete' ? 'You may not.' : '')}
        trans={plainTrans}
      />
    );
    React.act(() => find('[data-fl-action="delete"]').click());
    const row = find('.fl-RunRow-main');
    React.act(() => void row.dispatchEvent(new KeyboardEvent('keydown', { key: 'Delete', bubbles: true })));
    expect(onVerb).not.toHaveBeenCalled();
    React.act(() => find('[data-fl-action="stop"]').click());
    expect(onVerb).toHaveBeenCalledWith('stop', '1');
  });
});
