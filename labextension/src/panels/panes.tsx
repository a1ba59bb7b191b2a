/**
 * Parts of the inspector that read more than the run's view: the executed notebook and the manifest.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import type { INode } from '../api/types';
import { Message } from '../components/Message';
import { isActive } from '../components/states';
import type { ITrans } from '../components/text';
import { Highlight, NotebookView } from './notebookview';

/** Larger texts are shown without colours, which would take seconds. */
const MOST_COLOURED = 200_000;

export type Loaded<T> = { value: T } | { error: Error } | null;

/** Read something again whenever `key` changes; null until it is there. */
export function useLoaded<T>(read: () => Promise<T>, key: string): Loaded<T> {
  const [loaded, setLoaded] = React.useState<Loaded<T>>(null);
  React.useEffect(() => {
    let current = true;
    read().then(
      value => current && setLoaded({ value }),
      (error: Error) => current && setLoaded({ error })
    );
    return () => {
      current = false;
    };
  }, [key]);
  return loaded;
}

export function NotebookPane(props: {
  run: string;
  node: INode;
  client: FairleadClient;
  rendermime: IRenderMimeRegistry;
  highlight: Highlight;
  trans: ITrans;
}): JSX.Element {
  const { run, node, client, rendermime, highlight, trans } = props;
  const [again, setAgain] = React.useState(0);
  const key = [run, node.id, node.state, node.started_at, again].join(' ');
  const loaded = useLoaded(() => client.notebook(run, node.task_id ?? node.id), key);
  const host = React.useRef<HTMLDivElement>(null);
  const notebook: INotebookContent | null = loaded && 'value' in loaded ? loaded.value : null;

  // Before React takes the host away: Lumino's widgets leave by themselves.
  React.useLayoutEffect(() => {
    if (!notebook || !host.current) {
      return;
    }
    const view = new NotebookView(notebook, rendermime, highlight);
    Widget.attach(view, host.current);
    return () => view.dispose();
  }, [notebook]);

  if (loaded && 'error' in loaded) {
    return <Message kind="error" text={loaded.error.message} />;
  }
  const live = isActive(node.state);
  const none = live ? trans.__('No cell has ended yet.') : trans.__('This step has no executed notebook.');
  return (
    <>
      {live && (
        <button
          type="button"
          className="fl-Link"
          data-fl-action="reload-notebook"
          onClick={() => setAgain(again + 1)}
        >
          {trans.__('Read the cells executed so far')}
        </button>
      )}
      {!notebook && (
        <Message kind={loaded ? 'empty' : 'loading'} text={loaded ? none : trans.__('Loading…')} />
      )}
      <div ref={host} />
    </>
  );
}

export function ManifestPane(props: {
  /** Differs where another text is read. */
  version: string;
  read: () => Promise<string>;
  highlight: Highlight;
  trans: ITrans;
}): JSX.Element {
  const { version, read, highlight, trans } = props;
  const loaded = useLoaded(read, version);
  const host = React.useRef<HTMLPreElement>(null);
  const text = loaded && 'value' in loaded ? loaded.value : null;
  React.useEffect(() => {
    if (text !== null && host.current) {
      host.current.textContent = text;
      if (text.length < MOST_COLOURED) {
        highlight(text, 'yaml', host.current);
      }
    }
  }, [text]);
  if (loaded && 'error' in loaded) {
    return <Message kind="error" text={loaded.error.message} />;
  }
  if (text === null) {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  return (
    <pre
      className="fl-Manifest"
      data-fl-manifest=""
      ref={host}
      aria-label={trans.__('Manifest')}
      tabIndex={0}
    />
  );
}
