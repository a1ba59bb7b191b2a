/**
 * The names of Fairlead's commands. Each takes what it acts on as an argument, for tests and for
 * other extensions; without one it takes the current run, or asks.
 */
export const CommandIDs = {
  /** `{path?}`: an open notebook, by default the current one. */
  runNotebook: 'fairlead:run-notebook',
  /** `{path?}`: a notebook or a pipeline, by default the one chosen in the file browser. */
  runFile: 'fairlead:run-file',
  /** `{path?, to?, name?}`: an open notebook's pipeline as a file beside it; without `to` it asks. */
  exportPipeline: 'fairlead:export-pipeline',
  /** `{path?}`: a pipeline of Elyra, by default the one chosen in the file browser. */
  exportFile: 'fairlead:export-file',
  /** `{run?, node?}`: with a node, that step of it. */
  openRun: 'fairlead:open-run',
  /** `{run?}` */
  stopRun: 'fairlead:stop-run',
  /** `{run?}` */
  retryRun: 'fairlead:retry-run',
  /** `{run?}` */
  deleteRun: 'fairlead:delete-run',
  /** `{run?}` */
  archiveRun: 'fairlead:archive-run',
  /** `{run?, node?}`: a form; with a node nothing from there on is taken from the cache. */
  cloneRun: 'fairlead:clone-run',
  /** `{run?, node?}`: at once, with the run's own values. */
  rerunFrom: 'fairlead:rerun-from',
  /** `{runs?, run?}`: beside each other, the first as baseline. */
  compareRuns: 'fairlead:compare-runs',
  /** `{run?, path?}`: a form for a recurring run, of a run or of an open notebook. */
  schedule: 'fairlead:schedule',
  /** `{experiment?, page?}`: the table of all runs, of experiments, of recurring runs. */
  openRuns: 'fairlead:open-runs',
  /** `{job?}`: uid of a training job. */
  openJob: 'fairlead:open-job',
  /** `{job?}` */
  suspendJob: 'fairlead:suspend-job',
  /** `{job?}` */
  resumeJob: 'fairlead:resume-job',
  /** `{job?}` */
  deleteJob: 'fairlead:delete-job',
  /** `{artifact?}` */
  openArtifact: 'fairlead:open-artifact',
  /** `{run?, name?, type?}`: what the list shows. */
  openArtifacts: 'fairlead:open-artifacts',
  /** `{artifact?}` */
  downloadArtifact: 'fairlead:download-artifact',
  /** `{run?, artifact?, name?}` */
  insertCode: 'fairlead:insert-code',
  showPanel: 'fairlead:show-panel',
  /** `{context?, namespace?}` */
  switchContext: 'fairlead:switch-context',
  /** `{namespace?}` */
  switchNamespace: 'fairlead:switch-namespace',
  refresh: 'fairlead:refresh',
  /** `{run, cell, line?}` */
  revealCell: 'fairlead:reveal-cell',
  /** `{path?, cell?}`: here and below, by default the active cell of the current notebook. */
  editStep: 'fairlead:edit-step',
  /** `{path?, cell?, name?}`: asks for the name without one. */
  makeStep: 'fairlead:make-step',
  /** `{path?, cell?}` */
  joinStep: 'fairlead:join-step',
  /** `{path?, cell?, role}`: `skip`, `setup` or `parameters`. */
  markCell: 'fairlead:mark-cell',
  /** `{path?, cell?}`: the form in the property inspector. */
  stepSettings: 'fairlead:step-settings'
} as const;

/** Category of the command palette. */
export const CATEGORY = 'Fairlead';
