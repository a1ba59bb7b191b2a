/**
 * A step's log, live while the step runs.
 */
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import type { INode } from '../api/types';
import { LogView } from '../components/logview';
import { isActive } from '../components/states';
import type { ITrans } from '../components/text';
import type { IRunFeed } from '../model/runfeed';

export function LogPane(props: {
  run: string;
  node: INode;
  client: FairleadClient;
  feed: IRunFeed;
  trans: ITrans;
}): JSX.Element {
  const { run, node, client, feed, trans } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const [attempt, setAttempt] = React.useState(0);
  const begun = node.started_at !== null || !isActive(node.state);
  // The stream ends by itself with the step: a new one is due for another step or another start only.
  const source = `${node.id} ${node.pod ?? ''} ${begun ? (node.started_at ?? '') : 'waiting'}`;

  React.useEffect(() => {
    const view = new LogView(host.current!, trans);
    const abort = new AbortController();
    const again = (): void => setAttempt(count => count + 1);
    if (!begun) {
      view.status('waiting');
    } else {
      const follow = isActive(node.state);
      view.status('following');
      client
        .log(run, node.id, { follow, signal: abort.signal, onText: text => view.append(text) })
        .then(() => view.status(!view.isEmpty ? 'done' : node.cached ? 'cached' : 'empty'))
        .catch((error: Error) => {
          view.status({ error: error.message });
          // Most likely the server went away: read anew when it is back.
          feed.opened.connect(again);
        });
    }
    return () => {
      abort.abort();
      feed.opened.disconnect(again);
      view.dispose();
    };
    // What else is used belongs to the run and does not change with it.
  }, [run, source, attempt]);
  return <div className="fl-LogPane" ref={host} />;
}
