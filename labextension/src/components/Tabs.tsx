import * as React from 'react';

export interface ITab {
  /** Its stable name. */
  name: string;
  label: string;
}

/** A bar of tabs after WAI-ARIA: one is in the tab order, arrows change it. */
export function TabBar(props: {
  tabs: readonly ITab[];
  current: string;
  /** Prefix of the ids that tie tabs to their panels. */
  id: string;
  label: string;
  onChange: (name: string) => void;
}): JSX.Element {
  const { tabs, current } = props;
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>): void => {
    const here = tabs.findIndex(tab => tab.name === current);
    const last = tabs.length - 1;
    const places: Record<string, number> = {
      ArrowRight: here === last ? 0 : here + 1,
      ArrowLeft: here === 0 ? last : here - 1,
      Home: 0,
      End: last
    };
    const next = tabs[places[event.key] ?? -1];
    if (next) {
      props.onChange(next.name);
      event.currentTarget.querySelector<HTMLElement>(`[data-fl-tab="${next.name}"]`)?.focus();
      event.preventDefault();
    }
  };
  return (
    <div className="fl-TabBar" role="tablist" aria-label={props.label} onKeyDown={onKeyDown}>
      {tabs.map(tab => (
        <button
          key={tab.name}
          type="button"
          role="tab"
          id={`${props.id}-tab-${tab.name}`}
          className="fl-TabBar-tab"
          data-fl-tab={tab.name}
          aria-selected={tab.name === current}
          aria-controls={`${props.id}-panel-${tab.name}`}
          tabIndex={tab.name === current ? 0 : -1}
          onClick={() => props.onChange(tab.name)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}

/** The panel of a tab, in the DOM only while it is current. */
export function TabPanel(props: {
  name: string;
  current: string;
  id: string;
  children: React.ReactNode;
}): JSX.Element | null {
  return props.name !== props.current ? null : (
    <div
      className="fl-TabPanel"
      role="tabpanel"
      id={`${props.id}-panel-${props.name}`}
      aria-labelledby={`${props.id}-tab-${props.name}`}
      data-fl-tabpanel={props.name}
      tabIndex={0}
    >
      {props.children}
    </div>
  );
}
