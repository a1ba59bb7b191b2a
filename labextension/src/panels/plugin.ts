/**
 * The panels' part: sidebar, run views, status bar, and runs in outputs.
 */
import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import { ArtifactsModel } from '../model/artifacts';
import { IFairleadSession } from '../tokens';
import { addCloneCommands } from './cloning';
import { addComparing } from './comparing';
import { addContextCommands } from './contexts';
import { fairleadIcon } from './icons';
import { runRendererFactory } from './mime';
import { addRunCommands, COMMAND_OF } from './runs';
import { addRunTable } from './runtables';
import { addScheduling } from './scheduling';
import { PANEL_ID, Sidebar } from './sidebar';
import { RunsStatus } from './status';
import { addTraining, JOB_COMMAND_OF } from './training';

const FOLDED_KEY = '@fairlead/lab:folded';
const STARTED_KEY = '@fairlead/lab:started';
const SIDEBAR_RANK = 600;
const OPEN_SETTINGS = 'settingeditor:open';

export const panelsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@fairlead/lab:plugin',
  description: 'The Fairlead sidebar and the view of a run.',
  autoStart: true,
  requires: [IFairleadSession, IRenderMimeRegistry],
  optional: [IEditorLanguageRegistry, ICommandPalette, ILayoutRestorer, IStateDB, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    session: IFairleadSession,
    rendermime: IRenderMimeRegistry,
    languages: IEditorLanguageRegistry | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('fairlead');
    rendermime.addFactory(runRendererFactory(trans));
    const runs = addRunCommands({ app, session, rendermime, languages, palette, restorer, trans });
    addCloneCommands({ app, session, languages, palette, restorer, trans, runs });
    addScheduling({ app, session, languages, palette, restorer, trans, runs });
    addComparing({ app, session, rendermime, languages, palette, restorer, trans, runs });
    addRunTable({ app, session, palette, restorer, trans });
    addTraining({ app, session, languages, palette, restorer, trans });
    const sidebar = addSidebar(app, session, state, trans);
    restorer?.add(sidebar, PANEL_ID);
    keepStarted(session, state);
    addContextCommands({ app, session, sidebar, palette, trans });

    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Fairlead'),
      icon: fairleadIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(PANEL_ID)
    });
    palette?.addItem({ command: CommandIDs.showPanel, category: CATEGORY });

    statusBar?.registerStatusItem('@fairlead/lab:runs', {
      item: new RunsStatus(session.runs, trans, () => void app.commands.execute(CommandIDs.showPanel)),
      align: 'left',
      rank: 20,
      isActive: () => session.runs.active > 0,
      activeStateChanged: session.runs.changed
    });
  }
};

/** Remember over a reload which run belongs to which notebook. */
function keepStarted({ started }: IFairleadSession, state: IStateDB | null): void {
  void state?.fetch(STARTED_KEY).then(stored => {
    const save = (): void => void state.save(STARTED_KEY, started.entries);
    const early = started.entries.length > 0;
    started.restore(stored);
    started.changed.connect(save);
    if (early) {
      // Started before the store had answered, and not in it yet.
      save();
    }
  });
}

function addSidebar(
  app: JupyterFrontEnd,
  session: IFairleadSession,
  state: IStateDB | null,
  trans: ITrans
): Sidebar {
  const sidebar = new Sidebar({
    runs: session.runs,
    context: session.context,
    contexts: () => session.client.contexts(),
    namespaces: () => session.client.namespaces(),
    onSettings: () => void app.commands.execute(OPEN_SETTINGS, { query: 'Fairlead' }),
    trans,
    folded: new Set(),
    onFolded: folded => void state?.save(FOLDED_KEY, [...folded]),
    onVerb: (verb, run) => void app.commands.execute(COMMAND_OF[verb], { run }),
    training: session.training,
    onJobVerb: (verb, job) => void app.commands.execute(JOB_COMMAND_OF[verb], { job }),
    artifacts: () => new ArtifactsModel(session.client, session.runFeed, session.context),
    onArtifact: artifact => void app.commands.execute(CommandIDs.openArtifact, { artifact }),
    onAllArtifacts: () => void app.commands.execute(CommandIDs.openArtifacts),
    onAllRuns: () => void app.commands.execute(CommandIDs.openRuns),
    onStart: () => {
      const current = app.commands.isEnabled(CommandIDs.runNotebook);
      // With no notebook in front there is nothing to run yet: the file browser has them.
      void app.commands.execute(current ? CommandIDs.runNotebook : 'filebrowser:activate');
    }
  });
  sidebar.title.icon = fairleadIcon;
  sidebar.title.caption = 'Fairlead';
  app.shell.add(sidebar, 'left', { rank: SIDEBAR_RANK, type: 'Fairlead' });
  void app.restored
    .then(() => state?.fetch(FOLDED_KEY))
    .then(stored => {
      if (Array.isArray(stored)) {
        sidebar.setFolded(new Set(stored.filter((name): name is string => typeof name === 'string')));
      }
    });
  return sidebar;
}
