/**
 * The typed door to the server extension. The only file that builds URLs.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

import type { IPreview } from '../previews';
import type { IArtifactDetail, IArtifactFilter, IArtifactPage } from './artifacttypes';
import type { IComparison } from '../comparison';
import { IProblems, placed, refusal, started } from './answers';
import { ApiError, ServerMissingError } from './errors';
import { ILogOptions, readLog } from './logs';
import { RecurringDoor } from './recurring';
import { TrainingDoor } from './training';
import type {
  Capabilities,
  IAnalysis,
  IContexts,
  ILiveValue,
  INamespaces,
  IPlace,
  IProblem,
  IRunDetail,
  IRunSummary,
  IStarted
} from './types';
import type { IClone, IDraft, IExperiment, IExport, IRequestText, IRunPage, IRunQuery } from './runtypes';
import { BASE } from './urls';

/** Runs that a short list shows. */
const NEWEST = 50;

export interface ISubmission {
  /** The notebook's path, as the contents API names it. */
  path: string;
  /** Its present content; without it the file is read. */
  notebook?: INotebookContent;
  parameters?: Record<string, unknown>;
}

export class FairleadClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  readonly recurring = new RecurringDoor((method, path, body) => this._request(method, path, body));
  readonly training = new TrainingDoor(
    (method, path, body) => this._request(method, path, body),
    (path, options) => this._log(path, options)
  );

  /** The contexts that could be used, and which one is. */
  contexts(): Promise<IContexts> {
    return this._json<IContexts>('GET', ['contexts']);
  }

  /** Use another context, or another namespace of it; without one, the context's own. */
  use(context: string, namespace?: string): Promise<IPlace> {
    return this._json('PUT', ['contexts', 'current'], { context, namespace });
  }

  /** The namespaces of the context in use. */
  namespaces(): Promise<INamespaces> {
    return this._json<INamespaces>('GET', ['namespaces']);
  }

  /** What the cluster in use can do, and what we may do there. */
  async capabilities(): Promise<Capabilities> {
    return (await this._json<{ kinds: Capabilities }>('GET', ['capabilities'])).kinds;
  }

  /** The newest runs, newest first. */
  async runs(): Promise<IRunSummary[]> {
    return (await this.runPage({ page_size: NEWEST })).runs;
  }

  /** One page of runs; the server filters and sorts. */
  runPage(query: IRunQuery): Promise<IRunPage> {
    return this._json<IRunPage>('GET', ['runs'], undefined, { ...query, state: query.state?.join(',') });
  }

  run(id: string): Promise<IRunDetail> {
    return this._json<IRunDetail>('GET', ['runs', id]);
  }

  /** Start a run. A notebook that cannot become a pipeline is an `ApiError` with its problems. */
  async submit(submission: ISubmission): Promise<IStarted> {
    return started(await this._json<IProblems & IRunSummary>('POST', ['runs'], submission));
  }

  exportPipeline(wanted: IExport): Promise<{ path: string; remarks: string[] }> {
    return this._json('POST', ['exports'], wanted);
  }

  stop(id: string): Promise<IRunSummary> {
    return this._json<IRunSummary>('POST', ['runs', id, 'stop'], {});
  }

  /** Run again what failed or never ran; what succeeded stays. */
  retry(id: string): Promise<IRunSummary> {
    return this._json<IRunSummary>('POST', ['runs', id, 'retry'], {});
  }

  /** Put a run away, or bring it `back`. */
  async archive(id: string, back = false): Promise<void> {
    await this._request('POST', ['runs', id, back ? 'unarchive' : 'archive'], {});
  }

  /** What a form needs to clone a run. */
  draft(id: string): Promise<IDraft> {
    return this._json<IDraft>('GET', ['runs', id, 'draft']);
  }

  /** Start a run of the same pipeline. */
  clone(id: string, clone: IClone): Promise<IRunSummary> {
    return this._json<IRunSummary>('POST', ['runs', id, 'clone'], clone);
  }

  /** The request that `clone` would send; starts nothing. */
  previewClone(id: string, clone: IClone): Promise<IRequestText> {
    return this._json<IRequestText>('POST', ['runs', id, 'clone'], { ...clone, preview: true });
  }

  /** Runs beside each other, the first of them the baseline. */
  comparison(runs: readonly string[]): Promise<IComparison> {
    return this._json<IComparison>('GET', ['comparison'], undefined, { run: runs.join(',') });
  }

  /** Keep a run; as `baseline`, others of its experiment are held against it. */
  async pin(id: string, baseline = false): Promise<void> {
    await this._request('PUT', ['runs', id, 'pin'], { baseline });
  }

  /** Change labels of a run: `team=vision` sets one, `team-` takes it away. */
  async label(id: string, changes: readonly string[]): Promise<void> {
    await this._request('POST', ['runs', id, 'labels'], { changes });
  }

  async unpin(id: string): Promise<void> {
    await this._request('DELETE', ['runs', id, 'pin']);
  }

  /** Experiments, newest first: those that are there, or those that were put away. */
  async experiments(archived = false): Promise<IExperiment[]> {
    const query = archived ? { archived: 1 } : {};
    const path = ['experiments'];
    return (await this._json<{ experiments: IExperiment[] }>('GET', path, undefined, query)).experiments;
  }

  createExperiment(name: string, description = ''): Promise<IExperiment> {
    return this._json<IExperiment>('POST', ['experiments'], { name, description });
  }

  /** Put an experiment away with its runs, or bring it `back` without them. */
  async archiveExperiment(id: string, back = false): Promise<void> {
    await this._request('POST', ['experiments', id, back ? 'unarchive' : 'archive'], {});
  }

  async remove(id: string): Promise<void> {
    await this._request('DELETE', ['runs', id]);
  }

  /** Steps, parameters and problems of a notebook; starts nothing. */
  async analyse(notebook: INotebookContent): Promise<IAnalysis> {
    const found = await this._json<IAnalysis>('POST', ['analysis'], { notebook });
    return { ...found, problems: found.problems.map(placed) };
  }

  /** JSON Schema of the settings of a step. */
  stepSettings(): Promise<JSONObject> {
    return this._json('GET', ['analysis', 'settings']);
  }

  /** What to ask a kernel about values: an expression, to be called with a list of their names. */
  async liveQuestion(): Promise<string> {
    return (await this._json<{ question: string }>('GET', ['analysis', 'live'])).question;
  }

  /** The problems that a kernel's answer tells of. */
  async liveProblems(notebook: INotebookContent, answer: Record<string, ILiveValue>): Promise<IProblem[]> {
    const body = { notebook, answer };
    const found = await this._json<{ problems: IProblem[] }>('POST', ['analysis', 'live'], body);
    return found.problems.map(placed);
  }

  /** The pipeline spec, as YAML. */
  async manifest(id: string): Promise<string> {
    return (await this._request('GET', ['runs', id, 'manifest'])).text();
  }

  /** The notebook of a step as executed; null while there is none. */
  async notebook(id: string, node: string): Promise<INotebookContent | null> {
    try {
      return await this._json<INotebookContent>('GET', this._artifact(id, node, 'notebook'));
    } catch (error) {
      if (error instanceof ApiError && !(error instanceof ServerMissingError) && error.status === 404) {
        return null;
      }
      throw error;
    }
  }

  /** Where the browser downloads what a step made. */
  artifactUrl(id: string, node: string, name: string): string {
    return this._url(this._artifact(id, node, name));
  }

  /** What can be shown of what a step made, or makes. */
  outputPreview(id: string, node: string, name: string): Promise<IPreview> {
    return this._json<IPreview>('GET', [...this._artifact(id, node, name), 'preview']);
  }

  /** A page of artifacts, newest first. */
  async artifacts(filter: Partial<IArtifactFilter>, token = ''): Promise<IArtifactPage> {
    const query = URLExt.objectToQueryString({ ...filter, page_token: token });
    return (await (
      await this._request('GET', ['artifacts'], undefined, undefined, query)
    ).json()) as IArtifactPage;
  }

  /** An artifact with its lineage. */
  artifact(id: string): Promise<IArtifactDetail> {
    return this._json<IArtifactDetail>('GET', ['artifacts', id]);
  }

  /** What can be shown of an artifact. */
  preview(id: string): Promise<IPreview> {
    return this._json<IPreview>('GET', ['artifacts', id, 'preview']);
  }

  /** Where the browser downloads an artifact. */
  contentUrl(id: string): string {
    return this._url(['artifacts', id, 'content']);
  }

  /** Read a step's log as it grows; resolves at its end, or when aborted. */
  log(id: string, node: string, options: ILogOptions): Promise<void> {
    return this._log(['runs', id, 'nodes', node, 'log'], options);
  }

  private _log(path: readonly string[], options: ILogOptions): Promise<void> {
    return readLog((query, signal) => this._request('GET', path, undefined, signal, query), options);
  }

  private _artifact(id: string, node: string, name: string): string[] {
    return ['runs', id, 'nodes', node, 'artifacts', name];
  }

  private _url(path: readonly string[]): string {
    return URLExt.join(this.settings.baseUrl, BASE, ...path.map(encodeURIComponent));
  }

  private async _json<T>(
    method: string,
    path: readonly string[],
    body?: object,
    query: Record<string, string | number | undefined> = {}
  ): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
    const text = URLExt.objectToQueryString(Object.fromEntries(given));
    const asked = given.length ? text : '';
    return (await (await this._request(method, path, body, undefined, asked)).json()) as T;
  }

  private async _request(
    method: string,
    path: readonly string[],
    body?: object,
    signal?: AbortSignal,
    query = ''
  ): Promise<Response> {
    const init = { method, body: body && JSON.stringify(body), signal };
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(this._url(path) + query, init, this.settings);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ApiError(0, `The Jupyter Server did not answer: ${why}`);
    }
    if (!response.ok) {
      throw await refusal(response);
    }
    return response;
  }
}
