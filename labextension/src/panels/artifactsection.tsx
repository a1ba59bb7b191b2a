/**
 * The newest artifacts, in the sidebar.
 */
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ArtifactRows } from '../components/artifact/ArtifactRows';
import { Message } from '../components/Message';
import type { ITrans } from '../components/text';
import type { ArtifactsModel } from '../model/artifacts';

/** Rows of the sidebar; the list in the main area has them all. */
const NEWEST = 8;

/** Asked for while it is unfolded, and no longer. */
export function NewestArtifacts(props: {
  create: () => ArtifactsModel;
  onOpen: (artifact: string) => void;
  trans: ITrans;
}): JSX.Element {
  const [model, setModel] = React.useState<ArtifactsModel | null>(null);
  React.useEffect(() => {
    const made = props.create();
    setModel(made);
    return () => made.dispose();
  }, []);
  return model === null ? (
    <></>
  ) : (
    <UseSignal signal={model.changed}>{() => <Content {...props} model={model} />}</UseSignal>
  );
}

function Content(props: {
  model: ArtifactsModel;
  onOpen: (artifact: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { model, trans } = props;
  const { load, artifacts, reason } = model;
  if (load.kind === 'error' || load.kind === 'gone') {
    const again = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
    return <Message kind="error" text={load.message} hint={load.hint} action={again} />;
  }
  if (load.kind !== 'ready') {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (artifacts.length === 0) {
    return <Message kind="empty" text={reason || trans.__('No artifacts yet.')} />;
  }
  return <ArtifactRows artifacts={artifacts.slice(0, NEWEST)} trans={trans} onOpen={props.onOpen} />;
}
