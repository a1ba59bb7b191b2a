/**
 * The part of the door to the server extension that is for training jobs. What there is, and how it
 * stands, comes through the topic `training`.
 */
import type { ILogOptions } from './logs';
import type { IJobEvent, JobKey } from './trainingtypes';

type Request = (method: string, path: readonly string[], body?: object) => Promise<Response>;
type Log = (path: readonly string[], options: ILogOptions) => Promise<void>;

export class TrainingDoor {
  constructor(
    private readonly request: Request,
    private readonly readLog: Log
  ) {}

  /** The object, as YAML. */
  async manifest(job: JobKey): Promise<string> {
    return (await this.request('GET', [...pathOf(job), 'manifest'])).text();
  }

  /** What happened to the job and its pods, newest last. */
  async events(job: JobKey): Promise<IJobEvent[]> {
    const answer = await this.request('GET', [...pathOf(job), 'events']);
    return ((await answer.json()) as { events: IJobEvent[] }).events;
  }

  /** Read the log of a replica, or of all with their names before the lines, as it grows. */
  log(job: JobKey, replica: string | null, options: ILogOptions): Promise<void> {
    return this.readLog(
      [...pathOf(job), ...(replica === null ? ['log'] : ['replicas', replica, 'log'])],
      options
    );
  }

  /** Take its pods away and keep it; or let it go on. */
  async suspend(job: JobKey, suspended: boolean): Promise<void> {
    await this.request('POST', [...pathOf(job), suspended ? 'suspend' : 'resume'], {});
  }

  async remove(job: JobKey): Promise<void> {
    await this.request('DELETE', pathOf(job));
  }
}

function pathOf({ resource, name }: JobKey): string[] {
  return ['training', resource, name];
}
