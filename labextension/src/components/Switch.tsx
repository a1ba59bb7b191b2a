import { checkIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ITrans } from './text';

export interface ISwitchEntry {
  name: string;
  /** What tells it from others: where it is from. */
  note: string;
  /** More of that, for who hovers. */
  title: string;
  /** Why it cannot be used, as far as is known. */
  problem: string;
  current: boolean;
}

export interface ISwitchGroup {
  name: 'context' | 'namespace';
  title: string;
  entries: readonly ISwitchEntry[];
  /** Said instead of, or above, the entries. */
  note: string;
  /** Label of the entry for a name that is typed and not listed; absent where only listed ones go. */
  free?: (name: string) => string;
}

/** Rows of a group drawn at most; the filter finds the others. */
const MOST_ROWS = 100;
/** What Kubernetes takes for a namespace's name. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

interface IRow extends ISwitchEntry {
  group: ISwitchGroup;
  label: string;
  id: string;
}

/** A popup to choose from groups: type to filter, arrows to move, Enter to choose, Escape to leave. */
export function Switch(props: {
  groups: readonly ISwitchGroup[];
  label: string;
  placeholder: string;
  /** Said while entries are being read, or why they could not be. */
  status: string;
  error: string;
  trans: ITrans;
  onChoose: (group: ISwitchGroup['name'], name: string) => void;
  /** It is left: by Escape, or because the reader went `elsewhere`. */
  onClose: (elsewhere: boolean) => void;
  /** What opened it: going back there is not going elsewhere. */
  opener: React.RefObject<HTMLElement>;
}): JSX.Element {
  const { groups, trans } = props;
  const [filter, setFilter] = React.useState('');
  const [active, setActive] = React.useState<string | null>(null);
  const host = React.useRef<HTMLDivElement>(null);
  const input = React.useRef<HTMLInputElement>(null);
  const id = React.useId();

  const shown = groups.map(group => ({ group, ...rowsOf(group, filter, id) }));
  const rows = shown.flatMap(one => one.rows);
  const here =
    rows.find(row => row.id === active) ?? (filter ? rows[0] : rows.find(row => row.current)) ?? rows[0];

  // Whether the last that the reader did leads away. A page moves the focus by itself, too, as Lab does to
  // its launcher when it has started: who has just opened this has not left it.
  const leaving = React.useRef(false);
  const stays = (target: EventTarget | null): boolean =>
    target instanceof Node &&
    (host.current?.contains(target) === true || props.opener.current?.contains(target) === true);

  React.useEffect(() => input.current?.focus(), []);
  React.useEffect(() => {
    const onPointerDown = ({ target }: Event): void => {
      leaving.current = !stays(target);
      if (leaving.current) {
        props.onClose(true);
      }
    };
    document.addEventListener('pointerdown', onPointerDown, true);
    return () => document.removeEventListener('pointerdown', onPointerDown, true);
  }, [props.onClose]);
  React.useEffect(() => {
    host.current?.querySelector('[data-fl-active="true"]')?.scrollIntoView?.({ block: 'nearest' });
  }, [here?.id]);

  const onKeyDown = (event: React.KeyboardEvent): void => {
    leaving.current = event.key === 'Tab' || event.ctrlKey || event.metaKey || event.altKey;
    const place = here ? rows.indexOf(here) : -1;
    const last = rows.length - 1;
    const moves: Record<string, number> = {
      ArrowDown: place === last ? 0 : place + 1,
      ArrowUp: place <= 0 ? last : place - 1,
      PageDown: Math.min(place + 10, last),
      PageUp: Math.max(place - 10, 0)
    };
    if (event.key in moves) {
      setActive(rows[moves[event.key]]?.id ?? null);
    } else if (event.key === 'Enter' && here) {
      props.onChoose(here.group.name, here.name);
    } else if (event.key === 'Escape') {
      props.onClose(false);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={host}
      className="fl-Switch"
      role="dialog"
      aria-label={props.label}
      data-fl-switch=""
      onKeyDown={onKeyDown}
      // Text inside takes the focus too, or a click on it would count as one elsewhere.
      tabIndex={-1}
      onBlur={event => {
        // Another window is not another place in this one; a frame keeps what is pressed in it to itself.
        const intoFrame = event.relatedTarget instanceof HTMLIFrameElement;
        if ((leaving.current || intoFrame) && !stays(event.relatedTarget) && document.hasFocus()) {
          props.onClose(true);
        }
      }}
    >
      <input
        ref={input}
        className="fl-Switch-filter"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls={`${id}-list`}
        aria-activedescendant={here?.id}
        aria-label={props.placeholder}
        placeholder={props.placeholder}
        spellCheck={false}
        autoComplete="off"
        value={filter}
        onChange={event => {
          setFilter(event.target.value);
          setActive(null);
        }}
      />
      {props.error && (
        <p className="fl-Switch-error" role="alert">
          {props.error}
        </p>
      )}
      <div className="fl-Switch-list" role="listbox" id={`${id}-list`} aria-label={props.label}>
        {shown.map(({ group, rows: some, more }) => (
          <div key={group.name} role="group" aria-labelledby={`${id}-${group.name}`}>
            <div className="fl-Switch-title" id={`${id}-${group.name}`}>
              {group.title}
            </div>
            {group.note && <p className="fl-Switch-note">{group.note}</p>}
            {some.map(row => (
              <Row key={row.id} row={row} active={row === here} onChoose={props.onChoose} />
            ))}
            {more > 0 && (
              <p className="fl-Switch-note">
                {trans._n('%1 more: type to find it.', '%1 more: type to find them.', more)}
              </p>
            )}
          </div>
        ))}
      </div>
      <p className="fl-Switch-status" role="status">
        {props.status || (rows.length === 0 ? trans.__('Nothing has that name.') : '')}
      </p>
    </div>
  );
}

function Row(props: {
  row: IRow;
  active: boolean;
  onChoose: (group: ISwitchGroup['name'], name: string) => void;
}): JSX.Element {
  const { row } = props;
  return (
    <div
      className="fl-Switch-row"
      role="option"
      id={row.id}
      aria-selected={row.current}
      data-fl-active={props.active}
      data-fl-choice={row.name}
      data-fl-problem={row.problem !== ''}
      title={row.title || undefined}
      // The focus stays in the filter, whose keys lead through the list.
      onMouseDown={event => event.preventDefault()}
      onClick={() => props.onChoose(row.group.name, row.name)}
    >
      <span className="fl-Switch-check">{row.current && <checkIcon.react tag="span" />}</span>
      <span className="fl-Switch-name">{row.label}</span>
      {row.note && <span className="fl-Switch-source">{row.note}</span>}
      {row.problem && <span className="fl-Switch-problem">{row.problem}</span>}
    </div>
  );
}

function rowsOf(group: ISwitchGroup, filter: string, id: string): { rows: IRow[]; more: number } {
  const wanted = filter.trim().toLowerCase();
  const found = group.entries.filter(entry => entry.name.toLowerCase().includes(wanted));
  const rows = found.slice(0, MOST_ROWS).map((entry): IRow => {
    return { ...entry, group, label: entry.name, id: `${id}-${group.name}-${entry.name}` };
  });
  if (group.free && LABEL.test(wanted) && !group.entries.some(entry => entry.name === wanted)) {
    const label = group.free(wanted);
    rows.push({
      name: wanted,
      note: '',
      title: '',
      problem: '',
      current: false,
      group,
      label,
      id: `${id}-free`
    });
  }
  return { rows, more: Math.max(0, found.length - MOST_ROWS) };
}
