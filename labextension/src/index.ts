/**
 * Fairlead in JupyterLab.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { FairleadClient } from './api/client';
import { FairleadFeed } from './api/feed';
import { FairleadSession } from './model/session';
import { filesPlugin } from './notebook/files';
import { notebookPlugin } from './notebook/plugin';
import { artifactsPlugin } from './panels/artifacts';
import { panelsPlugin } from './panels/plugin';
import { IFairleadSession } from './tokens';

const sessionPlugin: JupyterFrontEndPlugin<IFairleadSession> = {
  id: '@fairlead/lab:session',
  description: 'The Kubernetes context in use and its runs; asks the server nothing before it is used.',
  autoStart: true,
  provides: IFairleadSession,
  activate: (app: JupyterFrontEnd) => {
    const { serverSettings } = app.serviceManager;
    return new FairleadSession(new FairleadClient(serverSettings), new FairleadFeed(serverSettings));
  }
};

export default [sessionPlugin, panelsPlugin, artifactsPlugin, notebookPlugin, filesPlugin];
export { IFairleadSession };
