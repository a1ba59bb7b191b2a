/**
 * A form for the settings of a step, from their JSON Schema. Pure.
 *
 * Lists of texts and maps are one text, a line for each entry: quicker to read and write than rows of
 * fields. Absent settings are absent in the form, and empty ones are taken away.
 */
import type { JSONObject, JSONValue } from '@lumino/coreutils';

export interface ISettingSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  format?: string;
  minimum?: number;
  default?: JSONValue;
  examples?: JSONValue[];
  required?: string[];
  items?: ISettingSchema;
  properties?: Record<string, ISettingSchema>;
  additionalProperties?: boolean | ISettingSchema;
}

/** How a setting stands in the form. */
type Shape = 'text' | 'lines' | 'pairs' | 'object' | 'objects' | 'boolean' | 'number';

/** Messages by field, as the form takes them. */
export interface IFieldErrors {
  __errors?: string[];
  [field: string]: IFieldErrors | string[] | undefined;
}

/** Settings that go together; those of the schema that are not here stand in the last group. */
const GROUPS: [group: GroupName, settings: string[]][] = [
  ['step', ['step', 'after']],
  ['resources', ['resources']],
  ['environment', ['image', 'packages', 'env', 'secrets', 'configMaps', 'volumes']],
  ['running', ['cache', 'retries', 'timeout']],
  ['flow', ['forEach', 'parallelism', 'if', 'component']],
  ['pod', ['labels', 'annotations']]
];

export type GroupName = 'step' | 'resources' | 'environment' | 'running' | 'flow' | 'pod';

export interface ISettingGroup {
  name: GroupName;
  properties: Record<string, ISettingSchema>;
}

/** The settings of a schema in groups. */
export function groupsOf(schema: ISettingSchema): ISettingGroup[] {
  const all = schema.properties ?? {};
  const named = GROUPS.flatMap(([, settings]) => settings);
  const others = Object.keys(all).filter(key => !named.includes(key));
  return GROUPS.map(([name, settings], index) => {
    const keys = index === GROUPS.length - 1 ? [...settings, ...others] : settings;
    return { name, properties: Object.fromEntries(keys.flatMap(key => (all[key] ? [[key, all[key]]] : []))) };
  }).filter(group => Object.keys(group.properties).length > 0);
}

/** The schema that the form is drawn from: no defaults, which it would write. */
export function formSchema(schema: ISettingSchema): JSONObject {
  const { title, description } = schema;
  const words = { ...(title ? { title } : {}), ...(description ? { description } : {}) };
  switch (shapeOf(schema)) {
    case 'object':
      return { ...words, type: 'object', properties: inEach(schema.properties ?? {}, formSchema) };
    case 'objects':
      return { ...words, type: 'array', items: formSchema(schema.items ?? {}) };
    case 'boolean':
      return { ...words, type: 'boolean' };
    case 'number':
      return { ...words, type: typesOf(schema).includes('integer') ? 'integer' : 'number' };
    default:
      return { ...words, type: 'string' };
  }
}

/** What the form shows where a field is empty, and how. */
export function formHints(schema: ISettingSchema): JSONObject {
  const shape = shapeOf(schema);
  const example = schema.default ?? schema.examples?.[0];
  const text = example === undefined ? undefined : toForm(schema, example);
  const hint: JSONObject =
    typeof text === 'string' || typeof text === 'number' ? { 'ui:placeholder': String(text) } : {};
  switch (shape) {
    case 'object':
      return inEach(schema.properties ?? {}, formHints);
    case 'objects':
      return { items: formHints(schema.items ?? {}), 'ui:options': { orderable: false } };
    case 'lines':
    case 'pairs':
      return { ...hint, 'ui:widget': 'textarea' };
    default:
      return hint;
  }
}

/** A setting as the form holds it. */
export function toForm(schema: ISettingSchema, value: JSONValue | undefined): JSONValue | undefined {
  switch (shapeOf(schema)) {
    case 'boolean':
      return value ?? schema.default ?? false;
    case 'lines':
      return Array.isArray(value)
        ? value.map(textOf).join('\n')
        : value === undefined
          ? value
          : textOf(value);
    case 'pairs':
      return isMap(value) ? Object.entries(value).map(pairText).join('\n') : value && textOf(value);
    case 'object': {
      const given = isMap(value) ? value : value === undefined ? {} : { [mainOf(schema)]: value };
      return valuesOf(schema.properties ?? {}, (inner, key) => toForm(inner, given[key]));
    }
    case 'objects':
      return Array.isArray(value) ? value.map(item => toForm(schema.items ?? {}, item) ?? null) : undefined;
    case 'number':
      return value;
    default:
      return value === undefined || value === null ? undefined : textOf(value);
  }
}

/** A setting as the form left it; undefined where nothing is said. */
export function fromForm(schema: ISettingSchema, data: JSONValue | undefined): JSONValue | undefined {
  const text = typeof data === 'string' ? data.trim() : '';
  switch (shapeOf(schema)) {
    case 'boolean':
      return data === (schema.default ?? false) ? undefined : data;
    case 'lines': {
      const lines = text.split('\n').map(line => line.trim());
      return text ? lines.filter(Boolean) : undefined;
    }
    case 'pairs':
      return text
        ? Object.fromEntries(
            text
              .split('\n')
              .filter(line => line.trim())
              .map(pairOf)
          )
        : undefined;
    case 'object': {
      const given = isMap(data) ? data : {};
      const made = valuesOf(schema.properties ?? {}, (inner, key) => fromForm(inner, given[key]));
      const keys = Object.keys(made);
      const plain = keys.length === 1 && keys[0] === mainOf(schema) && typesOf(schema).includes('integer');
      return keys.length === 0 ? undefined : plain ? made[keys[0]] : made;
    }
    case 'objects': {
      const items = (Array.isArray(data) ? data : []).map(item => fromForm(schema.items ?? {}, item));
      const said = items.filter((item): item is JSONValue => item !== undefined);
      return said.length ? said : undefined;
    }
    case 'number':
      return typeof data === 'number' ? data : undefined;
    default:
      return !text ? undefined : isSeconds(schema, text) ? Number(text) : text;
  }
}

/** The messages of settings, by path, as the form takes them: each at the nearest field that there is. */
export function fieldErrors(
  properties: Record<string, ISettingSchema>,
  messages: ReadonlyMap<string, readonly string[]>
): IFieldErrors {
  const found: IFieldErrors = {};
  for (const [path, words] of messages) {
    let place = found;
    let schema: ISettingSchema | undefined = { properties };
    for (const part of path.split(/[.[\]]+/).filter(Boolean)) {
      const next: ISettingSchema | undefined = /^\d+$/.test(part)
        ? schema?.items
        : schema?.properties?.[part];
      if (!next || (schema?.items && shapeOf(schema) === 'lines')) {
        break;
      }
      schema = next;
      place = (place[part] ??= {}) as IFieldErrors;
    }
    if (place !== found) {
      place.__errors = [...(place.__errors ?? []), ...words];
    }
  }
  return found;
}

function shapeOf(schema: ISettingSchema): Shape {
  const types = typesOf(schema);
  if (types.includes('array')) {
    return schema.items?.properties ? 'objects' : 'lines';
  }
  if (types.includes('object')) {
    return schema.properties ? 'object' : 'pairs';
  }
  if (types.includes('boolean')) {
    return 'boolean';
  }
  return types.includes('string') || !types.length ? 'text' : 'number';
}

const typesOf = ({ type }: ISettingSchema): string[] => (Array.isArray(type) ? type : type ? [type] : []);

/** The field that a plain value stands for. */
const mainOf = (schema: ISettingSchema): string => schema.required?.[0] ?? '';

const isSeconds = (schema: ISettingSchema, text: string): boolean =>
  typesOf(schema).includes('number') && schema.format !== 'quantity' && /^\d+(\.\d+)?$/.test(text);

const isMap = (value: unknown): value is JSONObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: JSONValue): string => (typeof value === 'string' ? value : JSON.stringify(value));

function inEach(
  properties: Record<string, ISettingSchema>,
  make: (schema: ISettingSchema) => JSONObject
): JSONObject {
  return Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, make(schema)]));
}

function valuesOf(
  properties: Record<string, ISettingSchema>,
  make: (schema: ISettingSchema, key: string) => JSONValue | undefined
): JSONObject {
  const entries = Object.entries(properties).map(([key, schema]) => [key, make(schema, key)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JSONObject;
}

/** `NAME=value`; what a line cannot hold as it is stands in quotes. */
function pairText([name, value]: [string, JSONValue | undefined]): string {
  const text = textOf(value ?? '');
  return `${name}=${/^["\s]|\s$|\n/.test(text) ? JSON.stringify(text) : text}`;
}

function pairOf(line: string): [string, string] {
  const [, name, text] = /^\s*([^=]*?)\s*(?:=\s*(.*?))?\s*$/.exec(line) ?? ['', line, ''];
  if (text?.startsWith('"')) {
    try {
      const value: unknown = JSON.parse(text);
      return [name, typeof value === 'string' ? value : text];
    } catch {
      return [name, text]; // a quote that is meant as it stands
    }
  }
  return [name, text ?? ''];
}
