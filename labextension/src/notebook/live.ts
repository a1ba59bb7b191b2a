/**
 * What the notebook's kernel, when there is one, says of the values that will travel between steps.
 *
 * It is asked only while it has nothing to do, silently, and for a bounded time; it changes nothing there.
 */
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { ISessionContext } from '@jupyterlab/apputils';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import type { FairleadClient } from '../api/client';
import type { ILiveValue, IProblem } from '../api/types';
import { contentOf } from './content';
import type { NotebookReading } from './reading';

/** A rest after an execution, or a reading, before the kernel is asked. */
const PAUSE_MS = 500;
/** How long an answer is waited for; the kernel itself stops after a second. */
const PATIENCE_MS = 10_000;
const KEY = 'fairlead';

export class LiveValues implements IDisposable {
  constructor(
    private readonly reading: NotebookReading,
    private readonly client: FairleadClient
  ) {
    const { sessionContext } = reading.panel;
    sessionContext.iopubMessage.connect(this._onMessage, this);
    sessionContext.statusChanged.connect(this._onStatus, this);
    sessionContext.kernelChanged.connect(this._onKernel, this);
    reading.changed.connect(this._onReading, this);
    reading.panel.disposed.connect(this.dispose, this);
    this._onReading();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** By name: those that the kernel has. */
  get values(): ReadonlyMap<string, ILiveValue> {
    return this._values;
  }

  get problems(): readonly IProblem[] {
    return this._problems;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._pause.dispose();
    const { sessionContext } = this.reading.panel;
    sessionContext.iopubMessage.disconnect(this._onMessage, this);
    sessionContext.statusChanged.disconnect(this._onStatus, this);
    sessionContext.kernelChanged.disconnect(this._onKernel, this);
    this.reading.changed.disconnect(this._onReading, this);
    Signal.clearData(this);
  }

  /** Ask now. While the kernel is busy, what was known stays. */
  async ask(): Promise<void> {
    const { panel, analysis } = this.reading;
    const kernel = panel.isDisposed ? null : panel.sessionContext.session?.kernel;
    const { model } = panel.content;
    const names = [...new Set(analysis.steps.flatMap(step => step.writes))];
    if (!model || !kernel || names.length === 0) {
      this._tell({}, []);
      return;
    }
    if (kernel.status !== 'idle' || kernel.hasPendingInput) {
      return;
    }
    try {
      if ((await kernel.info).language_info.name !== 'python') {
        return;
      }
      this._question ??= this.client.liveQuestion();
      const answer = await askKernel(kernel, `${await this._question}(${JSON.stringify(names)})`);
      if (answer && !this._isDisposed) {
        const told = Object.values(answer).some(value => value.error || value.size);
        const problems = told ? await this.client.liveProblems(contentOf(model), answer) : [];
        this._tell(answer, problems);
      }
    } catch (error) {
      this._question = null;
      console.warn('Fairlead could not ask the kernel what travels between the steps:', error);
    }
  }

  private _tell(values: Record<string, ILiveValue>, problems: IProblem[]): void {
    const told = JSON.stringify([values, problems]);
    if (told !== this._told && !this._isDisposed) {
      this._told = told;
      this._values = new Map(Object.entries(values));
      this._problems = problems;
      this._changed.emit();
    }
  }

  /** What runs silently, as this question does, is not told of; so nobody asks because somebody asked. */
  private _onMessage(_: ISessionContext, message: KernelMessage.IMessage): void {
    if (message.header.msg_type === 'execute_input') {
      this._isStale = true;
    }
  }

  private _onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'idle' && this._isStale) {
      this._isStale = false;
      this._soon();
    }
  }

  private _onKernel(): void {
    this._tell({}, []);
  }

  private _onReading(): void {
    const names = JSON.stringify(this.reading.analysis.steps.map(step => [step.cell_ids, step.writes]));
    if (names !== this._names) {
      this._names = names;
      this._soon();
    }
  }

  private _soon(): void {
    this._pause.invoke().catch(() => undefined);
  }

  private readonly _pause = new Debouncer(() => this.ask(), PAUSE_MS);
  private readonly _changed = new Signal<this, void>(this);
  private _question: Promise<string> | null = null;
  private _values: ReadonlyMap<string, ILiveValue> = new Map<string, ILiveValue>();
  private _problems: readonly IProblem[] = [];
  private _told = JSON.stringify([{}, []]);
  private _names = '[]';
  private _isStale = false;
  private _isDisposed = false;
}

/** The value of an expression that gives JSON in base64; null where the kernel gives none, or not in time. */
async function askKernel(
  kernel: Kernel.IKernelConnection,
  expression: string
): Promise<Record<string, ILiveValue> | null> {
  const future = kernel.requestExecute(
    {
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
      user_expressions: { [KEY]: expression }
    },
    true
  );
  const late = new Promise<null>(resolve => setTimeout(() => resolve(null), PATIENCE_MS));
  const reply = await Promise.race([future.done, late]);
  if (reply?.content.status !== 'ok') {
    return null;
  }
  const found = reply.content.user_expressions[KEY] as unknown as IExpressionValue | undefined;
  const text = found?.data?.['text/plain'] ?? '';
  return found?.status === 'ok'
    ? (JSON.parse(atob(text.replace(/^'|'$/g, ''))) as Record<string, ILiveValue>)
    : null;
}

interface IExpressionValue {
  status: string;
  data?: Record<string, string>;
}
