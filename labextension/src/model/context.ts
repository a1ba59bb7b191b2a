/**
 * The context in use: how it is, what it can do, how much of it is used. Has no DOM.
 */
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { FairleadClient } from '../api/client';
import { ServerMissingError } from '../api/errors';
import type { IFeed } from '../api/feed';
import type { Capabilities, ICapability, IContext, IHealth, ITopicMessage, IUsage } from '../api/types';
import { coalesced } from './coalesce';

/** What the panel says while nothing is wrong or while something is. */
export type ConnectionState =
  | 'ok'
  | 'starting'
  /** The API server is away; it is tried again. */
  | 'reconnecting'
  /** The API server refuses us. */
  | 'error'
  /** The Jupyter Server is away; it is tried again. */
  | 'offline';

/** What other models need of it. */
export interface IContextInUse {
  readonly context: IContext | null;
  readonly moved: ISignal<unknown, IContext>;
  start(): void;
}

type Client = Pick<FairleadClient, 'capabilities' | 'use'>;

export class ContextModel implements IContextInUse, IDisposable {
  constructor(
    private readonly client: Client,
    private readonly feed: IFeed
  ) {}

  /** Emitted after every change of what the model tells. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when another context or namespace is in use than before. */
  get moved(): ISignal<this, IContext> {
    return this._moved;
  }

  /** Null until the server has told. */
  get context(): IContext | null {
    return this._context;
  }

  /** Why there is no context: the one that was chosen is no more. Null where there is one. */
  get problem(): { message: string; hint: string } | null {
    return this._problem;
  }

  /** Null until the server has told, or while nobody asks. */
  get usage(): IUsage | null {
    return this._usage;
  }

  /** Why the usage may be out of date; `ok` where it is not. */
  get usageHealth(): IHealth {
    return this._usageHealth;
  }

  get state(): ConnectionState {
    if (!this.feed.connected && this._context) {
      return 'offline';
    }
    if (this._problem) {
      return 'error';
    }
    return this._context?.health ?? 'starting';
  }

  /** Whether what is shown is only the last that was known. */
  get stale(): boolean {
    return this._context !== null && this.state !== 'ok';
  }

  /** What is known of a kind; null while nothing is, and then nothing is held against it. */
  capability(kind: string): ICapability | null {
    return this._capabilities?.[kind] ?? null;
  }

  /** Why a verb cannot be used on a kind; empty where it can, or where that is not known. */
  refusal(kind: string, verb: string): string {
    const known = this.capability(kind);
    if (!known) {
      return '';
    }
    const access = known.verbs[verb];
    return !known.available ? known.reason : access && !access.allowed ? access.reason : '';
  }

  /** Begin to listen; called by every viewer, does its work once. */
  start(): void {
    if (!this._subscription) {
      this._subscription = this.feed.subscribe<IContext>({ topic: 'context' }, message =>
        this._take(message)
      );
      this.feed.connectionChanged.connect(this._onConnection, this);
    }
  }

  /** Follow the usage until disposed of. */
  watchUsage(): IDisposable {
    this._usageViewers += 1;
    this._usageSubscription ??= this.feed.subscribe<IUsage>({ topic: 'usage' }, message =>
      this._takeUsage(message)
    );
    return new DisposableDelegate(() => {
      this._usageViewers -= 1;
      if (this._usageViewers === 0) {
        this._usageSubscription?.dispose();
        this._usageSubscription = null;
      }
    });
  }

  /** Use another context or namespace; the topic tells when it is so. */
  async use(context: string, namespace?: string): Promise<void> {
    await this.client.use(context, namespace);
    this.feed.retry();
  }

  /** Begin anew where the server refused us: with what the kubeconfig says now. */
  async reconnect(): Promise<void> {
    this.feed.retry();
    const { context } = this;
    if (context && this.feed.connected) {
      await this.use(context.context, context.namespace).catch((error: unknown) => {
        console.warn('Fairlead could not begin anew:', error);
      });
    }
  }

  /** Ask anew what the cluster can do; connect at once where the connection is broken. */
  async refresh(): Promise<void> {
    this.feed.retry();
    await this._readCapabilities();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._subscription?.dispose();
    this._usageSubscription?.dispose();
    Signal.clearData(this);
  }

  private readonly _readCapabilities = coalesced(async () => {
    const asked = this._place;
    try {
      const found = await this.client.capabilities();
      if (asked === this._place) {
        this._capabilities = found;
      }
    } catch (error) {
      // The topic says in words how the server is; what was known of it stays.
      if (!(error instanceof ServerMissingError)) {
        console.warn('Fairlead does not know what this cluster can do:', error);
      }
    }
    this._changed.emit();
  });

  private _take(message: ITopicMessage<IContext>): void {
    if ('error' in message) {
      this._problem = { message: message.error, hint: message.hint };
      this._changed.emit();
      return;
    }
    this._problem = null;
    const context = Object.values(message.rows ?? {})[0];
    if (!context) {
      return;
    }
    const before = this._context;
    this._context = context;
    const place = `${context.context}\n${context.namespace}`;
    const moved = place !== this._place;
    this._place = place;
    if (moved && before) {
      this._capabilities = null;
      this._usage = null;
      this._moved.emit(context);
    }
    const changedServer = before?.version !== context.version || before.health !== 'ok';
    if (context.health === 'ok' && (moved || changedServer)) {
      void this._readCapabilities();
    }
    this._changed.emit();
  }

  private _takeUsage(message: ITopicMessage<IUsage>): void {
    if ('error' in message) {
      return;
    }
    const { health, message: why, hint } = message;
    this._usageHealth = { health, message: why, hint };
    this._usage = Object.values(message.rows ?? {})[0] ?? this._usage;
    this._changed.emit();
  }

  private _onConnection(): void {
    this._changed.emit();
  }

  private _context: IContext | null = null;
  private _problem: { message: string; hint: string } | null = null;
  private _usage: IUsage | null = null;
  private _usageHealth: IHealth = { health: 'starting', message: '', hint: '' };
  private _capabilities: Capabilities | null = null;
  private _place = '';
  private _subscription: IDisposable | null = null;
  private _usageSubscription: IDisposable | null = null;
  private _usageViewers = 0;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _moved = new Signal<this, IContext>(this);
}
