/**
 * What the forms that make runs share: how they read what they need, ask for a preview as one types,
 * and name what they make.
 */
import * as React from 'react';

import { ApiError } from '../api/errors';
import type { IExperiment } from '../api/runtypes';
import { Labelled } from '../components/Labelled';
import { Message } from '../components/Message';
import type { ITrans } from '../components/text';

/** How long one may type before the preview is asked for anew. */
const PAUSE_MS = 250;

/** What `read` gives, drawn by `children`; until then, or where it fails, a message. */
export function Loading<T>(props: {
  read: () => Promise<T>;
  children: (loaded: T) => JSX.Element;
  trans: ITrans;
}): JSX.Element {
  const { trans } = props;
  const [loaded, setLoaded] = React.useState<{ value: T } | Error | null>(null);
  const [tries, setTries] = React.useState(0);
  React.useEffect(() => {
    let shown = true;
    props.read().then(
      value => shown && setLoaded({ value }),
      (error: Error) => shown && setLoaded(error)
    );
    return () => {
      shown = false;
    };
  }, [tries]);
  if (loaded === null) {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (loaded instanceof Error) {
    const again = { label: trans.__('Try again'), name: 'refresh', run: () => setTries(tries + 1) };
    return <Message kind="error" text={loaded.message} hint={hintOf(loaded)} action={again} />;
  }
  return props.children(loaded.value);
}

/**
 * The preview of a wish, asked for anew when it has changed; and why it, or what was done last, failed.
 * A wish that is not valid is not asked for.
 */
export function usePreview<Wish, Preview>(
  wish: Wish,
  valid: boolean,
  ask: (wish: Wish) => Promise<Preview>
): { preview: Preview | null; failure: Error | null; setFailure: (failure: Error) => void } {
  const [preview, setPreview] = React.useState<Preview | null>(null);
  const [failure, setFailure] = React.useState<Error | null>(null);
  React.useEffect(() => {
    if (!valid) {
      return;
    }
    let shown = true;
    const timer = setTimeout(() => {
      ask(wish).then(
        found => {
          if (shown) {
            setPreview(found);
            setFailure(null);
          }
        },
        (error: Error) => shown && setFailure(error)
      );
    }, PAUSE_MS);
    return () => {
      shown = false;
      clearTimeout(timer);
    };
  }, [JSON.stringify(wish), valid]);
  return { preview, failure, setFailure };
}

/** Under which name, and in which experiment. */
export function NameAndExperiment(props: {
  /** Begins the ids of the fields. */
  id: string;
  name: string;
  /** Id of the experiment. */
  experiment: string;
  experiments: readonly IExperiment[];
  onName: (name: string) => void;
  onExperiment: (experiment: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { id, experiment, experiments, trans } = props;
  const known = experiments.some(one => one.id === experiment);
  return (
    <>
      <Labelled id={`${id}-name`} label={trans.__('Name')}>
        <input
          type="text"
          className="fl-Input"
          id={`${id}-name`}
          data-fl-input="name"
          required
          value={props.name}
          onChange={event => props.onName(event.target.value)}
        />
      </Labelled>
      <Labelled id={`${id}-experiment`} label={trans.__('Experiment')}>
        <select
          className="fl-Input"
          id={`${id}-experiment`}
          data-fl-input="experiment"
          value={experiment}
          onChange={event => props.onExperiment(event.target.value)}
        >
          {!known && <option value={experiment}>{experiment || trans.__('Default')}</option>}
          {experiments.map(one => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </Labelled>
    </>
  );
}

/** Cancel, and the verb of the form. */
export function FormVerbs(props: {
  verb: string;
  action: string;
  disabled: boolean;
  /** Why it is. */
  title: string;
  onCancel: () => void;
  trans: ITrans;
}): JSX.Element {
  return (
    <div className="fl-CloneForm-verbs">
      <button type="button" className="jp-mod-styled jp-mod-reject" onClick={props.onCancel}>
        {props.trans.__('Cancel')}
      </button>
      <button
        type="submit"
        className="jp-mod-styled jp-mod-accept"
        data-fl-action={props.action}
        disabled={props.disabled}
        title={props.title}
      >
        {props.verb}
      </button>
    </div>
  );
}

/** Why something failed, and what to do next, in lines. */
export function FailureText({ name, text }: { name: string; text: string }): JSX.Element {
  return (
    <div className="fl-Error" role="alert" data-fl-error={name}>
      <pre className="fl-Error-text">{text}</pre>
    </div>
  );
}

/** An error in words. */
export function wordsOf(error: Error): string {
  return [error.message, hintOf(error)].filter(Boolean).join('\n');
}

function hintOf(error: Error): string {
  return error instanceof ApiError ? error.hint : '';
}
