/**
 * Why a notebook was refused: every problem with its cell and line, and a way to it.
 */
import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ApiError } from '../api/errors';
import type { IProblem } from '../api/types';
import type { ITrans } from '../components/text';

/** Show the problems; the answer is the one to go to, or null. */
export async function showProblems(error: ApiError, trans: ITrans): Promise<IProblem | null> {
  let chosen: IProblem | null = null;
  const body = new Problems(error, trans, problem => {
    chosen = problem;
    dialog.resolve(0);
  });
  const dialog = new Dialog({
    title: trans.__('This notebook cannot run as a pipeline yet'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      Dialog.okButton({ label: trans.__('Show the first') })
    ],
    defaultButton: 1
  });
  const answer = await dialog.launch();
  const first = error.problems.find(problem => problem.severity === 'error') ?? error.problems[0] ?? null;
  return chosen ?? (answer.button.accept ? first : null);
}

class Problems extends ReactWidget {
  constructor(
    private readonly error: ApiError,
    private readonly trans: ITrans,
    private readonly onChoose: (problem: IProblem) => void
  ) {
    super();
    this.addClass('fl-Problems');
    this.addClass('fl-theme');
  }

  protected override render(): JSX.Element {
    const { error, trans } = this;
    return (
      <>
        <ul className="fl-Problems-list">
          {error.problems.map((problem, index) => (
            <li key={index} data-fl-problem={problem.name ?? ''} data-fl-severity={problem.severity}>
              <button
                type="button"
                className="fl-Link"
                data-fl-action="reveal-problem"
                onClick={() => this.onChoose(problem)}
              >
                {place(problem, trans)}
              </button>
              <div className="fl-Problems-message">{problem.message}</div>
              {problem.hint && <div className="fl-Problems-hint">{problem.hint}</div>}
            </li>
          ))}
        </ul>
      </>
    );
  }
}

/** `Cell 3, line 2`; cells are counted from 1, as readers do. */
function place(problem: IProblem, trans: ITrans): string {
  if (problem.cell_index === null) {
    return trans.__('Notebook');
  }
  const cell = problem.cell_index + 1;
  return problem.line === null ? trans.__('Cell %1', cell) : trans.__('Cell %1, line %2', cell, problem.line);
}
