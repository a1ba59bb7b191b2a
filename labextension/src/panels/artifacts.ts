/**
 * Commands over artifacts, and the pages that they open.
 */
import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

import { CATEGORY, CommandIDs } from '../commands';
import { ArtifactModel, ArtifactsModel } from '../model/artifacts';
import { addCodeCommands } from '../notebook/insertcode';
import { IFairleadSession } from '../tokens';
import { ArtifactList } from './artifactlist';
import { ArtifactView } from './artifactview';
import { highlighter } from './highlight';
import { fairleadIcon } from './icons';
import { mimeDrawer } from './mimehost';

type Args = ReadonlyPartialJSONObject;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const artifactsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@fairlead/lab:artifacts',
  description: 'What the tasks of runs made: the list, and the page of each.',
  autoStart: true,
  requires: [IFairleadSession, IRenderMimeRegistry],
  optional: [IEditorLanguageRegistry, ICommandPalette, ILayoutRestorer, INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    session: IFairleadSession,
    rendermime: IRenderMimeRegistry,
    languages: IEditorLanguageRegistry | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('fairlead');
    const pages = new WidgetTracker<MainAreaWidget<ArtifactView>>({ namespace: 'fairlead-artifact' });
    const lists = new WidgetTracker<MainAreaWidget<ArtifactList>>({ namespace: 'fairlead-artifacts' });
    const draw = mimeDrawer(rendermime, highlighter(languages));
    const { commands } = app;
    const verbs = {
      onOpenArtifact: (artifact: string) => void commands.execute(CommandIDs.openArtifact, { artifact }),
      onOpenRun: (run: string, node?: string) =>
        void commands.execute(CommandIDs.openRun, node ? { run, node } : { run })
    };

    /** The artifact that a command means. */
    const named = (args: Args): string => {
      if (args.row) {
        return app.contextMenuHitTest(node => !!node.dataset.flArtifact)?.dataset.flArtifact ?? '';
      }
      const current = app.shell.currentWidget;
      const shown = current && pages.has(current) ? (current as MainAreaWidget<ArtifactView>) : null;
      return text(args.artifact) || (shown?.content.model.id ?? '');
    };

    commands.addCommand(CommandIDs.openArtifact, {
      label: trans.__('Open Artifact'),
      describedBy: { args: ARTIFACT_ARGS },
      isEnabled: args => named(args) !== '',
      execute: async args => {
        const id = named(args);
        let page = pages.find(one => one.content.model.id === id);
        if (!page) {
          const content = new ArtifactView({
            model: new ArtifactModel(id, session.client),
            session,
            draw,
            trans,
            verbs,
            onInsertCode: artifact => void commands.execute(CommandIDs.insertCode, { artifact })
          });
          page = framed(content, `fairlead-artifact-${id}`);
          await pages.add(page);
          app.shell.add(page, 'main', { type: 'Fairlead artifact' });
        }
        app.shell.activateById(page.id);
      }
    });
    commands.addCommand(CommandIDs.openArtifacts, {
      label: trans.__('Open Artifacts'),
      caption: trans.__('What the tasks of runs made'),
      describedBy: { args: FILTER_ARGS },
      execute: async args => {
        const filter = { run: text(args.run), name: text(args.name), type: text(args.type) };
        let list = lists.find(() => true);
        if (list) {
          list.content.model.choose(filter);
        } else {
          const content = new ArtifactList({
            model: new ArtifactsModel(session.client, session.runFeed, session.context, filter),
            session,
            trans,
            onOpen: verbs.onOpenArtifact,
            onOpenRun: verbs.onOpenRun
          });
          list = framed(content, 'fairlead-artifacts');
          await lists.add(list);
          app.shell.add(list, 'main', { type: 'Fairlead artifacts' });
        }
        app.shell.activateById(list.id);
      }
    });
    commands.addCommand(CommandIDs.downloadArtifact, {
      label: trans.__('Download Artifact'),
      describedBy: { args: ARTIFACT_ARGS },
      isEnabled: args => named(args) !== '',
      execute: args => download(session.client.contentUrl(named(args)))
    });
    palette?.addItem({ command: CommandIDs.openArtifacts, category: CATEGORY });
    addCodeCommands({ app, session, notebooks, palette, trans });

    void restorer?.restore(pages, {
      command: CommandIDs.openArtifact,
      args: page => ({ artifact: page.content.model.id }),
      name: page => page.content.model.id
    });
    void restorer?.restore(lists, {
      command: CommandIDs.openArtifacts,
      args: list => ({ ...list.content.model.filter }),
      name: () => 'artifacts'
    });
  }
};

const ARTIFACT_ARGS = {
  type: 'object',
  properties: {
    artifact: { type: 'string', description: 'Id of the artifact; by default the one whose page is shown.' },
    row: { type: 'boolean', description: 'The artifact whose row was under the context menu.' }
  }
};

const FILTER_ARGS = {
  type: 'object',
  properties: {
    run: { type: 'string', description: 'Only what this run made.' },
    name: { type: 'string', description: 'Only what has this in its name.' },
    type: { type: 'string', description: 'Only of this type.' }
  }
};

function framed<T extends Widget>(content: T, id: string): MainAreaWidget<T> {
  const widget = new MainAreaWidget<T>({ content });
  widget.id = id;
  widget.title.icon = fairleadIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}
