import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { IContexts, INamespaces, IUsage } from '../src/api/types';
import { ITrans, plainTrans } from '../src/components/text';
import { ContextModel } from '../src/model/context';
import { Head, SwitchPart } from '../src/panels/head';
import { CONTEXT, FakeFeed, settled } from './helpers';

const AMOUNT = { used: 1, allocatable: 4, quota: null };
const MEMORY = { used: 2 ** 30, allocatable: 2 ** 32, quota: null };
const USAGE: IUsage = { cpu: AMOUNT, memory: MEMORY, gpu: AMOUNT, scope: 'cluster' };
const CHOICE = { files: '/kube/config', namespace: 'default' };
const CONTEXTS: IContexts = {
  current: { context: 'local', namespace: 'default' },
  contexts: [
    { ...CHOICE, name: 'local', source: 'embedded', cluster: 'fairlead', problem: '' },
    { ...CHOICE, name: 'team', source: 'kubeconfig', cluster: 'c1', problem: '' }
  ]
};

/** Marks what was translated. */
const pseudo: ITrans = {
  __: (msgid, ...args) => `«${plainTrans.__(msgid, ...args)}»`,
  _n: (msgid, plural, n, ...args) => `«${plainTrans._n(msgid, plural, n, ...args)}»`
};

let host: HTMLElement;
let root: Root;
let feed: FakeFeed;
let model: ContextModel;
let openSwitch: Signal<object, SwitchPart>;
const use = vi.fn((context: string, namespace?: string) =>
  Promise.resolve({ context, namespace: namespace ?? 'default' })
);

async function shown(trans: ITrans, namespaces: INamespaces): Promise<void> {
  model = new ContextModel({ capabilities: () => Promise.resolve({}), use }, feed);
  model.start();
  model.watchUsage();
  openSwitch = new Signal<object, SwitchPart>({});
  await React.act(async () => {
    root.render(
      <Head
        context={model}
        contexts={() => Promise.resolve(CONTEXTS)}
        namespaces={() => Promise.resolve(namespaces)}
        openSwitch={openSwitch}
        onSettings={() => undefined}
        trans={trans}
      />
    );
    await settled();
    feed.tell('context', { snapshot: true, rows: { context: CONTEXT }, gone: [] });
    feed.tell('usage', { snapshot: true, rows: { usage: USAGE }, gone: [] });
  });
}

async function open(part: SwitchPart): Promise<void> {
  await React.act(async () => {
    openSwitch.emit(part);
    await settled();
  });
}

const find = (selector: string): HTMLElement => host.querySelector<HTMLElement>(selector)!;

beforeEach(() => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
  feed = new FakeFeed();
  use.mockClear();
});
afterEach(() => {
  React.act(() => root.unmount());
  host.remove();
});

describe('the head', () => {
  test('every word of it is translated', async () => {
    await shown(pseudo, { namespaces: [], reason: 'namespaces is forbidden' });
    await open('context');
    const names =
      /\/kube\/config|Fairlead|local|team|default|c1|namespaces is forbidden|https:\S+|v1\.33\.0|[\d./,:\s]/g;
    const words = (text: string): string => text.replace(/«[^«»]*(«[^«»]*»[^«»]*)*»/g, '').replace(names, '');
    const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
    const plain: string[] = [];
    while (walker.nextNode()) {
      plain.push(words(walker.currentNode.textContent ?? ''));
    }
    for (const element of host.querySelectorAll('*')) {
      for (const name of ['title', 'aria-label', 'placeholder', 'aria-valuetext']) {
        plain.push(words(element.getAttribute(name) ?? ''));
      }
    }
    expect(plain.filter(Boolean)).toEqual([]);
  });

  test('a namespace is chosen within the context in use, a context with its own namespace', async () => {
    await shown(plainTrans, { namespaces: ['default', 'lab'], reason: '' });
    await open('namespace');
    expect(host.querySelectorAll('.fl-Switch-title')[0].textContent).toBe('Namespaces of local');
    await React.act(async () => {
      find('[data-fl-choice="lab"]').click();
      await settled();
    });
    expect(use.mock.calls).toEqual([['local', 'lab']]);
    expect(find('[data-fl-switch]')).toBeNull();
    expect(document.activeElement).toBe(find('.fl-Context'));
    await open('context');
    await React.act(async () => {
      find('[data-fl-choice="team"]').click();
      await settled();
    });
    expect(use.mock.calls[1]).toEqual(['team', undefined]);
  });

  test('a switch that fails says why and stays open', async () => {
    await shown(plainTrans, { namespaces: [], reason: '' });
    use.mockRejectedValueOnce(new Error('Nothing answers.'));
    await open('context');
    await React.act(async () => {
      find('[data-fl-choice="team"]').click();
      await settled();
    });
    expect(find('[data-fl-switch] [role="alert"]').textContent).toBe('Nothing answers.');
    expect(find('[data-fl-context]').dataset.flContext).toBe('local');
  });

  test('trouble is told in words over what was last known', async () => {
    await shown(plainTrans, { namespaces: [], reason: '' });
    expect(find('.fl-Trouble')).toBeNull();
    const tell = (changes: object): void =>
      React.act(() =>
        feed.tell('context', { snapshot: true, rows: { context: { ...CONTEXT, ...changes } }, gone: [] })
      );
    tell({ health: 'reconnecting', message: 'The stream broke off.' });
    expect(find('.fl-Trouble').textContent).toContain('Reconnecting…The stream broke off.');
    expect(find('.fl-Meters').dataset.flStale).toBe('true');
    tell({ health: 'error', message: 'Unauthorized', hint: 'Log in again.' });
    expect(find('.fl-Trouble').getAttribute('role')).toBe('alert');
    expect(find('.fl-Trouble').textContent).toContain('Log in again.');
    React.act(() => feed.connect(false));
    expect(find('.fl-Trouble').textContent).toContain('The Jupyter Server does not answer.');
    React.act(() => feed.connect(true));
    tell({});
    expect(find('.fl-Trouble')).toBeNull();
    expect(find('.fl-Meters').dataset.flStale).toBe('false');
  });
});
