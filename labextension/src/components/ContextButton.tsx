import { caretDownIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** Where things go: `● local / default ▾`. Opens the switch. */
export const ContextButton = React.forwardRef<
  HTMLButtonElement,
  {
    context: string;
    namespace: string;
    health: string;
    /** The health in a word, for screen readers. */
    healthLabel: string;
    /** Server, version and what is wrong. */
    title: string;
    label: string;
    open: boolean;
    onClick: () => void;
  }
>((props, ref): JSX.Element => {
  const place = [props.context, props.namespace].filter(Boolean).join(' / ');
  return (
    <button
      ref={ref}
      type="button"
      className="fl-Context"
      data-fl-context={props.context}
      data-fl-namespace={props.namespace}
      data-fl-health={props.health}
      title={props.title}
      aria-label={`${props.label}: ${place}, ${props.healthLabel}`}
      aria-haspopup="dialog"
      aria-expanded={props.open}
      onClick={props.onClick}
    >
      <span className="fl-Context-dot" aria-hidden="true" />
      <span className="fl-Context-name">
        {props.context}
        {props.namespace && <span className="fl-Context-slash"> / </span>}
        {props.namespace}
      </span>
      <caretDownIcon.react tag="span" className="fl-Context-caret" />
    </button>
  );
});
