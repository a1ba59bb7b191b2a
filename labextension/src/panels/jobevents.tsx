/**
 * The Events about a training job and its pods.
 */
import * as React from 'react';

import type { IJobEvent } from '../api/trainingtypes';
import { Age } from '../components/Elapsed';
import { Message } from '../components/Message';
import type { ITrans } from '../components/text';
import { useLoaded } from './panes';

export function JobEvents(props: {
  /** Differs where there may be others. */
  version: string;
  read: () => Promise<IJobEvent[]>;
  trans: ITrans;
}): JSX.Element {
  const { trans } = props;
  const loaded = useLoaded(props.read, props.version);
  if (loaded && 'error' in loaded) {
    return <Message kind="error" text={loaded.error.message} />;
  }
  if (!loaded) {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (!loaded.value.length) {
    return <Message kind="empty" text={trans.__('Nothing was told.')} />;
  }
  return (
    <table className="fl-Table" aria-label={trans.__('Events')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Age')}</th>
          <th scope="col">{trans.__('Reason')}</th>
          <th scope="col">{trans.__('Object')}</th>
          <th scope="col">{trans.__('Message')}</th>
        </tr>
      </thead>
      <tbody>
        {loaded.value.map((event, place) => (
          <tr key={place} data-fl-event={event.reason} data-fl-warning={event.type === 'Warning'}>
            <td>
              <Age from={event.last} trans={trans} />
            </td>
            <td>{event.count > 1 ? `${event.reason} ×${event.count}` : event.reason}</td>
            <td>{event.object}</td>
            <td>{event.message}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
