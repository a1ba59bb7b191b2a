/**
 * Underlines in a cell's editor what cannot become a pipeline.
 */
import { EditorState, Range, StateEffect, StateField } from '@codemirror/state';
import { Decoration, DecorationSet, EditorView } from '@codemirror/view';
import type { Cell } from '@jupyterlab/cells';
import { CodeMirrorEditor } from '@jupyterlab/codemirror';

import type { IProblem } from '../api/types';
import { spansOf } from '../components/words';

const setMarks = StateEffect.define<DecorationSet>();

/** What is underlined moves along as one types, until the notebook is read anew. */
const marksField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) =>
    transaction.effects.reduce(
      (found, effect) => (effect.is(setMarks) ? effect.value : found),
      marks.map(transaction.changes)
    ),
  provide: field => EditorView.decorations.from(field)
});

/** Underline the problems of a cell, in the place of those underlined before. */
export function underline(cell: Cell, problems: readonly IProblem[]): void {
  const { editor } = cell;
  if (!(editor instanceof CodeMirrorEditor)) {
    return;
  }
  const view = editor.editor;
  if (view.state.field(marksField, false) === undefined) {
    if (problems.length === 0) {
      return;
    }
    editor.injectExtension(marksField);
  }
  const ranges = problems.flatMap(problem => rangesOf(problem, view.state));
  view.dispatch({ effects: setMarks.of(Decoration.set(ranges, true)) });
}

/** The name on its line, wherever it stands there, else the line. */
function rangesOf(problem: IProblem, state: EditorState): Range<Decoration>[] {
  if (problem.line === null || problem.line < 1 || problem.line > state.doc.lines) {
    return [];
  }
  const line = state.doc.line(problem.line);
  const mark = Decoration.mark({
    class: `fl-Underline fl-mod-${problem.severity}`,
    attributes: { title: [problem.message, problem.hint].filter(Boolean).join('\n') }
  });
  return spansOf(problem.name, line.text).map(([from, to]) => mark.range(line.from + from, line.from + to));
}
