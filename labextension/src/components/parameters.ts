/**
 * Values of a pipeline's parameters as a form holds them: text on the screen, typed in the request. Pure.
 */
import type { ITrans } from './text';

export interface IParameter {
  name: string;
  /** KFP's word. */
  type: string;
  description: string;
  optional: boolean;
  /** The only values that it may have; empty: any. */
  literals: readonly unknown[];
  default?: unknown;
  value?: unknown;
}

/** Text by parameter; null for one that is left out. */
export type FormValues = Record<string, string | null>;

export type Parsed = { value: unknown } | { error: string };

/** A value as a field shows it. */
export function textOf(value: unknown, type: string): string {
  if (typeof value === 'string' && (type === 'STRING' || type === '')) {
    return value;
  }
  if (type === 'LIST' || type === 'STRUCT') {
    return JSON.stringify(value, null, 2);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a form begins with: the run's values, else the defaults. */
export function initialValues(parameters: readonly IParameter[]): FormValues {
  return Object.fromEntries(
    parameters.map(one => [one.name, one.value === undefined ? null : textOf(one.value, one.type)])
  );
}

/** Whether a field of one line is enough. */
export function isLong(parameter: IParameter, text: string | null): boolean {
  return ['LIST', 'STRUCT'].includes(parameter.type) || (text ?? '').includes('\n');
}

/** The value that a text means, or what is wrong with it. */
export function parse(parameter: IParameter, text: string, trans: ITrans): Parsed {
  const { literals } = parameter;
  const parsed = parseType(parameter.type, text, trans);
  if ('value' in parsed && literals.length) {
    const known = literals.map(one => JSON.stringify(one));
    return known.includes(JSON.stringify(parsed.value))
      ? parsed
      : { error: trans.__('It must be one of %1.', known.join(', ')) };
  }
  return parsed;
}

/** All values that a form gives, or what is wrong, by name. */
export function parseAll(
  parameters: readonly IParameter[],
  values: FormValues,
  trans: ITrans
): { values: Record<string, unknown>; errors: Record<string, string> } {
  const found: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const parameter of parameters) {
    const text = values[parameter.name] ?? null;
    if (text === null) {
      if (!parameter.optional) {
        errors[parameter.name] = trans.__('It has no default: a value is needed.');
      }
      continue;
    }
    const parsed = parse(parameter, text, trans);
    if ('error' in parsed) {
      errors[parameter.name] = parsed.error;
    } else {
      found[parameter.name] = parsed.value;
    }
  }
  return { values: found, errors };
}

function parseType(type: string, text: string, trans: ITrans): Parsed {
  const trimmed = text.trim();
  switch (type) {
    case 'NUMBER_INTEGER': {
      const value = Number(trimmed);
      if (!/^[-+]?\d+$/.test(trimmed)) {
        return { error: trans.__('It must be a whole number.') };
      }
      return Number.isSafeInteger(value)
        ? { value }
        : { error: trans.__('It is larger than JSON carries exactly.') };
    }
    case 'NUMBER_DOUBLE':
      return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed) && Number.isFinite(Number(trimmed))
        ? { value: Number(trimmed) }
        : { error: trans.__('It must be a number.') };
    case 'BOOLEAN':
      return trimmed === 'true' || trimmed === 'false'
        ? { value: trimmed === 'true' }
        : { error: trans.__('It must be true or false.') };
    case 'LIST':
    case 'STRUCT':
      return parseJson(type, trimmed, trans);
    default:
      return { value: text };
  }
}

function parseJson(type: string, text: string, trans: ITrans): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: trans.__('It is not JSON: %1', error instanceof Error ? error.message : '') };
  }
  const isList = Array.isArray(value);
  if (type === 'LIST') {
    return isList ? { value } : { error: trans.__('It must be a list: [ … ].') };
  }
  return typeof value === 'object' && value !== null && !isList
    ? { value }
    : { error: trans.__('It must be an object: { … }.') };
}
