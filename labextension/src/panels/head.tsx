/**
 * The sidebar's head: where things go, how it is there, and how much of it is used.
 */
import { settingsIcon, UseSignal } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { IContexts, INamespaces, IUsage } from '../api/types';
import { meterOf, Resource } from '../components/amounts';
import { ContextButton } from '../components/ContextButton';
import { Meters } from '../components/Meters';
import type { ISwitchGroup } from '../components/Switch';
import type { ITrans } from '../components/text';
import { Trouble } from '../components/Trouble';
import type { ConnectionState, ContextModel } from '../model/context';
import { ContextSwitch } from './contextswitch';

/** What a switch lists first. */
export type SwitchPart = ISwitchGroup['name'];

export interface IHeadOptions {
  context: ContextModel;
  /** Read what can be chosen. */
  contexts: () => Promise<IContexts>;
  namespaces: () => Promise<INamespaces>;
  /** Emitted to open the switch from elsewhere. */
  openSwitch: ISignal<unknown, SwitchPart>;
  onSettings: (() => void) | null;
  trans: ITrans;
}

const NOTHING = { used: 0, allocatable: null, quota: null };
/** What stands in the place of the bars until they are known, so that nothing moves. */
const UNKNOWN: IUsage = { cpu: NOTHING, memory: NOTHING, gpu: NOTHING, scope: 'namespace' };
const NOWHERE = { namespace: '', server: '', version: '', message: '' };
const RESOURCES: readonly Resource[] = ['cpu', 'memory', 'gpu'];

export function Head(props: IHeadOptions): JSX.Element {
  const { context: model, trans } = props;
  const [open, setOpen] = React.useState<SwitchPart | null>(null);
  const button = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => {
    const show = (_: unknown, part: SwitchPart): void => setOpen(part);
    props.openSwitch.connect(show);
    return () => void props.openSwitch.disconnect(show);
  }, [props.openSwitch]);
  const close = (elsewhere = false): void => {
    setOpen(null);
    if (!elsewhere) {
      button.current?.focus();
    }
  };
  return (
    <header className="fl-Sidebar-head">
      <div className="fl-Sidebar-top">
        <h1 className="fl-Sidebar-title">Fairlead</h1>
        {props.onSettings && (
          <button
            type="button"
            className="fl-Sidebar-settings"
            data-fl-action="settings"
            aria-label={trans.__('Fairlead settings')}
            title={trans.__('Fairlead settings')}
            onClick={props.onSettings}
          >
            <settingsIcon.react tag="span" />
          </button>
        )}
      </div>
      <UseSignal signal={model.changed}>
        {() => (
          <>
            <Line
              model={model}
              trans={trans}
              open={open !== null}
              button={button}
              onClick={() => setOpen(open ? null : 'context')}
            />
            <Usage model={model} trans={trans} />
            <State model={model} trans={trans} />
          </>
        )}
      </UseSignal>
      {open && <ContextSwitch {...props} key={open} first={open} opener={button} onClose={close} />}
    </header>
  );
}

function Line(props: {
  model: ContextModel;
  trans: ITrans;
  open: boolean;
  button: React.RefObject<HTMLButtonElement>;
  onClick: () => void;
}): JSX.Element | null {
  const { model, trans } = props;
  const { state, problem } = model;
  const context = model.context ?? (problem && { ...NOWHERE, context: trans.__('No context') });
  if (!context) {
    return null;
  }
  const words: Record<ConnectionState, string> = {
    ok: trans.__('connected'),
    starting: trans.__('starting'),
    reconnecting: trans.__('reconnecting'),
    error: trans.__('not usable'),
    offline: trans.__('the Jupyter Server does not answer')
  };
  const server = [context.server, context.version && trans.__('Kubernetes %1', context.version)];
  return (
    <ContextButton
      ref={props.button}
      context={context.context}
      namespace={context.namespace}
      health={state}
      healthLabel={words[state]}
      title={[...server, words[state], context.message].filter(Boolean).join('\n')}
      label={trans.__('Switch context or namespace')}
      open={props.open}
      onClick={props.onClick}
    />
  );
}

function Usage({ model, trans }: { model: ContextModel; trans: ITrans }): JSX.Element | null {
  const { context } = model;
  const usage = model.usage ?? UNKNOWN;
  if (!context) {
    return null;
  }
  const place = { namespace: context.namespace, scope: usage.scope };
  return (
    <Meters
      meters={RESOURCES.map(name => meterOf(name, usage[name], place, trans))}
      stale={model.stale || usageIsOld(model)}
      label={trans.__('Resources in use')}
    />
  );
}

function usageIsOld({ usageHealth }: ContextModel): boolean {
  return usageHealth.health === 'reconnecting' || usageHealth.health === 'error';
}

/** In words, what is wrong with the connection; nothing while it is well. */
function State({ model, trans }: { model: ContextModel; trans: ITrans }): JSX.Element | null {
  const { context, state } = model;
  const again = { label: trans.__('Try again'), name: 'reconnect', run: () => void model.reconnect() };
  const kept = trans.__('What is shown is what was last known.');
  switch (state) {
    case 'ok':
      return null;
    case 'starting':
      return <Trouble kind="starting" text={trans.__('Starting…')} why={context?.message} />;
    case 'offline':
      return (
        <Trouble
          kind="reconnecting"
          text={trans.__('The Jupyter Server does not answer. Reconnecting…')}
          hint={kept}
          action={again}
        />
      );
    case 'reconnecting':
      return (
        <Trouble
          kind="reconnecting"
          text={trans.__('Reconnecting…')}
          why={context?.message}
          hint={[context?.hint, kept].filter(Boolean).join(' ')}
        />
      );
    case 'error':
      return (
        <Trouble
          kind="error"
          text={(model.problem ?? context)?.message ?? ''}
          hint={[(model.problem ?? context)?.hint, context && kept].filter(Boolean).join(' ')}
          action={again}
        />
      );
  }
}
