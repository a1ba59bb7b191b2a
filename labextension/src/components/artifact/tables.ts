/**
 * Metrics, and the first rows of a table.
 */
import { element } from '../dom';
import { metric } from '../format';
import type { ITrans } from '../text';

type Value = number | string | boolean;

/** Metrics by name. Exact numbers are in the titles. */
export function metricsTable(values: Record<string, Value>, trans: ITrans): HTMLElement {
  const rows = Object.entries(values).map(([name, value]) =>
    element(
      'tr',
      '',
      { 'data-fl-metric': name },
      element('th', '', { scope: 'row' }, name),
      element('td', 'fl-mod-number', { title: String(value) }, shown(name, value))
    )
  );
  return element(
    'table',
    'fl-Table fl-MetricsTable',
    { 'aria-label': trans.__('Metrics') },
    element('tbody', '', {}, ...rows)
  );
}

const shown = (name: string, value: Value): string =>
  typeof value === 'number' ? metric(name, value) : String(value);

/** Rows of a table, in a part of the page that scrolls by itself. */
export function dataTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  name: string
): HTMLElement {
  const numeric = columns.map((_, place) => isNumeric(rows.map(row => row[place])));
  const style = (place: number): string => (numeric[place] ? 'fl-mod-number' : '');
  const head = columns.map((column, place) => element('th', style(place), { scope: 'col' }, column));
  const body = rows.map(row =>
    element('tr', '', {}, ...columns.map((_, place) => element('td', style(place), {}, row[place] ?? '')))
  );
  const table = element(
    'table',
    'fl-Table fl-DataTable',
    {},
    element('thead', '', {}, element('tr', '', {}, ...head)),
    element('tbody', '', {}, ...body)
  );
  return element('div', 'fl-Preview-scroll', { tabindex: '0', role: 'region', 'aria-label': name }, table);
}

/** Whether a column holds numbers, and at least one. */
function isNumeric(values: readonly (string | undefined)[]): boolean {
  const filled = values.filter((value): value is string => value !== undefined && value.trim() !== '');
  return filled.length > 0 && filled.every(value => Number.isFinite(Number(value)));
}
