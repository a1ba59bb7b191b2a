/**
 * Experiments: the groups that runs are in.
 */
import * as React from 'react';

import type { IExperiment } from '../api/runtypes';
import { Age } from '../components/Elapsed';
import { CheckFilter, Filters } from '../components/Filters';
import { Message } from '../components/Message';
import type { Refusal } from '../components/RunList';
import type { ITrans } from '../components/text';

/** KFP's word for never. */
const NEVER = '1970';

export interface IExperimentsOptions {
  experiments: (archived: boolean) => Promise<IExperiment[]>;
  refusal: Refusal;
  onNewExperiment: () => Promise<IExperiment | null>;
  onArchiveExperiment: (experiment: IExperiment, back: boolean) => Promise<boolean>;
  onShowRuns: (experiment: string) => void;
  trans: ITrans;
}

export function Experiments(props: IExperimentsOptions): JSX.Element {
  const { trans, refusal } = props;
  const [archived, setArchived] = React.useState(false);
  const [found, setFound] = React.useState<IExperiment[] | Error | null>(null);
  const [looks, setLooks] = React.useState(0);
  const again = (): void => setLooks(count => count + 1);
  React.useEffect(() => {
    let shown = true;
    props.experiments(archived).then(
      experiments => shown && setFound(experiments),
      (error: Error) => shown && setFound(error)
    );
    return () => {
      shown = false;
    };
  }, [archived, looks]);
  const why = refusal('clone');
  return (
    <>
      <Filters label={trans.__('Filter experiments')}>
        <button
          type="button"
          className="fl-Button fl-mod-plain"
          data-fl-action="new-experiment"
          aria-disabled={why !== ''}
          title={why}
          onClick={() => why || void props.onNewExperiment().then(made => made && again())}
        >
          {trans.__('New experiment…')}
        </button>
        <CheckFilter
          name="archived"
          label={trans.__('Archived')}
          checked={archived}
          onChange={checked => {
            setFound(null);
            setArchived(checked);
          }}
        />
      </Filters>
      {found === null && <Message kind="loading" text={trans.__('Loading…')} />}
      {found instanceof Error && (
        <Message
          kind="error"
          text={found.message}
          action={{ label: trans.__('Try again'), name: 'refresh', run: again }}
        />
      )}
      {Array.isArray(found) && found.length === 0 && (
        <Message kind="empty" text={trans.__('No experiments here.')} />
      )}
      {Array.isArray(found) && found.length > 0 && (
        <table className="fl-Table" aria-label={trans.__('Experiments')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col" className="fl-mod-wide">
                {trans.__('Description')}
              </th>
              <th scope="col">{trans.__('Last run')}</th>
              <th scope="col" className="fl-mod-medium">
                {trans.__('Created')}
              </th>
              <th scope="col">
                <span className="fl-visuallyHidden">{trans.__('Actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found.map(one => (
              <tr key={one.id} data-fl-experiment={one.name}>
                <td>
                  <button
                    type="button"
                    className="fl-Link"
                    data-fl-action="show-runs"
                    title={trans.__('Show the runs of %1', one.name)}
                    onClick={() => props.onShowRuns(one.id)}
                  >
                    {one.name}
                  </button>
                </td>
                <td className="fl-mod-wide">{one.description}</td>
                <td>
                  {one.last_run_created_at && !one.last_run_created_at.startsWith(NEVER) ? (
                    <Age from={one.last_run_created_at} trans={trans} />
                  ) : (
                    trans.__('never')
                  )}
                </td>
                <td className="fl-mod-medium">
                  <Age from={one.created_at} trans={trans} />
                </td>
                <td className="fl-mod-number">
                  <button
                    type="button"
                    className="fl-Link"
                    data-fl-action={archived ? 'unarchive' : 'archive'}
                    aria-label={
                      archived ? trans.__('Bring back %1', one.name) : trans.__('Archive %1', one.name)
                    }
                    aria-disabled={refusal('archive') !== ''}
                    title={refusal('archive')}
                    onClick={() =>
                      refusal('archive') ||
                      void props.onArchiveExperiment(one, archived).then(done => done && again())
                    }
                  >
                    {archived ? trans.__('Bring back') : trans.__('Archive')}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
