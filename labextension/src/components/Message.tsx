import * as React from 'react';

/** What is shown instead of content: what is the matter, what to do, and at most one button. */
export function Message(props: {
  kind: 'empty' | 'error' | 'missing' | 'loading';
  text: string;
  hint?: string;
  /** A command to copy. */
  code?: string;
  action?: { label: string; name: string; run: () => void };
}): JSX.Element {
  const { kind, action } = props;
  return (
    <div
      className="fl-Message"
      data-fl-message={kind}
      role={kind === 'error' || kind === 'missing' ? 'alert' : 'status'}
    >
      <p className="fl-Message-text">{props.text}</p>
      {props.hint && <p className="fl-Message-hint">{props.hint}</p>}
      {props.code && <pre className="fl-Message-code">{props.code}</pre>}
      {action && (
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept fl-Message-action"
          data-fl-action={action.name}
          onClick={action.run}
        >
          {action.label}
        </button>
      )}
    </div>
  );
}
