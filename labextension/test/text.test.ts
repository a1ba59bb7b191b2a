import { describe, expect, test } from 'vitest';

import { lastReturn, plainStyle, spans } from '../src/components/ansi';
import {
  age,
  bytes,
  clock,
  duration,
  elapsedMs,
  mainMetric,
  metric,
  valueText
} from '../src/components/format';
import { LogView } from '../src/components/logview';
import { canRetry, isActive, stateKey, stateSvg } from '../src/components/states';
import { plainTrans } from '../src/components/text';

describe('times and sizes', () => {
  test('a length grows until it has an end, and never below nothing', () => {
    const now = Date.parse('2026-01-01T00:00:10Z');
    expect(elapsedMs('2026-01-01T00:00:00Z', null, now)).toBe(10_000);
    expect(elapsedMs('2026-01-01T00:00:00Z', '2026-01-01T00:00:03Z', now)).toBe(3000);
    expect(elapsedMs('2026-01-01T00:00:20Z', null, now)).toBe(0);
    expect(elapsedMs(null, null, now)).toBeNull();
  });

  test('they are written as people read them', () => {
    expect([0, 12_300, 185_000, 3_723_000].map(clock)).toEqual(['0:00', '0:12', '3:05', '1:02:03']);
    expect([20, 4200, 185_000].map(duration)).toEqual(['20 ms', '4.2 s', '3:05']);
    expect([null, 0, 999, 1500, 20_000_000].map(bytes)).toEqual(['', '0 B', '999 B', '1.5 kB', '20 MB']);
    const now = Date.parse('2026-01-02T00:00:00Z');
    const ages = [
      '2026-01-01T23:59:50Z',
      '2026-01-01T23:57:00Z',
      '2026-01-01T22:00:00Z',
      '2025-12-28T00:00:00Z'
    ];
    expect(ages.map(at => age(at, now, plainTrans))).toEqual(['now', '3 min', '2 h', '5 d']);
  });

  test('shares are per cent, other numbers stay', () => {
    expect(metric('accuracy', 0.97111)).toBe('97.1 %');
    expect(metric('loss', 0.123456)).toBe('0.1235');
    expect(metric('rows', 1797)).toBe('1797');
    expect(mainMetric({ a: 1, accuracy: 0.5 })).toEqual(['accuracy', 0.5]);
    expect([mainMetric({ a: 1, b: 2 }), mainMetric({})]).toEqual([['a', 1], null]);
    expect([valueText('a'), valueText({ a: 1 }), valueText(null)]).toEqual(['a', '{"a":1}', '']);
  });
});

describe('states', () => {
  test('every state has a shape of its own', () => {
    const states = [
      'PENDING',
      'RUNNING',
      'SUCCEEDED',
      'CACHED',
      'SKIPPED',
      'FAILED',
      'CANCELING',
      'CANCELED',
      '?'
    ];
    const keys = states.map(state => stateKey(state));
    expect(keys[8]).toBe('UNKNOWN');
    expect(new Set(keys.map(stateSvg)).size).toBe(9);
  });

  test('what can be stopped cannot be retried', () => {
    const states = ['PENDING', 'RUNNING', 'CANCELING', 'SUCCEEDED', 'FAILED', 'CANCELED'];
    expect(states.filter(isActive)).toEqual(['PENDING', 'RUNNING', 'CANCELING']);
    expect(states.filter(canRetry)).toEqual(['FAILED', 'CANCELED']);
  });
});

describe('terminal output', () => {
  test('colours become classes and hold until they are taken back', () => {
    const style = plainStyle();
    expect(spans('\u001b[1;31mred\u001b[0m plain \u001b[32mgreen', style)).toEqual([
      { text: 'red', className: 'ansi-red-fg ansi-bold' },
      { text: ' plain ', className: '' },
      { text: 'green', className: 'ansi-green-fg' }
    ]);
    expect(spans('still', style)).toEqual([{ text: 'still', className: 'ansi-green-fg' }]);
  });

  test('bright, 256 and true colours, and what moves the cursor', () => {
    expect(spans('\u001b[91ma\u001b[38;5;4mb\u001b[38;2;1;2;3mc\u001b[2K\u001b[?25ld', plainStyle())).toEqual(
      [
        { text: 'a', className: 'ansi-red-intense-fg' },
        { text: 'b', className: 'ansi-blue-fg' },
        { text: 'c', className: '' },
        { text: 'd', className: '' }
      ]
    );
  });

  test('a progress bar leaves its last word', () => {
    expect(lastReturn('10%\r50%\r100%')).toBe('100%');
    expect(lastReturn('windows\r')).toBe('windows');
  });
});

describe('the log', () => {
  test('lines come together from pieces, and stay text', () => {
    const host = document.createElement('div');
    const log = new LogView(host, plainTrans);
    expect(log.isEmpty).toBe(true);
    ['one\ntw', 'o\n<b>three', '</b>\n'].forEach(piece => log.append(piece));
    expect([...host.querySelectorAll('.fl-Log-line')].map(line => line.textContent)).toEqual([
      'one\n',
      'two\n',
      '<b>three</b>\n'
    ]);
    expect(host.querySelector('b')).toBeNull();
    log.status('done');
    expect(host.querySelector('.fl-Log-status')!.textContent).toBe('End of the log');
    log.dispose();
    expect(host.childElementCount).toBe(0);
  });
});
