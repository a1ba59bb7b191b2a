import { FormComponent, IFormComponentProps } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ITrans } from './text';

type Templates = NonNullable<IFormComponentProps['templates']>;
type FieldProps = React.ComponentProps<NonNullable<Templates['FieldTemplate']>>;
type ObjectProps = React.ComponentProps<NonNullable<Templates['ObjectFieldTemplate']>>;
type ArrayProps = React.ComponentProps<NonNullable<Templates['ArrayFieldTemplate']>>;
type Values = IFormComponentProps['formData'];

export interface ISettingsFields {
  /** JSON Schema of the fields, an object; texts, numbers, booleans, objects and lists of objects. */
  schema: IFormComponentProps['schema'];
  uiSchema: IFormComponentProps['uiSchema'];
  /** Messages by field. */
  errors: IFormComponentProps['extraErrors'];
}

/** The server checks the settings, in its own words; JSON Schema's own would be others. */
const UNCHECKED: IFormComponentProps['validator'] = {
  isValid: () => true,
  rawValidation: () => ({ errors: [] }),
  toErrorList: () => [],
  validateFormData: () => ({ errors: [], errorSchema: {} })
};

/** Fields of settings, drawn by Lab's form, each with a name that is read out and its errors below it. */
export function SettingsForm(props: {
  fields: ISettingsFields;
  values: Values;
  /** Prefix of the fields' ids. */
  id: string;
  readOnly: boolean;
  /** Something was typed or chosen; `done` where that was all, as with a box that was ticked. */
  onChange: (values: Values, done: boolean) => void;
  /** A field was left. */
  onLeave: () => void;
  trans: ITrans;
}): JSX.Element {
  const { fields, trans } = props;
  const host = React.useRef<HTMLDivElement>(null);
  // Other templates would be another form: what is typed and the focus would be lost.
  const templates = React.useMemo(() => templatesOf(trans), [trans]);
  return (
    <div
      ref={host}
      className="fl-SettingsForm"
      onBlur={() => props.onLeave()}
      onKeyDown={event => {
        if (event.key === 'Enter' && event.target instanceof HTMLInputElement) {
          event.preventDefault();
          props.onLeave();
        }
      }}
    >
      <FormComponent
        schema={fields.schema}
        uiSchema={fields.uiSchema}
        formData={props.values}
        extraErrors={fields.errors}
        validator={UNCHECKED}
        templates={templates}
        idPrefix={props.id}
        readonly={props.readOnly}
        showErrorList={false}
        noHtml5Validate
        tagName="div"
        onChange={event => props.onChange(event.formData ?? {}, !isTyping(host.current))}
      />
    </div>
  );
}

function isTyping(host: HTMLElement | null): boolean {
  const { activeElement } = document;
  const inText =
    activeElement instanceof HTMLTextAreaElement ||
    (activeElement instanceof HTMLInputElement && activeElement.type !== 'checkbox');
  return inText && host !== null && host.contains(activeElement);
}

function templatesOf(trans: ITrans): Partial<Templates> {
  return {
    FieldTemplate: Field,
    ObjectFieldTemplate: Fields,
    ArrayFieldTemplate: props => <Items {...props} trans={trans} />
  };
}

/** Which field it is, without the prefix: `retries_maxRetryCount`. */
const pathOf = (id: string): string => id.replace(/^.*?-form_?/, '');

function Field(props: FieldProps): JSX.Element {
  const { id, schema, label, children, rawErrors = [] } = props;
  const path = pathOf(id);
  const isLeaf = schema.type !== 'object' && schema.type !== 'array';
  if (!path) {
    return children;
  }
  return (
    <div className="fl-FormField" data-fl-setting={path} data-fl-invalid={rawErrors.length > 0}>
      {isLeaf && schema.type !== 'boolean' && (
        <label className="fl-FormField-label" htmlFor={id}>
          {label}
        </label>
      )}
      {children}
      {isLeaf && schema.type !== 'boolean' && schema.description && (
        <p className="fl-FormField-help" id={`${id}__description`}>
          {schema.description}
        </p>
      )}
      {rawErrors.length > 0 && (
        <p className="fl-FormField-error" id={`${id}__error`} role="alert">
          {rawErrors.join(' ')}
        </p>
      )}
    </div>
  );
}

function Fields(props: ObjectProps): JSX.Element {
  const { idSchema, title, schema, properties } = props;
  const inner = properties.map(({ name, content }) => <React.Fragment key={name}>{content}</React.Fragment>);
  if (!pathOf(idSchema.$id)) {
    return <>{inner}</>;
  }
  return (
    <fieldset className="fl-SettingsForm-set">
      {title && <legend className="fl-FormField-label">{title}</legend>}
      {schema.description && <p className="fl-FormField-help">{schema.description}</p>}
      {inner}
    </fieldset>
  );
}

function Items(props: ArrayProps & { trans: ITrans }): JSX.Element {
  const { idSchema, title, schema, items, trans } = props;
  return (
    <fieldset className="fl-SettingsForm-set">
      <legend className="fl-FormField-label">{title}</legend>
      {schema.description && <p className="fl-FormField-help">{schema.description}</p>}
      {items.map(item => (
        <div key={item.key} className="fl-SettingsForm-item">
          {item.children}
          <button
            type="button"
            className="fl-Link"
            data-fl-action="remove"
            aria-label={trans.__('Remove %1 %2', title, item.index + 1)}
            onClick={item.onDropIndexClick(item.index)}
          >
            {trans.__('Remove')}
          </button>
        </div>
      ))}
      <button
        type="button"
        className="fl-Link"
        id={`${idSchema.$id}__add`}
        data-fl-action="add"
        aria-label={trans.__('Add to %1', title)}
        disabled={props.readonly}
        onClick={props.onAddClick}
      >
        {trans.__('Add')}
      </button>
    </fieldset>
  );
}
