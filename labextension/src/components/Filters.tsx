import * as React from 'react';

/** A choice: its value and what it is called. */
export type Choice = readonly [value: string, label: string];

/** What a list is filtered by, in a line that wraps. */
export function Filters(props: { label: string; children: React.ReactNode }): JSX.Element {
  return (
    <div className="fl-Filters" role="search" aria-label={props.label}>
      {props.children}
    </div>
  );
}

/** A part of a name. */
export function NameFilter(props: {
  name: string;
  placeholder: string;
  /** For who does not see where it stands; the placeholder by default. */
  label?: string;
  value: string;
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <input
      type="search"
      className="fl-Input"
      data-fl-filter={props.name}
      placeholder={props.placeholder}
      aria-label={props.label ?? props.placeholder}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    />
  );
}

/** One of several. */
export function ChoiceFilter(props: {
  name: string;
  label: string;
  value: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <select
      className="fl-Input"
      data-fl-filter={props.name}
      aria-label={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      {props.choices.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** Whether those of a kind are shown. */
export function CheckFilter(props: {
  name: string;
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}): JSX.Element {
  return (
    <label className="fl-Filters-check">
      <input
        type="checkbox"
        data-fl-filter={props.name}
        checked={props.checked}
        onChange={event => props.onChange(event.target.checked)}
      />
      {props.label}
    </label>
  );
}
