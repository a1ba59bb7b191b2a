/**
 * What of a file has no effect, or may come out otherwise: told when it runs, is scheduled or exported.
 */
import { Notification } from '@jupyterlab/apputils';

import type { IProblem } from '../api/types';
import type { ITrans } from '../components/text';
import { place, showProblems } from './problems';

export interface IRemarks {
  /** What was done; the notification begins with it. */
  done: string;
  /** Name of the file, for the title of the list. */
  name: string;
  problems: readonly IProblem[];
  trans: ITrans;
  /** Go to a cell; without it, no problem leads anywhere. */
  reveal?: (problem: IProblem) => Promise<void>;
}

/** Tell of the problems beside the work, which goes on: one at once, several behind a button. */
export function tellRemarks({ done, name, problems, trans, reveal }: IRemarks): void {
  if (!problems.length) {
    return;
  }
  const [first] = problems;
  const where = place(first, trans);
  const words =
    problems.length === 1
      ? [where ? `${where}:` : '', first.message, first.hint].filter(Boolean).join(' ')
      : trans._n(
          '%1 thing of it has no effect, or may come out otherwise.',
          '%1 things of it have no effect, or may come out otherwise.',
          problems.length
        );
  const show = async (): Promise<void> => {
    const title = trans.__('What of %1 has no effect, or may come out otherwise', name);
    const { problem } = await showProblems(problems, trans, { title });
    if (problem) {
      await reveal?.(problem);
    }
  };
  Notification.warning(`${done} ${words}`.trim(), {
    autoClose: false,
    actions: [{ label: trans.__('Show'), caption: trans.__('Show all of it'), callback: () => void show() }]
  });
}

/** A remark in words alone as a problem without a place. */
export function remark(message: string): IProblem {
  return {
    severity: 'warning',
    cell_id: null,
    cell_index: null,
    line: null,
    name: null,
    message,
    hint: '',
    path: null,
    node: null
  };
}
