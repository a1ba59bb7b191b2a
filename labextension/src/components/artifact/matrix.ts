/**
 * A confusion matrix as a table: numbers over a colour that follows them.
 */
import { element } from '../dom';
import type { ITrans } from '../text';
import type { ISlice } from '../../previews';

/** Per cent of the colour at most: the page's own ink is read on it in light and in dark. */
const STRONGEST = 55;

export function matrixTable(slice: ISlice, trans: ITrans): HTMLElement {
  const { labels, matrix, name } = slice;
  const largest = Math.max(1e-12, ...matrix.flat());
  const title = name ? trans.__('Confusion matrix, %1', name) : trans.__('Confusion matrix');
  const head = element(
    'tr',
    '',
    {},
    element('th', 'fl-Matrix-corner', { scope: 'col' }, trans.__('true \\ predicted')),
    ...labels.map(label => element('th', '', { scope: 'col', title: label }, label))
  );
  const rows = matrix.map((counts, row) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count, column) => cell(count, count / largest, all, row === column, trans));
    return element('tr', '', {}, element('th', '', { scope: 'row' }, labels[row]), ...cells);
  });
  const table = element(
    'table',
    'fl-Matrix',
    { 'data-fl-matrix': name },
    element('caption', 'fl-Matrix-title', {}, title),
    element('thead', '', {}, head),
    element('tbody', '', {}, ...rows)
  );
  return element('div', 'fl-Preview-scroll', { tabindex: '0', role: 'region', 'aria-label': title }, table);
}

function cell(count: number, share: number, all: number, right: boolean, trans: ITrans): HTMLElement {
  const made = element('td', right ? 'fl-mod-right' : '', {}, String(count));
  const strength = Math.max(0, Math.min(1, share)) * STRONGEST;
  made.style.setProperty('--fl-share', `${Math.round(strength)}%`);
  if (all > 0) {
    made.title = trans.__('%1 % of this row', ((100 * count) / all).toFixed(1));
  }
  return made;
}
