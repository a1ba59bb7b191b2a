import * as React from 'react';

/** What is wrong with a connection while what was known stays on the screen. */
export function Trouble(props: {
  /** `starting` and `reconnecting` pass by themselves, an `error` does not. */
  kind: 'starting' | 'reconnecting' | 'error';
  text: string;
  why?: string;
  hint?: string;
  action?: { label: string; name: string; run: () => void };
}): JSX.Element {
  const { kind, action } = props;
  return (
    <div className="fl-Trouble" data-fl-trouble={kind} role={kind === 'error' ? 'alert' : 'status'}>
      <p className="fl-Trouble-text">{props.text}</p>
      {props.why && <p className="fl-Trouble-why">{props.why}</p>}
      {props.hint && <p className="fl-Trouble-hint">{props.hint}</p>}
      {action && (
        <button type="button" className="fl-Link" data-fl-action={action.name} onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}
