/**
 * Commands over the context in use.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { refreshIcon } from '@jupyterlab/ui-components';

import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import type { Sidebar } from './sidebar';
import { tellStillInUse } from './stillinuse';

export interface IContextCommandsOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  sidebar: Sidebar;
  palette: ICommandPalette | null;
  trans: ITrans;
}

/** Add the commands that switch and refresh. Without arguments they let the reader choose. */
export function addContextCommands(options: IContextCommandsOptions): void {
  const { app, session, sidebar, palette, trans } = options;
  const { commands } = app;

  const use = async (context: string, namespace?: string): Promise<void> => {
    try {
      await session.context.use(context, namespace);
    } catch (error) {
      tellStillInUse(error, trans);
    }
  };
  const choose = (part: 'context' | 'namespace'): void => {
    app.shell.activateById(sidebar.id);
    sidebar.openSwitch(part);
  };

  commands.addCommand(CommandIDs.switchContext, {
    label: trans.__('Switch Context…'),
    caption: trans.__('Use another Kubernetes context'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          context: { type: 'string', description: 'Name of the context; by default it is asked for.' },
          namespace: { type: 'string', description: "A namespace of it; by default the context's own." }
        }
      }
    },
    execute: ({ context, namespace }) =>
      typeof context === 'string'
        ? use(context, typeof namespace === 'string' ? namespace : undefined)
        : choose('context')
  });
  commands.addCommand(CommandIDs.switchNamespace, {
    label: trans.__('Switch Namespace…'),
    caption: trans.__('Use another namespace of the context in use'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          namespace: { type: 'string', description: 'Name of the namespace; by default it is asked for.' }
        }
      }
    },
    execute: async ({ namespace }) => {
      if (typeof namespace !== 'string') {
        return choose('namespace');
      }
      const current = session.context.context ?? (await session.client.contexts()).current;
      return current ? use(current.context, namespace) : choose('context');
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh'),
    caption: trans.__(
      'Read runs and what the cluster can do again; connect at once where the connection broke'
    ),
    icon: refreshIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      session.runs.start();
      await Promise.all([session.context.refresh(), session.runs.refresh()]);
    }
  });
  for (const command of [CommandIDs.switchContext, CommandIDs.switchNamespace, CommandIDs.refresh]) {
    palette?.addItem({ command, category: CATEGORY });
  }
}
