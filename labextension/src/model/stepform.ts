/**
 * The settings of a step as the texts of a chip's fields, and back. Pure.
 */
import type { JSONObject, JSONValue } from '@lumino/coreutils';

import type { IProblem, IStep } from '../api/types';
import { afterList, afterTags, IStepCell, settingsOf, slug } from './stepcells';
import type { StepEdits } from './stepedits';

export interface IStepTexts {
  name: string;
  after: string;
  cpu: string;
  memory: string;
  gpu: string;
  packages: string;
}

/** What the packages field takes for the beginning of another requirement. */
const BETWEEN_PACKAGES = /(?<![@;<>=!~,]\s*)[\s,]+(?=[A-Za-z])/;
const GPU = 'nvidia.com/gpu';
const ROOT = 'fairlead.';

export function textsOf(cells: readonly IStepCell[], step: IStep): IStepTexts {
  const settings = settingsOf(cells, step);
  const resources = resourcesOf(settings);
  return {
    name: step.title,
    after: afterOf(cells, step).join(', '),
    cpu: resources.cpu ?? '',
    memory: resources.memory ?? '',
    gpu: resources[gpuOf(resources)] ?? '',
    packages: listOf(settings.packages).join(' ')
  };
}

/** The steps that the cells of a step say it waits for, as written there. */
export function afterOf(cells: readonly IStepCell[], step: IStep): string[] {
  const own = cells.filter(cell => step.cell_ids.includes(cell.id));
  return [...new Set(own.flatMap(cell => [...afterTags(cell), ...afterList(cell)]))];
}

/** What is wrong with a name for a step, or nothing. */
export function nameTrouble(
  title: string,
  steps: readonly IStep[],
  step: IStep | null
): 'empty' | 'taken' | null {
  const name = slug(title);
  if (!name) {
    return 'empty';
  }
  return steps.some(one => one.name === name && one.name !== step?.name) ? 'taken' : null;
}

/** Write the text of a field into the cells. A name must have been looked at with `nameTrouble`. */
export function putText(
  edits: StepEdits,
  cells: readonly IStepCell[],
  step: IStep,
  field: keyof IStepTexts,
  text: string
): void {
  const settings = settingsOf(cells, step);
  switch (field) {
    case 'name':
      return edits.rename(step, text);
    case 'after': {
      const names = text.split(',').map(name => name.trim());
      return edits.setAfter(step, [...new Set(names.filter(Boolean))]);
    }
    case 'packages': {
      const packages = text.split(BETWEEN_PACKAGES).map(one => one.trim());
      const kept = packages.filter(Boolean);
      return edits.set(step, 'packages', kept.length ? kept : undefined);
    }
    default: {
      const key = keyOf(field, settings);
      const rest = Object.entries(resourcesOf(settings)).filter(([name]) => name !== key);
      const resources: JSONObject = Object.fromEntries(text ? [...rest, [key, text]] : rest);
      return edits.set(step, 'resources', Object.keys(resources).length ? resources : undefined);
    }
  }
}

/** The problems of a step's settings, by the setting's path within them: `resources.cpu`, `after`. */
export function settingProblems(problems: readonly IProblem[], step: IStep): Map<string, IProblem[]> {
  const found = new Map<string, IProblem[]>();
  for (const problem of problems) {
    if (problem.path?.startsWith(ROOT) && step.cell_ids.includes(problem.cell_id ?? '')) {
      const path = problem.path.slice(ROOT.length);
      found.set(path, [...(found.get(path) ?? []), problem]);
    }
  }
  return found;
}

/** The same for the fields of a chip, in words. */
export function textErrors(problems: readonly IProblem[], step: IStep): Partial<IStepTexts> {
  const errors: Partial<IStepTexts> = {};
  for (const [path, those] of settingProblems(problems, step)) {
    const field = fieldOf(path);
    if (field) {
      const words = those.map(({ message, hint }) => [message, hint].filter(Boolean).join(' '));
      errors[field] = [errors[field], ...words].filter(Boolean).join(' ');
    }
  }
  return errors;
}

/** Whether a problem is of a setting that has a field in the chip. */
export function isOfField({ path }: IProblem): boolean {
  return path?.startsWith(ROOT) === true && fieldOf(path.slice(ROOT.length)) !== null;
}

function fieldOf(path: string): keyof IStepTexts | null {
  const [key] = path.split(/[.[]/);
  switch (key) {
    case 'step':
      return 'name';
    case 'after':
    case 'packages':
      return key;
    case 'resources':
      return path.includes('/') ? 'gpu' : path.endsWith('.memory') ? 'memory' : 'cpu';
    default:
      return null;
  }
}

function keyOf(field: 'cpu' | 'memory' | 'gpu', settings: JSONObject): string {
  return field === 'gpu' ? gpuOf(resourcesOf(settings)) : field;
}

/** A GPU is any resource of a vendor. */
function gpuOf(resources: Record<string, string>): string {
  return Object.keys(resources).find(name => name.includes('/')) ?? GPU;
}

function resourcesOf(settings: JSONObject): Record<string, string> {
  const { resources } = settings;
  const entries =
    typeof resources === 'object' && resources !== null && !Array.isArray(resources)
      ? Object.entries(resources)
      : [];
  return Object.fromEntries(entries.map(([name, value]) => [name, textOf(value)]));
}

const textOf = (value: JSONValue): string => (typeof value === 'string' ? value : JSON.stringify(value));

const listOf = (value: JSONValue | undefined): string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? value.map(textOf) : [];
