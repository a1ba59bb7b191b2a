import * as React from 'react';

import type { IPreview } from '../../previews';
import { Message } from '../Message';
import type { ITrans } from '../text';
import { drawPreview } from './preview';
import type { DrawMime } from './types';

type Loaded = { preview: IPreview } | { error: Error } | null;

/** What an artifact holds, read when it is first drawn and again when `version` changes. */
export function ArtifactPreview(props: {
  /** Of the artifact, for screen readers. */
  name: string;
  /** Differs where what is read would. */
  version: string;
  read: () => Promise<IPreview>;
  draw: DrawMime;
  trans: ITrans;
}): JSX.Element {
  const { name, version, read, draw, trans } = props;
  const [loaded, setLoaded] = React.useState<Loaded>(null);
  const [again, setAgain] = React.useState(0);
  const host = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    let current = true;
    setLoaded(null);
    read().then(
      preview => current && setLoaded({ preview }),
      (error: Error) => current && setLoaded({ error })
    );
    return () => {
      current = false;
    };
  }, [version, again]);
  const preview = loaded && 'preview' in loaded ? loaded.preview : null;
  // Before React takes the host away: the front end's renderers leave by themselves.
  React.useLayoutEffect(
    () => (preview && host.current ? drawPreview(host.current, preview, { name, draw, trans }) : undefined),
    [preview]
  );
  return (
    <div className="fl-ArtifactPreview" data-fl-loaded={loaded !== null}>
      {loaded === null && <Message kind="loading" text={trans.__('Loading…')} />}
      {loaded && 'error' in loaded && (
        <Message
          kind="error"
          text={loaded.error.message}
          action={{ label: trans.__('Try again'), name: 'reload-preview', run: () => setAgain(again + 1) }}
        />
      )}
      <div ref={host} />
    </div>
  );
}
