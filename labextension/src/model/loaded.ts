/**
 * What models of what the server tells share: how far they are, and who is told of it. Has no DOM.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { coalesced } from './coalesce';
import { LoadState, loadStateOf } from './load';

export abstract class Loaded implements IDisposable {
  /** Emitted after every change of what the model tells. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get load(): LoadState {
    return this._load;
  }

  /** Read everything again. Errors become the model's `load`. */
  readonly refresh = coalesced(() => this.take(() => this.read()));

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    // Also what it listens to.
    Signal.clearData(this);
  }

  /** Ask the server; answers how to take its answer, or null where there is nothing to ask for now. */
  protected abstract read(): Promise<(() => void) | null>;

  /** What is asked for. An answer, or an error, that comes when it is another is not taken. */
  protected get wanted(): unknown {
    return null;
  }

  /** Read, and take what comes. */
  protected async take(read: () => Promise<(() => void) | null>): Promise<void> {
    const { wanted } = this;
    try {
      const found = await read();
      if (found && wanted === this.wanted) {
        this._load = { kind: 'ready' };
        found();
      }
    } catch (error) {
      if (wanted === this.wanted) {
        this._load = loadStateOf(error);
      }
    }
    this.tell();
  }

  /** Tell that something changed, by default nothing of how far the model is. */
  protected tell(load = this._load): void {
    this._load = load;
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _load: LoadState = { kind: 'loading' };
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
