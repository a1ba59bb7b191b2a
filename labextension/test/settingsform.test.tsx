import { act } from 'react';
import { createRoot } from 'react-dom/client';
import * as React from 'react';
import { afterEach, describe, expect, test } from 'vitest';
import type { JSONObject, JSONValue } from '@lumino/coreutils';

import { plainTrans } from '../src/components/text';
import { fieldErrors, fromForm, groupsOf, ISettingSchema, toForm } from '../src/model/settingsform';
import { StepForm } from '../src/notebook/stepform';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const text: ISettingSchema = { type: 'string' };
const secret: ISettingSchema = {
  type: 'object',
  required: ['secret'],
  properties: { secret: text, env: { type: 'object', additionalProperties: text }, path: text }
};
const PROPERTIES: Record<string, ISettingSchema> = {
  step: { title: 'Step', ...text },
  after: { title: 'After', type: ['array', 'string'], items: text },
  resources: { title: 'Resources', type: 'object', additionalProperties: { type: ['string', 'number'] } },
  cache: { title: 'Cache', type: 'boolean', default: true },
  retries: {
    title: 'Retries',
    type: ['integer', 'object'],
    required: ['maxRetryCount'],
    properties: {
      maxRetryCount: { type: 'integer' },
      backoffDuration: { type: ['string', 'number'], format: 'duration' }
    }
  },
  timeout: { title: 'Timeout', type: ['string', 'number'], format: 'time-limit' },
  env: { title: 'Environment variables', type: 'object', additionalProperties: text },
  secrets: { title: 'Secrets', type: 'array', items: secret }
};

describe('values', () => {
  test.each<[string, JSONValue | undefined, JSONValue | undefined, JSONValue | undefined]>([
    ['after', ['a', 'b'], 'a\nb', ['a', 'b']],
    ['after', 'a', 'a', ['a']],
    ['resources', { cpu: 2, memory: '4Gi' }, 'cpu=2\nmemory=4Gi', { cpu: '2', memory: '4Gi' }],
    [
      'env',
      { A: 'x=y', B: '', C: 'two\nlines ', D: '"q"' },
      'A=x=y\nB=\nC="two\\nlines "\nD="\\"q\\""',
      { A: 'x=y', B: '', C: 'two\nlines ', D: '"q"' }
    ],
    ['cache', undefined, true, undefined],
    ['cache', false, false, false],
    ['retries', 2, { maxRetryCount: 2 }, 2],
    [
      'retries',
      { maxRetryCount: 2, backoffDuration: '10s' },
      { maxRetryCount: 2, backoffDuration: '10s' },
      { maxRetryCount: 2, backoffDuration: '10s' }
    ],
    ['timeout', 1800, '1800', 1800],
    ['timeout', '30m', '30m', '30m'],
    [
      'secrets',
      [{ secret: 's', env: { A: 'k' } }],
      [{ secret: 's', env: 'A=k' }],
      [{ secret: 's', env: { A: 'k' } }]
    ],
    ['secrets', undefined, undefined, undefined]
  ])('%s %j', (key, value, shown, written) => {
    expect(toForm(PROPERTIES[key], value)).toEqual(shown);
    expect(fromForm(PROPERTIES[key], toForm(PROPERTIES[key], value))).toEqual(written);
  });

  test.each<[string, JSONValue]>([
    ['after', ' \n'],
    ['env', ''],
    ['secrets', [{}]],
    ['retries', {}],
    ['timeout', ' ']
  ])('an emptied %s is taken away', (key, data) => {
    expect(fromForm(PROPERTIES[key], data)).toBeUndefined();
  });

  test('every setting stands in a group, also one that is not known here', () => {
    const groups = groupsOf({ properties: { ...PROPERTIES, other: text } });
    expect(groups.map(({ name, properties }) => [name, Object.keys(properties)])).toEqual([
      ['step', ['step', 'after']],
      ['resources', ['resources']],
      ['environment', ['env', 'secrets']],
      ['running', ['cache', 'retries', 'timeout']],
      ['pod', ['other']]
    ]);
  });

  test('a message stands at the nearest field that there is', () => {
    const messages = new Map([
      ['secrets[0].env.A', ['bad key']],
      ['after[1]', ['no step']],
      ['resources.nvidia.com/gpu', ['whole number']],
      ['unknown', ['which?']]
    ]);
    expect(fieldErrors(PROPERTIES, messages)).toEqual({
      secrets: { 0: { env: { __errors: ['bad key'] } } },
      after: { __errors: ['no step'] },
      resources: { __errors: ['whole number'] }
    });
  });
});

describe('the form', () => {
  const host = document.createElement('div');
  document.body.append(host);
  let root = createRoot(host);
  let written: [string, JSONValue | undefined][] = [];
  const show = (values: JSONObject, messages: [string, string[]][] = []): void => {
    act(() =>
      root.render(
        <StepForm
          schema={{ properties: PROPERTIES }}
          values={values}
          messages={new Map(messages)}
          readOnly={false}
          onChange={(key, value) => {
            written.push([key, value]);
            return key === 'step' ? 'Taken.' : '';
          }}
          trans={plainTrans}
        />
      )
    );
  };
  const field = (name: string): HTMLInputElement =>
    host.querySelector(`[data-fl-setting="${name}"] :is(input, textarea)`)!;
  const type = (name: string, value: string): void => {
    act(() => {
      const control = field(name);
      control.focus();
      const prototype = Object.getPrototypeOf(control) as object;
      Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(control, value);
      control.dispatchEvent(new Event('input', { bubbles: true }));
    });
  };
  const leave = (name: string): void => act(() => field(name).blur());

  afterEach(() => {
    act(() => root.unmount());
    root = createRoot(host);
    written = [];
  });

  test('each field has a name that is read out', () => {
    show({ step: 'train' });
    const names = [...host.querySelectorAll('input, textarea')].map(one =>
      (one as HTMLInputElement).labels?.[0]?.textContent?.trim()
    );
    expect(names).toEqual([
      'Step',
      'After',
      'Resources',
      'Environment variables',
      'Cache',
      'maxRetryCount',
      'backoffDuration',
      'Timeout'
    ]);
  });

  test('what is typed is written when the field is left, and only that', () => {
    show({ step: 'train', resources: { cpu: 2 } });
    type('timeout', '30m');
    expect(written).toEqual([]);
    leave('timeout');
    expect(written).toEqual([['timeout', '30m']]);
  });

  test('a box is written at once', () => {
    show({ step: 'train' });
    act(() => field('cache').click());
    expect(written).toEqual([['cache', false]]);
  });

  test('another writing comes in, but not over what is being typed', () => {
    show({ step: 'train' });
    type('timeout', '30');
    show({ step: 'train', retries: 3 });
    expect([field('timeout').value, field('retries_maxRetryCount').value]).toEqual(['30', '3']);
    show({ step: 'train', retries: 3, timeout: '1h' });
    expect(field('timeout').value).toBe('1h');
  });

  test('a row that was added stays though nothing is in it yet, and is written when it is filled', () => {
    show({ step: 'train' });
    const add = host.querySelector<HTMLElement>('[data-fl-setting="secrets"] [data-fl-action="add"]')!;
    act(() => add.click());
    expect(written).toEqual([]);
    type('secrets_0_secret', 'token');
    type('secrets_0_env', 'A=key');
    leave('secrets_0_env');
    expect(written.at(-1)).toEqual(['secrets', [{ secret: 'token', env: { A: 'key' } }]]);
  });

  test('what was written comes back while one types on', () => {
    show({ step: 'train' });
    act(() => host.querySelector<HTMLElement>('[data-fl-setting="secrets"] [data-fl-action="add"]')!.click());
    type('secrets_0_secret', 'token');
    leave('secrets_0_secret');
    type('secrets_0_path', '/mnt');
    show({ step: 'train', secrets: [{ secret: 'token' }] });
    leave('secrets_0_path');
    expect(written.at(-1)).toEqual(['secrets', [{ secret: 'token', path: '/mnt' }]]);
  });

  test('what is wrong stands at its field, also what was refused at once', () => {
    show({ step: 'train', resources: { cpu: 'x' } }, [['resources.cpu', ['No quantity.']]]);
    const alert = (name: string): string | undefined =>
      host.querySelector(`[data-fl-setting="${name}"] [role="alert"]`)?.textContent ?? undefined;
    expect(alert('resources')).toBe('No quantity.');
    type('step', 'load');
    leave('step');
    expect(alert('step')).toBe('Taken.');
  });
});
