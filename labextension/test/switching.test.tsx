import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { INamespaces } from '../src/api/types';
import { plainTrans } from '../src/components/text';
import type { ContextModel } from '../src/model/context';
import { Head } from '../src/panels/head';

vi.mock('@jupyterlab/apputils', () => ({ Notification: { error: vi.fn() } }));

/** A context in use whose answers a test gives when it likes. */
class Place {
  context = { context: 'local', namespace: 'default', health: 'ok', server: '', version: '', message: '' };
  state = 'ok';
  problem = null;
  usage = null;
  usageHealth = { health: 'ok', message: '', hint: '' };
  stale = false;
  changed = new Signal<this, void>(this);
  moved = new Signal<this, unknown>(this);
  answer: () => void = () => undefined;
  refuse: (why: Error) => void = () => undefined;

  use = vi.fn(
    () =>
      new Promise<void>((resolve, reject) => {
        this.answer = resolve;
        this.refuse = reject;
      })
  );

  move(context: string): void {
    this.context = { ...this.context, context };
    this.moved.emit(this.context);
    this.changed.emit();
  }
}

let host: HTMLElement;
let root: Root;
let place: Place;
const namespaces = (): Promise<INamespaces> =>
  Promise.resolve({ namespaces: [`of-${place.context.context}`], reason: '' });
/** Do something, and let the page take its effect. */
const act = (work: () => void): Promise<void> =>
  React.act(() => {
    work();
    return Promise.resolve();
  });

beforeEach(async () => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
  place = new Place();
  const row = (name: string): object => ({ name, source: 'kubeconfig', files: '', cluster: '', problem: '' });
  await act(() =>
    root.render(
      <Head
        context={place as unknown as ContextModel}
        contexts={() => Promise.resolve({ current: null, contexts: ['local', 'team'].map(row) } as never)}
        namespaces={namespaces}
        openSwitch={new Signal<unknown, 'context' | 'namespace'>({})}
        onSettings={null}
        trans={plainTrans}
      />
    )
  );
  await click('.fl-Context');
});
afterEach(() => {
  React.act(() => root.unmount());
  host.remove();
});

const find = (selector: string): HTMLElement | null => host.querySelector<HTMLElement>(selector);
const click = (selector: string): Promise<void> => act(() => find(selector)!.click());
const isOpen = (): boolean => find('[data-fl-switch]') !== null;

test('closes as soon as the head shows what was chosen', async () => {
  await click("[data-fl-choice='team']");
  expect(isOpen()).toBe(true);
  await act(() => place.move('team'));
  expect(isOpen()).toBe(false);
});

test('opened anew, is not closed by the late answer to an earlier choice', async () => {
  await click("[data-fl-choice='team']");
  await click('.fl-Context');
  await click('.fl-Context');
  await act(() => place.answer());
  expect(isOpen()).toBe(true);
});

test('stays open where another page goes elsewhere, and lists what is there', async () => {
  await act(() => place.move('team'));
  expect(isOpen()).toBe(true);
  expect(find("[data-fl-choice='of-team']")).not.toBeNull();
  expect(find("[data-fl-choice='of-local']")).toBeNull();
});

test('a choice that is refused is told in the switch, or after it was left in a notification', async () => {
  const { Notification } = await import('@jupyterlab/apputils');
  await click("[data-fl-choice='team']");
  await act(() => place.refuse(new Error('no way')));
  expect(find('[role="alert"]')!.textContent).toBe('no way');
  await click("[data-fl-choice='team']");
  await click('.fl-Context');
  await act(() => place.refuse(new Error('still no way')));
  expect(Notification.error).toHaveBeenCalledWith(expect.stringContaining('still no way'), expect.anything());
});

test('is left by a press elsewhere or by Tab, not by a page that moves the focus itself', async () => {
  const other = host.appendChild(document.createElement('button'));
  const press = (target: Element, event: Event): Promise<void> => act(() => void target.dispatchEvent(event));
  expect(document.activeElement).toBe(find('.fl-Switch-filter'));
  await act(() => other.focus());
  expect(isOpen()).toBe(true);
  await press(find('.fl-Switch-title')!, new Event('pointerdown', { bubbles: true }));
  expect(isOpen()).toBe(true);
  await press(other, new Event('pointerdown', { bubbles: true }));
  expect(isOpen()).toBe(false);

  await click('.fl-Context');
  // While one element loses the focus to another jsdom says that the page has none.
  vi.spyOn(document, 'hasFocus').mockReturnValue(true);
  const tab = new KeyboardEvent('keydown', { key: 'Tab', bubbles: true });
  await press(find('.fl-Switch-filter')!, tab);
  await act(() => other.focus());
  expect(isOpen()).toBe(false);
});
