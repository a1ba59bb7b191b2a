/**
 * Runs beside each other, as the server answers and components show them. Lists have an entry for each run.
 */

export interface IComparedRun {
  id: string;
  name: string;
  /** What tells it from the others: the name, with the beginning of the id where that is shared. */
  label: string;
  state: string;
  created_at: string | null;
  finished_at: string | null;
}

/** A parameter or a metric; a value is null where the run has none. */
export interface IComparedRow {
  name: string;
  values: readonly unknown[];
  differs: boolean;
}

export interface IComparedPlot {
  task: string;
  artifact: string;
  title: string;
  /** In Vega-Lite. */
  spec: object;
}

export interface IComparedArtifact {
  task: string;
  name: string;
  type: string;
  values: readonly ({ id: string; uri: string; size: number | null } | null)[];
}

/** How the code of a step is, held against the first run. */
export type SourceChange = 'same' | 'changed' | 'added' | 'removed' | 'absent';

export interface IComparedSource {
  step: string;
  changes: readonly SourceChange[];
  /** Unified; empty where nothing differs. */
  diffs: readonly string[];
}

/** The first run is the baseline. */
export interface IComparison {
  runs: readonly IComparedRun[];
  parameters: readonly IComparedRow[];
  metrics: readonly IComparedRow[];
  plots: readonly IComparedPlot[];
  artifacts: readonly IComparedArtifact[];
  sources: readonly IComparedSource[];
}
