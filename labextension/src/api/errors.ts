/**
 * What goes wrong between the browser and the server extension.
 */
import type { IProblem } from './types';

/** The server refused, with what to do about it. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server did not answer. */
    readonly status: number,
    message: string,
    readonly hint: string = '',
    /** Where a notebook cannot become a pipeline; empty for every other error. */
    readonly problems: readonly IProblem[] = []
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** This Jupyter Server has no Fairlead extension. */
export class ServerMissingError extends ApiError {
  constructor() {
    super(404, 'This Jupyter Server does not run the Fairlead extension.');
    this.name = 'ServerMissingError';
  }
}
