/**
 * A log, live while what writes it runs.
 */
import * as React from 'react';

import type { ILogOptions } from '../api/logs';
import { LogStatus, LogView } from '../components/logview';
import type { ITrans } from '../components/text';
import type { IRunFeed } from '../model/runfeed';

export function LogPane(props: {
  /** Differs where another log is read, or the same from its start. */
  source: string;
  /** Whether there may be something to read. */
  begun: boolean;
  /** Whether it grows. */
  live: boolean;
  read: (options: ILogOptions) => Promise<void>;
  /** What an empty log that has ended means. */
  empty: LogStatus;
  feed: IRunFeed;
  trans: ITrans;
}): JSX.Element {
  const { source, begun, live, read, empty, feed, trans } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const [attempt, setAttempt] = React.useState(0);

  React.useEffect(() => {
    const view = new LogView(host.current!, trans);
    const abort = new AbortController();
    const again = (): void => setAttempt(count => count + 1);
    if (!begun) {
      view.status('waiting');
    } else {
      view.status('following');
      // The stream ends by itself with what writes it.
      read({ follow: live, signal: abort.signal, onText: text => view.append(text) })
        .then(() => view.status(view.isEmpty ? empty : 'done'))
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
    // What else is used belongs to the source and does not change with it.
  }, [source, begun, attempt]);
  return <div className="fl-LogPane" ref={host} />;
}
