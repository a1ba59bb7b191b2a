/**
 * The tab of recurring runs, beside runs and experiments.
 */
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Filters } from '../components/Filters';
import { Message } from '../components/Message';
import { IRecurringRow, RecurringTable } from '../components/RecurringTable';
import type { ITrans } from '../components/text';
import type { RecurringModel } from '../model/recurring';

export interface IRecurringListOptions {
  /** Made when the tab is shown, and disposed of with it. */
  recurring: () => RecurringModel;
  /** Why nothing can be changed; empty where it can. */
  recurringRefusal: () => string;
  onSchedule: () => void;
  onEnableRecurring: (model: RecurringModel, row: IRecurringRow, enabled: boolean) => void;
  onDeleteRecurring: (model: RecurringModel, row: IRecurringRow) => void;
  onOpen: (run: string) => void;
  trans: ITrans;
}

export function RecurringList(props: IRecurringListOptions): JSX.Element {
  const { trans } = props;
  const [model, setModel] = React.useState<RecurringModel | null>(null);
  React.useEffect(() => {
    const made = props.recurring();
    setModel(made);
    return () => made.dispose();
  }, []);
  const why = props.recurringRefusal();
  return (
    <>
      <Filters label={trans.__('Recurring runs')}>
        <button
          type="button"
          className="fl-Button fl-mod-plain"
          data-fl-action="schedule"
          aria-disabled={why !== ''}
          title={why || trans.__('Of the notebook that is open, or of a run')}
          onClick={() => why || props.onSchedule()}
        >
          {trans.__('Schedule…')}
        </button>
      </Filters>
      {model && (
        <UseSignal signal={model.changed}>{() => <Rows {...props} model={model} why={why} />}</UseSignal>
      )}
    </>
  );
}

function Rows(props: IRecurringListOptions & { model: RecurringModel; why: string }): JSX.Element {
  const { model, trans } = props;
  const { load, rows } = model;
  if (load.kind === 'error' || load.kind === 'gone') {
    const action = { label: trans.__('Try again'), name: 'refresh', run: () => void model.refresh() };
    return <Message kind="error" text={load.message} hint={load.hint} action={action} />;
  }
  if (load.kind !== 'ready') {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (rows.length === 0) {
    return (
      <Message
        kind="empty"
        text={trans.__('No recurring runs yet.')}
        hint={trans.__('A notebook and a run have “Schedule…” in their menus.')}
      />
    );
  }
  return (
    <RecurringTable
      rows={rows}
      refusal={props.why}
      onEnable={(row, enabled) => props.onEnableRecurring(model, row, enabled)}
      onDelete={row => props.onDeleteRecurring(model, row)}
      onOpenRun={props.onOpen}
      trans={trans}
    />
  );
}
