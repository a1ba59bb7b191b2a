/**
 * Why a notebook was refused: every problem with its cell and line, and a way to it.
 */
import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IProblem } from '../api/types';
import type { ITrans } from '../components/text';

export interface IProblemsAnswer {
  /** The one to go to. */
  problem: IProblem | null;
  /** What was to be done is to be done all the same. */
  goesOn: boolean;
}

/** Show the problems; with `goOn`, the label of a button, one may do it all the same. */
export async function showProblems(
  problems: readonly IProblem[],
  trans: ITrans,
  { title, goOn }: { title?: string; goOn?: string } = {}
): Promise<IProblemsAnswer> {
  let chosen: IProblem | null = null;
  const body = new Problems(problems, trans, problem => {
    chosen = problem;
    dialog.resolve(0);
  });
  const isSomewhere = problems.some(problem => problem.cell_id);
  const showFirst = Dialog.okButton({ label: trans.__('Show the first') });
  const dialog = new Dialog({
    title: title ?? trans.__('This notebook cannot run as a pipeline yet'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      ...(goOn ? [Dialog.warnButton({ label: goOn })] : []),
      ...(isSomewhere ? [showFirst] : [])
    ],
    defaultButton: (goOn ? 1 : 0) + (isSomewhere ? 1 : 0)
  });
  const answer = await dialog.launch();
  if (answer.button.accept && answer.button.label === goOn) {
    return { problem: null, goesOn: true };
  }
  const first =
    problems.find(problem => problem.severity === 'error') ??
    problems.find(problem => problem.cell_id) ??
    problems[0] ??
    null;
  return { problem: chosen ?? (answer.button.accept ? first : null), goesOn: false };
}

class Problems extends ReactWidget {
  constructor(
    private readonly problems: readonly IProblem[],
    private readonly trans: ITrans,
    private readonly onChoose: (problem: IProblem) => void
  ) {
    super();
    this.addClass('fl-Problems');
    this.addClass('fl-theme');
  }

  protected override render(): JSX.Element {
    const { problems, trans } = this;
    return (
      <>
        <ul className="fl-Problems-list">
          {problems.map((problem, index) => (
            <li key={index} data-fl-problem={problem.name ?? ''} data-fl-severity={problem.severity}>
              {problem.cell_id ? (
                <button
                  type="button"
                  className="fl-Link"
                  data-fl-action="reveal-problem"
                  onClick={() => this.onChoose(problem)}
                >
                  {place(problem, trans)}
                </button>
              ) : (
                <div className="fl-Problems-place">{place(problem, trans)}</div>
              )}
              <div className="fl-Problems-message">{problem.message}</div>
              {problem.hint && <div className="fl-Problems-hint">{problem.hint}</div>}
            </li>
          ))}
        </ul>
      </>
    );
  }
}

/** `Cell 3, line 2`; cells are counted from 1, as readers do. Empty for what is of the whole file. */
export function place(problem: IProblem, trans: ITrans): string {
  if (problem.cell_index === null) {
    return problem.node === null ? '' : trans.__('Node %1', problem.node);
  }
  const cell = problem.cell_index + 1;
  return problem.line === null ? trans.__('Cell %1', cell) : trans.__('Cell %1, line %2', cell, problem.line);
}
