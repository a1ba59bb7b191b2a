/**
 * Fairlead's events, from the Jupyter Server's own event socket.
 */
import { Event, EventManager, ServerConnection } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { IContext, IRunChange } from './types';

const RUN_CHANGED = 'https://events.fairlead.dev/run_changed/v1';
const CONTEXT_CHANGED = 'https://events.fairlead.dev/context_changed/v1';

/** What models listen to. */
export interface IFairleadEvents {
  /** Open the socket; only the first call does something. */
  start(): void;
  readonly runChanged: ISignal<unknown, IRunChange>;
  readonly contextChanged: ISignal<unknown, IContext>;
  /** The socket is open, first or again: what happened before is not told, so read everything once. */
  readonly opened: ISignal<unknown, void>;
}

/**
 * A subscription of our own. Lab's shared one has the same events, but does not tell when its socket
 * broke and came back, and without that a viewer would show a stale state for ever.
 */
export class FairleadEvents implements IFairleadEvents, IDisposable {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  start(): void {
    if (this._manager) {
      return;
    }
    const { settings } = this;
    const opened = (): void => this._opened.emit();
    const Base = settings.WebSocket;
    class TellingSocket extends Base {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('open', opened);
      }
    }
    this._manager = new EventManager({ serverSettings: { ...settings, WebSocket: TellingSocket } });
    this._manager.stream.connect(this._onEvent, this);
  }

  get runChanged(): ISignal<this, IRunChange> {
    return this._runChanged;
  }

  get contextChanged(): ISignal<this, IContext> {
    return this._contextChanged;
  }

  get opened(): ISignal<this, void> {
    return this._opened;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._manager?.dispose();
    Signal.clearData(this);
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    // Jupyter sends the data of an event beside its schema's name.
    const data: unknown = event;
    if (event.schema_id === RUN_CHANGED) {
      this._runChanged.emit(data as IRunChange);
    } else if (event.schema_id === CONTEXT_CHANGED) {
      this._contextChanged.emit(data as IContext);
    }
  }

  private _manager: EventManager | null = null;
  private _isDisposed = false;
  private readonly _runChanged = new Signal<this, IRunChange>(this);
  private readonly _contextChanged = new Signal<this, IContext>(this);
  private readonly _opened = new Signal<this, void>(this);
}
