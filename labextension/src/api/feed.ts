/**
 * The page's socket to the server extension: what it subscribes to, it is told while it looks.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { ITopicMessage, ITopicRequest } from './types';
import { BASE } from './urls';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export type TopicListener<T> = (message: ITopicMessage<T>) => void;

/** What models subscribe through. */
export interface IFeed {
  /** Listen to a topic until disposed of. Each time the socket opens, it begins with a snapshot. */
  subscribe<T>(request: ITopicRequest, listener: TopicListener<T>): IDisposable;
  /** Whether the socket is open; what was told before it broke may be out of date. */
  readonly connected: boolean;
  readonly connectionChanged: ISignal<unknown, boolean>;
  /** Connect now instead of after a pause, where the socket is broken; ask again for what was refused. */
  retry(): void;
}

interface ISubscription {
  request: ITopicRequest;
  listener: TopicListener<never>;
  refused: boolean;
}

/** One socket for the page: it opens with the first subscription and closes with the last. */
export class FairleadFeed implements IFeed, IDisposable {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  get connected(): boolean {
    return this._connected;
  }

  get connectionChanged(): ISignal<this, boolean> {
    return this._connectionChanged;
  }

  subscribe<T>(request: ITopicRequest, listener: TopicListener<T>): IDisposable {
    const id = ++this._lastId;
    this._subscriptions.set(id, { request, listener, refused: false });
    if (this._connected) {
      this._send({ subscribe: id, ...request });
    } else if (!this._socket && this._timer === null) {
      this._open();
    }
    return new DisposableDelegate(() => this._unsubscribe(id));
  }

  retry(): void {
    if (this._timer !== null) {
      this._stopTimer();
      this._open();
    }
    for (const [id, subscription] of this._subscriptions) {
      if (this._connected && subscription.refused) {
        this._ask(id, subscription);
      }
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._subscriptions.clear();
    this._close();
    Signal.clearData(this);
  }

  private _unsubscribe(id: number): void {
    if (!this._subscriptions.delete(id)) {
      return;
    }
    if (this._subscriptions.size === 0) {
      this._close();
    } else if (this._connected) {
      this._send({ unsubscribe: id });
    }
  }

  private _open(): void {
    const { settings } = this;
    let url = URLExt.join(settings.wsUrl, BASE, 'watch');
    if (settings.token && settings.appendToken) {
      url += `?token=${encodeURIComponent(settings.token)}`;
    }
    const socket = new settings.WebSocket(url);
    this._socket = socket;
    socket.onopen = () => this._onOpen(socket);
    socket.onmessage = event => this._onMessage(socket, event);
    // An error is always followed by a close.
    socket.onclose = () => this._onClose(socket);
  }

  private _onOpen(socket: WebSocket): void {
    if (socket !== this._socket) {
      return;
    }
    this._pauseMs = FIRST_PAUSE_MS;
    this._setConnected(true);
    this._subscriptions.forEach((subscription, id) => this._ask(id, subscription));
  }

  private _onMessage(socket: WebSocket, event: MessageEvent): void {
    if (socket !== this._socket) {
      return;
    }
    const message = JSON.parse(event.data as string) as ITopicMessage<never> & { id: number };
    const subscription = this._subscriptions.get(message.id);
    if (subscription) {
      subscription.refused = 'error' in message;
      subscription.listener(message);
    }
  }

  private _onClose(socket: WebSocket): void {
    if (socket !== this._socket) {
      return;
    }
    this._socket = null;
    this._timer = setTimeout(() => {
      this._timer = null;
      this._open();
    }, this._pauseMs);
    this._pauseMs = Math.min(this._pauseMs * 2, LONGEST_PAUSE_MS);
    this._setConnected(false);
  }

  private _close(): void {
    const socket = this._socket;
    this._socket = null;
    this._stopTimer();
    this._connected = false;
    this._pauseMs = FIRST_PAUSE_MS;
    socket?.close();
  }

  private _stopTimer(): void {
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
  }

  private _ask(id: number, subscription: ISubscription): void {
    subscription.refused = false;
    this._send({ subscribe: id, ...subscription.request });
  }

  private _send(body: object): void {
    this._socket?.send(JSON.stringify(body));
  }

  private _setConnected(connected: boolean): void {
    if (this._connected !== connected) {
      this._connected = connected;
      this._connectionChanged.emit(connected);
    }
  }

  private readonly _subscriptions = new Map<number, ISubscription>();
  private readonly _connectionChanged = new Signal<this, boolean>(this);
  private _socket: WebSocket | null = null;
  private _timer: ReturnType<typeof setTimeout> | null = null;
  private _pauseMs = FIRST_PAUSE_MS;
  private _connected = false;
  private _isDisposed = false;
  private _lastId = 0;
}
