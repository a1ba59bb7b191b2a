/**
 * The verbs of a run, with their questions and their failures.
 */
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';

import { ApiError } from '../api/errors';
import type { IRunEntry } from '../api/runtypes';
import type { IRunSummary } from '../api/types';
import { stateLabel } from '../components/states';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';

/** Requests that are under way together. */
const AT_ONCE = 4;

export class RunActions {
  constructor(
    private readonly session: FairleadSession,
    private readonly trans: ITrans
  ) {}

  async stop(id: string): Promise<void> {
    await this._try(this.trans.__('The run was not stopped.'), async () => {
      this._put(await this.session.client.stop(id));
    });
  }

  async retry(id: string): Promise<void> {
    await this._try(this.trans.__('The run was not retried.'), async () => {
      this._put(await this.session.client.retry(id));
    });
  }

  /** Delete runs after asking; `name` tells one that is not in the short list. */
  async remove(ids: readonly string[], name = ''): Promise<void> {
    const { trans, session } = this;
    const only = name || (session.runs.find(ids[0])?.name ?? ids[0]);
    const answer = await showDialog({
      title:
        ids.length === 1
          ? trans.__('Delete the run %1?', only)
          : trans._n('Delete %1 run?', 'Delete %1 runs?', ids.length),
      body:
        ids.length === 1
          ? trans.__('Its history, logs and results go with it.')
          : trans.__('Their history, logs and results go with them.'),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
      defaultButton: 0
    });
    if (answer.button.accept) {
      await this._each(ids, trans.__('Not deleted:'), async id => {
        await session.client.remove(id);
        session.runs.drop(id);
      });
    }
  }

  /** Put runs away, or bring them back. */
  async archive(ids: readonly string[], back = false): Promise<void> {
    const { trans, session } = this;
    const failure = back ? trans.__('Not brought back:') : trans.__('Not archived:');
    await this._each(ids, failure, id => session.client.archive(id, back));
    await session.runs.refresh();
  }

  /** Keep runs; as `baseline`, others of their experiment are held against it. Whether all are. */
  pin(ids: readonly string[], baseline = false): Promise<boolean> {
    return this._each(ids, this.trans.__('Not pinned:'), id => this.session.client.pin(id, baseline));
  }

  /** Keep runs no longer. */
  unpin(ids: readonly string[]): Promise<boolean> {
    return this._each(ids, this.trans.__('Not unpinned:'), id => this.session.client.unpin(id));
  }

  /** Ask for labels, and change those of runs. */
  async label(runs: readonly Pick<IRunEntry, 'id' | 'labels'>[]): Promise<void> {
    const { trans } = this;
    const common = Object.entries(runs[0].labels).filter(([key, value]) =>
      runs.every(run => run.labels[key] === value)
    );
    const answer = await InputDialog.getText({
      title: trans.__('Labels'),
      label: trans.__('team=vision sets one, team- takes it away; with spaces between'),
      text: common.map(([key, value]) => `${key}=${value}`).join(' '),
      okLabel: trans.__('Set')
    });
    const changes = (answer.value ?? '').split(/\s+/).filter(Boolean);
    if (answer.button.accept && changes.length) {
      const ids = runs.map(run => run.id);
      await this._each(ids, trans.__('Not labelled:'), id => this.session.client.label(id, changes));
    }
  }

  /** Stop several runs. */
  async stopAll(ids: readonly string[]): Promise<void> {
    await this._each(ids, this.trans.__('Not stopped:'), async id => {
      this._put(await this.session.client.stop(id));
    });
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

  /** Take a newer summary where the run is in the list; an older one does not come to its top. */
  private _put(run: IRunSummary): void {
    if (this.session.runs.find(run.id)) {
      this.session.runs.put(run);
    }
  }

  /** Act on each, some at a time; what failed is told together. Whether none did. */
  private async _each(
    ids: readonly string[],
    failure: string,
    act: (id: string) => Promise<void>
  ): Promise<boolean> {
    const failed: string[] = [];
    const left = [...ids];
    const work = async (): Promise<void> => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        try {
          await act(id);
        } catch (error) {
          failed.push(error instanceof Error ? error.message : String(error));
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (failed.length) {
      const more = failed.length > 1 ? this.trans._n('and %1 more', 'and %1 more', failed.length - 1) : '';
      Notification.error([failure, failed[0], more].filter(Boolean).join(' '), { autoClose: false });
    }
    return failed.length === 0;
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
