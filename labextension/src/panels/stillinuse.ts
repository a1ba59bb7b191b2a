/**
 * Said where another context was asked for and could not be had.
 */
import { Notification } from '@jupyterlab/apputils';

import { ApiError } from '../api/errors';
import type { ITrans } from '../components/text';

export function tellStillInUse(error: unknown, trans: ITrans): void {
  const why = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiError ? error.hint : '';
  const failure = trans.__('Still in use is what was before.');
  Notification.error([why, hint, failure].filter(Boolean).join(' '), { autoClose: false });
}
