import * as React from 'react';

import { valueText } from './format';
import { FormValues, IParameter, isLong, textOf } from './parameters';
import type { ITrans } from './text';

/** A field for each parameter of a pipeline, after its type. */
export function ParameterForm(props: {
  parameters: readonly IParameter[];
  values: FormValues;
  errors: Record<string, string>;
  /** Prefix of the fields' ids. */
  id: string;
  onChange: (name: string, text: string | null) => void;
  trans: ITrans;
}): JSX.Element {
  const { parameters, trans } = props;
  if (parameters.length === 0) {
    return <p className="fl-Table-none">{trans.__('The pipeline has no parameters.')}</p>;
  }
  return (
    <>
      {parameters.map(parameter => (
        <Field
          key={parameter.name}
          parameter={parameter}
          text={props.values[parameter.name] ?? null}
          error={props.errors[parameter.name] ?? ''}
          id={`${props.id}-${parameter.name}`}
          onChange={text => props.onChange(parameter.name, text)}
          trans={trans}
        />
      ))}
    </>
  );
}

function Field(props: {
  parameter: IParameter;
  text: string | null;
  error: string;
  id: string;
  onChange: (text: string | null) => void;
  trans: ITrans;
}): JSX.Element {
  const { parameter, text, error, id, onChange, trans } = props;
  const hasDefault = parameter.default !== undefined;
  const changed = hasDefault && text !== textOf(parameter.default, parameter.type);
  return (
    <div className="fl-FormField" data-fl-field={parameter.name} data-fl-invalid={error !== ''}>
      <div className="fl-FormField-line">
        <label className="fl-FormField-label" htmlFor={id}>
          {parameter.name}
        </label>
        <span className="fl-FormField-type">{typeLabel(parameter.type, trans)}</span>
        {changed && (
          <button
            type="button"
            className="fl-Link fl-FormField-reset"
            data-fl-action="default"
            title={trans.__('The default: %1', valueText(parameter.default))}
            onClick={() => onChange(textOf(parameter.default, parameter.type))}
          >
            {trans.__('Default')}
          </button>
        )}
        {parameter.optional && !hasDefault && text !== null && (
          <button
            type="button"
            className="fl-Link fl-FormField-reset"
            data-fl-action="leave-out"
            onClick={() => onChange(null)}
          >
            {trans.__('Leave out')}
          </button>
        )}
      </div>
      <Control {...props} />
      {parameter.description && (
        <p className="fl-FormField-help" id={`${id}-help`}>
          {parameter.description}
        </p>
      )}
      {error && (
        <p className="fl-FormField-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function Control(props: {
  parameter: IParameter;
  text: string | null;
  error: string;
  id: string;
  onChange: (text: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { parameter, text, error, id, onChange, trans } = props;
  const shared = {
    id,
    'aria-invalid': error !== '',
    'aria-describedby':
      [parameter.description && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
  };
  if (parameter.literals.length) {
    const choices = parameter.literals.map(one => textOf(one, parameter.type));
    return (
      <select
        className="fl-Input"
        {...shared}
        value={text ?? ''}
        onChange={event => onChange(event.target.value)}
      >
        {text === null && <option value="">{trans.__('Choose…')}</option>}
        {choices.map(choice => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  }
  if (parameter.type === 'BOOLEAN') {
    return (
      <input
        type="checkbox"
        className="fl-FormField-check"
        {...shared}
        checked={text === 'true'}
        onChange={event => onChange(String(event.target.checked))}
      />
    );
  }
  const typed = {
    ...shared,
    value: text ?? '',
    placeholder: text === null && parameter.optional ? trans.__('left out') : undefined,
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value)
  };
  return isLong(parameter, text) ? (
    <textarea
      className="fl-Input fl-FormField-long"
      rows={Math.min(8, Math.max(2, (text ?? '').split('\n').length))}
      {...typed}
    />
  ) : (
    <input
      type="text"
      className="fl-Input"
      inputMode={parameter.type.startsWith('NUMBER') ? 'decimal' : undefined}
      {...typed}
    />
  );
}

/** A parameter's type in a word. */
export function typeLabel(type: string, trans: ITrans): string {
  switch (type) {
    case 'NUMBER_INTEGER':
      return trans.__('whole number');
    case 'NUMBER_DOUBLE':
      return trans.__('number');
    case 'BOOLEAN':
      return trans.__('yes or no');
    case 'LIST':
      return trans.__('list, as JSON');
    case 'STRUCT':
      return trans.__('object, as JSON');
    default:
      return trans.__('text');
  }
}
