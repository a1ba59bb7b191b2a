import type * as React from 'react';

/** In a table: up and down lead to the same place in the next row. */
export function walkRows(event: React.KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = (event.target as Element).closest<HTMLTableRowElement>('tbody tr');
  if (!step || !row) {
    return;
  }
  const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  const kind = (event.target as Element).matches('input') ? 'input' : 'button';
  const target = next?.querySelector<HTMLElement>(kind);
  if (target) {
    target.focus();
    event.preventDefault();
  }
}
