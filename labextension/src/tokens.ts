import { Token } from '@lumino/coreutils';

import type { FairleadSession } from './model/session';

export type IFairleadSession = FairleadSession;

/** What Fairlead's plugins share: the client, the context, the runs. */
export const IFairleadSession = new Token<IFairleadSession>(
  '@fairlead/lab:IFairleadSession',
  'The runs of the Kubernetes context in use, and the client that starts and stops them.'
);
