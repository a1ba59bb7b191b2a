/**
 * How far a model is with what it shows.
 */
import { ApiError, ServerMissingError } from '../api/errors';

export type LoadState =
  | { kind: 'loading' }
  | { kind: 'ready' }
  /** The Jupyter Server has no Fairlead extension. */
  | { kind: 'missing' }
  /** The thing is in another context than the one in use. */
  | { kind: 'elsewhere'; context: string }
  /** The thing asked for does not exist, or no longer. */
  | { kind: 'gone'; message: string; hint: string }
  | { kind: 'error'; message: string; hint: string };

/** What an error means for a viewer. */
export function loadStateOf(error: unknown): LoadState {
  if (error instanceof ServerMissingError) {
    return { kind: 'missing' };
  }
  if (error instanceof ApiError) {
    const kind = error.status === 404 ? 'gone' : 'error';
    return { kind, message: error.message, hint: error.hint };
  }
  return { kind: 'error', message: error instanceof Error ? error.message : String(error), hint: '' };
}
