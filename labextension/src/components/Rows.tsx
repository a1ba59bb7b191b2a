import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ITrans } from './text';

export interface IRowVerb<V extends string> {
  name: V;
  icon: LabIcon;
  label: string;
  /** Why it cannot be used; empty where it can. */
  refusal: string;
}

export interface IRow<V extends string> {
  id: string;
  name: string;
  /** Key of its state, for the styles. */
  state: string;
  title: string;
  verbs: readonly IRowVerb<V>[];
  /** What its button shows. */
  content: React.ReactNode;
}

/**
 * A list of things with their verbs. One row is in the tab order; arrows go to the others and to the
 * row's verbs. `open` is what the row itself does, `remove` what the key Delete does.
 */
export function Rows<V extends string>(props: {
  label: string;
  rows: readonly IRow<V>[];
  /** Name of the attribute that holds a row's id, for context menus. */
  attribute: string;
  open: V;
  remove: V;
  onVerb: (verb: V, id: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { rows, attribute, onVerb, trans } = props;
  const [current, setCurrent] = React.useState<string | null>(null);
  const stop = rows.some(row => row.id === current) ? current : (rows[0]?.id ?? null);
  const idOf = (row: Element | null | undefined): string | null => row?.getAttribute(attribute) ?? null;

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = (event.target as Element).closest<HTMLElement>('.fl-RunRow');
    const next = row && neighbour(row, event);
    if (next) {
      setCurrent(idOf(next.closest('.fl-RunRow')));
      next.focus();
      event.preventDefault();
      return;
    }
    const found = rows.find(one => one.id === idOf(row));
    const verb = found?.verbs.find(one => one.name === props.remove);
    if (found && verb && event.key === 'Delete' && !verb.refusal) {
      onVerb(verb.name, found.id);
      event.preventDefault();
    }
  };
  return (
    <ul className="fl-RunList" aria-label={props.label} onKeyDown={onKeyDown}>
      {rows.map(row => {
        const tabIndex = row.id === stop ? 0 : -1;
        return (
          <li
            key={row.id}
            className="fl-RunRow"
            {...{ [attribute]: row.id }}
            data-fl-name={row.name}
            data-fl-state={row.state}
            onFocus={() => setCurrent(row.id)}
          >
            <button
              type="button"
              className="fl-RunRow-main"
              tabIndex={tabIndex}
              title={row.title}
              onClick={() => onVerb(props.open, row.id)}
            >
              {row.content}
            </button>
            <span className="fl-RunRow-verbs" role="group" aria-label={trans.__('Actions')}>
              {row.verbs.map(verb => (
                <button
                  key={verb.name}
                  type="button"
                  className="fl-RunRow-verb"
                  data-fl-action={verb.name}
                  tabIndex={tabIndex}
                  aria-label={trans.__('%1 %2', verb.label, row.name)}
                  aria-disabled={verb.refusal !== ''}
                  title={verb.refusal || verb.label}
                  onClick={() => verb.refusal || onVerb(verb.name, row.id)}
                >
                  <verb.icon.react tag="span" />
                </button>
              ))}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Where a key leads: to the row above or below, or along the buttons of a row. */
function neighbour(row: HTMLElement, event: React.KeyboardEvent): HTMLElement | null {
  const main = (of: Element | null): HTMLElement | null => of?.querySelector('.fl-RunRow-main') ?? null;
  const buttons = [...row.querySelectorAll<HTMLElement>('button')];
  const here = buttons.indexOf(event.target as HTMLElement);
  switch (event.key) {
    case 'ArrowDown':
      return main(row.nextElementSibling);
    case 'ArrowUp':
      return main(row.previousElementSibling);
    case 'ArrowRight':
      return buttons[here + 1] ?? null;
    case 'ArrowLeft':
      return buttons[here - 1] ?? null;
    default:
      return null;
  }
}
