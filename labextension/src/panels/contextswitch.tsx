/**
 * The popup that chooses context and namespace, between its opening and its end.
 */
import * as React from 'react';

import type { IContextChoice, IContexts, INamespaces } from '../api/types';
import { ISwitchGroup, Switch } from '../components/Switch';
import type { ITrans } from '../components/text';
import type { IHeadOptions, SwitchPart } from './head';
import { tellStillInUse } from './stillinuse';

/** The switch, filled when it opens. */
export function ContextSwitch(
  props: Pick<IHeadOptions, 'context' | 'contexts' | 'namespaces' | 'trans'> & {
    first: SwitchPart;
    opener: React.RefObject<HTMLElement>;
    onClose: (elsewhere?: boolean) => void;
  }
): JSX.Element {
  const { trans, context: model } = props;
  const [contexts, setContexts] = React.useState<IContexts | null>(null);
  const [namespaces, setNamespaces] = React.useState<INamespaces | null>(null);
  const [error, setError] = React.useState('');
  const [busy, setBusy] = React.useState('');

  const shown = React.useRef(true);
  const choosing = React.useRef(false);

  React.useEffect(() => {
    let asked = 0;
    const read = (): void => {
      const turn = ++asked;
      const take = <T,>(answer: Promise<T>, set: (found: T) => void, failed: (why: string) => void): void => {
        const wanted = (): boolean => shown.current && turn === asked;
        answer.then(
          found => wanted() && set(found),
          (reason: Error) => wanted() && failed(reason.message)
        );
      };
      take(props.contexts(), setContexts, setError);
      take(props.namespaces(), setNamespaces, reason => setNamespaces({ namespaces: [], reason }));
    };
    // The feed may tell before the request is answered: once the head shows what was chosen, the
    // switch is done. Who went elsewhere from another page leaves it open, with what is there now.
    const onMoved = (): void => (choosing.current ? props.onClose() : read());
    shown.current = true;
    read();
    model.moved.connect(onMoved);
    return () => {
      shown.current = false;
      model.moved.disconnect(onMoved);
    };
  }, []);

  const { context: name = '', namespace = '' } = model.context ?? {};
  const groups: ISwitchGroup[] = [
    {
      name: 'context',
      title: trans.__('Contexts'),
      note: '',
      entries: (contexts?.contexts ?? []).map(one => ({
        name: one.name,
        note: sourceOf(one, trans),
        title: one.files,
        problem: one.problem,
        current: one.name === name
      }))
    },
    {
      name: 'namespace',
      title: trans.__('Namespaces of %1', name),
      note: namespaces?.reason
        ? trans.__('They cannot be listed, but one can be named: %1', namespaces.reason)
        : '',
      entries: (namespaces?.namespaces ?? []).map(one => ({
        name: one,
        note: '',
        title: '',
        problem: '',
        current: one === namespace
      })),
      ...(namespaces?.reason && { free: typed => trans.__('Use namespace “%1”', typed) })
    }
  ];
  if (!model.context) {
    // Without a context there are no namespaces.
    groups.pop();
  } else if (props.first === 'namespace') {
    groups.reverse();
  }
  const choose = async (part: SwitchPart, chosen: string): Promise<void> => {
    setError('');
    setBusy(trans.__('Switching to %1…', chosen));
    choosing.current = true;
    try {
      await (part === 'context' ? model.use(chosen) : model.use(name, chosen));
      // Left meanwhile, it may be open anew: that one is not ours to close.
      if (shown.current) {
        props.onClose();
      }
    } catch (reason) {
      choosing.current = false;
      if (shown.current) {
        setBusy('');
        setError(reason instanceof Error ? reason.message : String(reason));
      } else {
        tellStillInUse(reason, trans);
      }
    }
  };
  return (
    <Switch
      groups={groups}
      label={trans.__('Switch context or namespace')}
      placeholder={
        namespaces?.reason
          ? trans.__('Filter, or name a namespace')
          : trans.__('Filter contexts and namespaces')
      }
      status={busy || (contexts && namespaces ? '' : trans.__('Loading…'))}
      error={error}
      trans={trans}
      onChoose={(part, chosen) => void choose(part, chosen)}
      onClose={props.onClose}
      opener={props.opener}
    />
  );
}

/** Where a context is from. */
function sourceOf({ source, cluster }: IContextChoice, trans: ITrans): string {
  switch (source) {
    case 'embedded':
      return trans.__('this machine');
    case 'in-cluster':
      return trans.__('the cluster of this pod');
    case 'kubeconfig':
      return cluster;
  }
}
