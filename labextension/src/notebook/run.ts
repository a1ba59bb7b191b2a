/**
 * "Run as pipeline": save, start, open; or show why not.
 */
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { ApiError, ServerMissingError } from '../api/errors';
import type { IProblem } from '../api/types';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import { contentOf } from './content';
import type { LiveValues } from './live';
import { showProblems } from './problems';
import { tellRemarks } from './remarks';
import { revealCell } from './reveal';

/**
 * Start a run of a notebook as it stands; its id, or null when it was refused.
 *
 * `shown` are the problems that stand over its cells: those alone are not told again.
 */
export async function runNotebook(
  panel: NotebookPanel,
  session: FairleadSession,
  live: LiveValues,
  shown: readonly IProblem[],
  trans: ITrans
): Promise<string | null> {
  const { context, content } = panel;
  if (!content.model) {
    return null;
  }
  await live.ask();
  if (live.problems.length) {
    const answer = await showProblems(live.problems, trans, {
      title: trans.__('Values in the kernel would not travel well'),
      goOn: trans.__('Run anyway')
    });
    if (answer.problem) {
      await reveal(panel, answer.problem);
    }
    if (!answer.goesOn) {
      return null;
    }
  }
  // The file should hold what runs. A read-only one runs as it is shown.
  if (content.model.dirty && context.contentsModel?.writable !== false) {
    await context.save();
  }
  try {
    const { run, problems } = await session.client.submit({
      path: context.path,
      notebook: contentOf(content.model)
    });
    session.runs.start();
    session.runs.put(run);
    session.started.put(context.path, run.id);
    const name = PathExt.basename(context.path);
    tellRemarks({
      done: trans.__('%1 was started.', name),
      name,
      problems: problems.filter(one => !shown.some(other => isSame(one, other))),
      trans,
      reveal: problem => reveal(panel, problem)
    });
    return run.id;
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    await refused(error, panel, trans);
    return null;
  }
}

function isSame(one: IProblem, other: IProblem): boolean {
  return one.cell_id === other.cell_id && one.line === other.line && one.message === other.message;
}

async function reveal(panel: NotebookPanel, problem: IProblem): Promise<void> {
  if (problem.cell_id) {
    await revealCell(panel, problem.cell_id, problem.line);
  }
}

async function refused(error: ApiError, panel: NotebookPanel, trans: ITrans): Promise<void> {
  if (error.problems.length) {
    const { problem } = await showProblems(error.problems, trans);
    if (problem) {
      await reveal(panel, problem);
    }
    return;
  }
  const hint =
    error instanceof ServerMissingError
      ? trans.__('Enable it with `jupyter server extension enable fairlead_server` and restart Jupyter.')
      : error.hint;
  Notification.error(
    [trans.__('The notebook was not started.'), error.message, hint].filter(Boolean).join(' '),
    {
      autoClose: false
    }
  );
}
