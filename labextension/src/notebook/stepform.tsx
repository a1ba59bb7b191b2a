/**
 * All settings of a step as a form: what is typed is kept until a field is left, and then written.
 */
import { JSONExt, JSONObject, JSONValue } from '@lumino/coreutils';
import * as React from 'react';

import { SettingsForm } from '../components/SettingsForm';
import type { ITrans } from '../components/text';
import {
  fieldErrors,
  formHints,
  formSchema,
  fromForm,
  GroupName,
  groupsOf,
  ISettingGroup,
  ISettingSchema,
  toForm
} from '../model/settingsform';

export interface IStepFormProps {
  schema: ISettingSchema;
  /** The settings as the cells hold them, `step` and `after` among them. */
  values: JSONObject;
  /** What is wrong, by the path of the setting. */
  messages: ReadonlyMap<string, readonly string[]>;
  readOnly: boolean;
  /** Write a setting; the answer is why it cannot be, or nothing. */
  onChange: (key: string, value: JSONValue | undefined) => string;
  trans: ITrans;
}

/** Groups that are open though nothing in them is set. */
const OPEN: readonly GroupName[] = ['step', 'resources'];
let count = 0;

export function StepForm(props: IStepFormProps): JSX.Element {
  const groups = React.useMemo(() => groupsOf(props.schema), [props.schema]);
  return (
    <div className="fl-StepForm">
      {groups.map(group => (
        <Group key={group.name} {...props} group={group} />
      ))}
    </div>
  );
}

function Group(props: IStepFormProps & { group: ISettingGroup }): JSX.Element {
  const { group, values, messages, trans } = props;
  const { properties } = group;
  const keys = Object.keys(properties);
  const set = keys.filter(key => values[key] !== undefined && key !== 'step');
  const [id] = React.useState(() => `fl-settings-${(count += 1)}-form`);
  const [draft, setDraft] = React.useState<JSONObject>(() => read(properties, values));
  const [refusals, setRefusals] = React.useState<Record<string, string>>({});
  const known = React.useRef(values);
  const latest = React.useRef(draft);

  const keep = (next: JSONObject): void => {
    latest.current = next;
    setDraft(next);
  };
  React.useEffect(() => {
    // Written elsewhere: shown here, without what is being typed into other fields.
    const others = keys.filter(
      key =>
        !same(values[key], known.current[key]) &&
        !same(values[key], fromForm(properties[key], latest.current[key]))
    );
    known.current = values;
    if (others.length) {
      const fresh = read(properties, values);
      const next = { ...latest.current };
      for (const key of others) {
        if (fresh[key] === undefined) {
          delete next[key];
        } else {
          next[key] = fresh[key];
        }
      }
      keep(next);
    }
  }, [values]);

  const write = (): void => {
    const found: Record<string, string> = {};
    for (const key of keys) {
      const value = fromForm(properties[key], latest.current[key]);
      const now = fromForm(properties[key], toForm(properties[key], known.current[key] ?? undefined));
      if (!same(value, now)) {
        found[key] = props.onChange(key, value);
        if (!found[key]) {
          // It comes back when the notebook was read, while one types on: that is no other writing.
          known.current = { ...known.current, [key]: value ?? null };
        }
      }
    }
    setRefusals(found);
  };

  const all = new Map(messages);
  for (const [key, words] of Object.entries(refusals)) {
    if (words) {
      all.set(key, [...(all.get(key) ?? []), words]);
    }
  }
  const wrong = keys.some(key => [...all.keys()].some(path => path.split(/[.[]/)[0] === key));
  const fields = React.useMemo(
    () => ({
      schema: formSchema({ type: 'object', properties }),
      uiSchema: formHints({ type: 'object', properties })
    }),
    [properties]
  );
  return (
    <details
      className="fl-StepForm-group"
      data-fl-group={group.name}
      open={OPEN.includes(group.name) || set.length > 0 || wrong}
    >
      <summary>
        {groupTitle(group.name, trans)}
        {set.length > 0 && <span className="fl-StepForm-count">{set.length}</span>}
      </summary>
      <SettingsForm
        fields={{ ...fields, errors: fieldErrors(properties, all) }}
        values={draft}
        id={id}
        readOnly={props.readOnly}
        onChange={(next, done) => {
          keep(next as JSONObject);
          if (done) {
            write();
          }
        }}
        onLeave={write}
        trans={trans}
      />
    </details>
  );
}

function read(properties: Record<string, ISettingSchema>, values: JSONObject): JSONObject {
  const entries = Object.entries(properties).map(
    ([key, schema]) => [key, toForm(schema, values[key])] as const
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JSONObject;
}

const same = (a: JSONValue | undefined, b: JSONValue | undefined): boolean =>
  JSONExt.deepEqual(a ?? null, b ?? null);

function groupTitle(name: GroupName, trans: ITrans): string {
  switch (name) {
    case 'step':
      return trans.__('Step');
    case 'resources':
      return trans.__('Resources');
    case 'environment':
      return trans.__('Environment');
    case 'running':
      return trans.__('Cache, retries and timeout');
    case 'flow':
      return trans.__('Loop, condition and component');
    case 'pod':
      return trans.__('Pod');
  }
}
