/**
 * What the server extension answers, put into the shape that models take.
 */
import { ApiError, ServerMissingError } from './errors';
import type { IProblem, IRunSummary, IStarted } from './types';

interface IErrorBody {
  message?: string;
  hint?: string;
  kind?: string;
  problems?: IProblem[];
}

/** A problem whose place is null where the server says by empty values that there is none. */
export function placed(problem: IProblem): IProblem {
  const { cell_id, cell_index, line, name, path, node } = problem;
  return {
    ...problem,
    cell_id: cell_id || null,
    cell_index: cell_index !== null && cell_index >= 0 ? cell_index : null,
    line: line || null,
    name: name || null,
    path: path || null,
    node: node || null
  };
}

/** What an answer has beside a run. */
export interface IProblems {
  problems: IProblem[];
}

/** A run, apart from what of its file has no effect. */
export function started({ problems, ...run }: IRunSummary & IProblems): IStarted {
  return { run, problems: problems.map(placed) };
}

/** The error that an answer stands for. Only our own handlers answer with a `kind`. */
export async function refusal(response: Response): Promise<ApiError> {
  let body: IErrorBody = {};
  try {
    body = (await response.json()) as IErrorBody;
  } catch {
    // Not JSON: the Jupyter Server's own page for a URL that nobody serves, or a proxy's.
    if (response.status === 404) {
      return new ServerMissingError();
    }
  }
  if (response.status === 404 && !body.kind) {
    return new ServerMissingError();
  }
  const message = body.message || `${response.status} ${response.statusText}`;
  return new ApiError(response.status, message, body.hint, body.problems?.map(placed));
}
