import * as React from 'react';

/** A field of a form under its label. */
export function Labelled(props: {
  id: string;
  label: string;
  help?: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div className="fl-FormField">
      <label className="fl-FormField-label" htmlFor={props.id}>
        {props.label}
      </label>
      {props.children}
      {props.help && <p className="fl-FormField-help">{props.help}</p>}
    </div>
  );
}
