/**
 * The part of the door to the server extension that is for recurring runs.
 */
import type { IRecurringPreview, IRecurringRun, IRecurringWish, RecurringOrigin } from './recurringtypes';
import type { IDraft } from './runtypes';

type Request = (method: string, path: readonly string[], body?: object) => Promise<Response>;

const HERE = 'recurringruns';

export class RecurringDoor {
  constructor(private readonly request: Request) {}

  /** All of them, newest first. */
  async list(): Promise<IRecurringRun[]> {
    return (await this._json<{ recurring_runs: IRecurringRun[] }>('GET', [HERE])).recurring_runs;
  }

  /** What a form needs to make one. */
  draft(origin: RecurringOrigin): Promise<IDraft> {
    return this._json<IDraft>('POST', [HERE, 'draft'], origin);
  }

  create(origin: RecurringOrigin, wish: IRecurringWish): Promise<IRecurringRun> {
    return this._json<IRecurringRun>('POST', [HERE], { ...origin, ...wish });
  }

  /** The request that `create` would send, and the times to come; makes nothing. */
  preview(origin: RecurringOrigin, wish: IRecurringWish): Promise<IRecurringPreview> {
    return this._json<IRecurringPreview>('POST', [HERE], { ...origin, ...wish, preview: true });
  }

  /** Let one start runs, or no longer. */
  enable(id: string, enabled: boolean): Promise<IRecurringRun> {
    return this._json<IRecurringRun>('POST', [HERE, id, enabled ? 'enable' : 'disable'], {});
  }

  /** Delete one; its runs stay. */
  async remove(id: string): Promise<void> {
    await this.request('DELETE', [HERE, id]);
  }

  private async _json<T>(method: string, path: readonly string[], body?: object): Promise<T> {
    return (await (await this.request(method, path, body)).json()) as T;
  }
}
