/**
 * Commands on the steps of a notebook, and the menu of a chip that holds them.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import type { Role } from '../model/stepedits';
import { StepEdits } from '../model/stepedits';
import { nameTrouble } from '../model/stepform';
import type { NotebookReading, Readings } from './reading';
import { revealCell } from './reveal';

type Args = ReadonlyPartialJSONObject;

export interface IStepCommandOptions {
  app: JupyterFrontEnd;
  tracker: INotebookTracker;
  readings: Readings;
  palette: ICommandPalette | null;
  trans: ITrans;
  /** Edit the step of a cell in its chip; the answer is whether there is a chip to do so. */
  editInChip: (panel: NotebookPanel, cellId: string) => Promise<boolean>;
  /** Show the form of the active cell's step. */
  showSettings: () => void;
}

/** A cell that a command is for. */
interface ITarget {
  reading: NotebookReading;
  cell: string;
}

const ROLES: readonly Role[] = ['parameters', 'setup', 'skip'];

/** Add the commands; the answer shows the menu of a step below a button. */
export function addStepCommands(options: IStepCommandOptions): (cell: string, button: HTMLElement) => void {
  const { app, palette, trans } = options;
  const { commands } = app;
  const target = (args: Args): ITarget | null => targetOf(options, args);
  const place = {
    path: { type: 'string', description: 'Path of an open notebook; by default the current one.' },
    cell: { type: 'string', description: 'Id of a cell; by default the active one.' }
  } as const;
  const addCommand = (
    id: string,
    label: string | ((args: Args) => string),
    isEnabled: (at: ITarget) => boolean,
    execute: (at: ITarget, args: Args) => unknown,
    more: Record<string, { type: 'string'; description: string; enum?: string[] }> = {}
  ): void => {
    commands.addCommand(id, {
      label,
      describedBy: { args: { type: 'object', properties: { ...place, ...more } } },
      isEnabled: args => {
        const at = target(args);
        return at !== null && !at.reading.isReadOnly && isEnabled(at);
      },
      execute: async args => {
        const at = target(args);
        await (at && execute(at, args));
      }
    });
  };
  const hasStep = ({ reading, cell }: ITarget): boolean => reading.stepOf(cell) !== null;
  const isCode = ({ reading, cell }: ITarget): boolean =>
    reading.cells.some(one => one.id === cell && one.type === 'code');

  addCommand(CommandIDs.editStep, trans.__('Edit Step…'), hasStep, async ({ reading, cell }) => {
    if (!(await options.editInChip(reading.panel, cell))) {
      await commands.execute(CommandIDs.stepSettings, { path: reading.panel.context.path, cell });
    }
  });
  addCommand(CommandIDs.stepSettings, trans.__('Step Settings'), hasStep, async ({ reading, cell }) => {
    await revealCell(reading.panel, cell, null);
    options.showSettings();
  });
  addCommand(
    CommandIDs.makeStep,
    trans.__('Make Step…'),
    isCode,
    async ({ reading, cell }, args) => {
      const name = typeof args.name === 'string' ? args.name : await askName(trans);
      if (name) {
        await reading.edit(edits => edits.make(cell, name));
      }
    },
    { name: { type: 'string', description: 'Name of the step.' } }
  );
  addCommand(
    CommandIDs.joinStep,
    trans.__('Join Step Before'),
    ({ reading, cell }) => new StepEdits(reading.cells, reading.analysis.steps).canJoin(cell),
    ({ reading, cell }) => reading.edit(edits => edits.join(cell))
  );
  const roleLabels: Record<Role, string> = {
    parameters: trans.__('Mark Cell as Parameters'),
    setup: trans.__('Mark Cell as Setup of All Steps'),
    skip: trans.__('Skip Cell in Pipelines')
  };
  addCommand(
    CommandIDs.markCell,
    args => roleLabels[roleOf(args) ?? 'skip'],
    isCode,
    async ({ reading, cell }, args) => {
      const role = roleOf(args);
      if (role) {
        await reading.edit(edits => edits.mark(cell, role));
      }
    },
    { role: { type: 'string', description: 'What the cell becomes.', enum: [...ROLES] } }
  );

  const { editStep, stepSettings, makeStep, joinStep, markCell } = CommandIDs;
  for (const command of [editStep, stepSettings, makeStep, joinStep]) {
    palette?.addItem({ command, category: CATEGORY });
  }
  for (const role of ROLES) {
    palette?.addItem({ command: markCell, category: CATEGORY, args: { role } });
  }
  return (cell, button) => {
    const menu = new Menu({ commands });
    const args = { cell };
    menu.addItem({ command: editStep, args });
    menu.addItem({ command: stepSettings, args });
    menu.addItem({ type: 'separator' });
    menu.addItem({ command: joinStep, args });
    for (const role of ROLES) {
      menu.addItem({ command: markCell, args: { ...args, role } });
    }
    const { left, bottom } = button.getBoundingClientRect();
    menu.aboutToClose.connect(() => button.focus());
    menu.open(left, bottom);
  };
}

function targetOf({ tracker, readings }: IStepCommandOptions, { path, cell }: Args): ITarget | null {
  const panel =
    typeof path === 'string'
      ? tracker.find(one => one.context.path === path)
      : typeof cell === 'string'
        ? tracker.find(one => one.content.widgets.some(widget => widget.model.id === cell))
        : tracker.currentWidget;
  const id = typeof cell === 'string' ? cell : panel?.content.activeCell?.model.id;
  return panel && id !== undefined ? { reading: readings.of(panel), cell: id } : null;
}

function roleOf({ role }: Args): Role | null {
  return ROLES.find(one => one === role) ?? null;
}

/** Ask for the name of a step; null where it was not given. */
async function askName(trans: ITrans): Promise<string | null> {
  const answer = await InputDialog.getText({
    title: trans.__('Make Step'),
    label: trans.__('Name of the step that begins with this cell'),
    okLabel: trans.__('Make')
  });
  const name = answer.button.accept ? (answer.value ?? '').trim() : '';
  return nameTrouble(name, [], null) ? null : name;
}
