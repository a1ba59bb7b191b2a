/**
 * The verbs of a run, with their questions and their failures.
 */
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';

import { ApiError } from '../api/errors';
import type { IRunSummary } from '../api/types';
import { stateLabel } from '../components/states';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';

export class RunActions {
  constructor(
    private readonly session: FairleadSession,
    private readonly trans: ITrans
  ) {}

  async stop(id: string): Promise<void> {
    await this._try(this.trans.__('The run was not stopped.'), async () => {
      this.session.runs.put(await this.session.client.stop(id));
    });
  }

  async retry(id: string): Promise<void> {
    await this._try(this.trans.__('The run was not retried.'), async () => {
      this.session.runs.put(await this.session.client.retry(id));
    });
  }

  /** Delete a run after asking. */
  async remove(id: string): Promise<void> {
    const { trans } = this;
    const name = this.session.runs.find(id)?.name ?? id;
    const answer = await showDialog({
      title: trans.__('Delete the run %1?', name),
      body: trans.__('Its history, logs and results go with it.'),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
      defaultButton: 0
    });
    if (answer.button.accept) {
      await this._try(trans.__('The run was not deleted.'), async () => {
        await this.session.client.remove(id);
        this.session.runs.drop(id);
      });
    }
  }

  /** Ask which run; null when none was chosen. */
  async choose(title: string, among: (run: IRunSummary) => boolean): Promise<string | null> {
    const { runs } = this.session;
    runs.start();
    await runs.refresh();
    const found = runs.runs.filter(among);
    if (found.length === 0) {
      Notification.info(this.trans.__('There is no such run.'), { autoClose: 4000 });
      return null;
    }
    const items = found.map(run => this._line(run));
    const answer = await InputDialog.getItem({ title, items, current: 0 });
    const place = answer.value === null ? -1 : items.indexOf(answer.value);
    return found[place]?.id ?? null;
  }

  private _line(run: IRunSummary): string {
    const begun = run.created_at ? new Date(run.created_at).toLocaleString() : '';
    return `${run.name} · ${stateLabel(run.state, this.trans)} · ${begun} · ${run.id.slice(0, 8)}`;
  }

  private async _try(failure: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const hint = error instanceof ApiError ? error.hint : '';
      Notification.error([failure, why, hint].filter(Boolean).join(' '), { autoClose: false });
    }
  }
}
