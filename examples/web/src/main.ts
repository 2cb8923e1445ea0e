// A shopping list in two replicas, or in the one that `?replica=` names.

import './style.css';

import { Pane } from './pane';

const named = new URLSearchParams(location.search).getAll('replica');
const names = named.length > 0 ? named : ['left', 'right'];
const replicas = new Map<string, string>();
const prints = new Map<string, string>();
const agreement = document.getElementById('agreement')!;

const panes = names.map(
  (name) =>
    new Pane(name, {
      who: (replica) => replicas.get(replica) ?? 'another device',
      stands(name, replica, fingerprint) {
        replicas.set(replica, name);
        prints.set(name, fingerprint);
        if (names.length < 2 || prints.size < names.length) return;
        const agree = new Set(prints.values()).size === 1;
        agreement.hidden = false;
        agreement.textContent = agree ? 'All replicas show the same' : 'The replicas differ';
        agreement.dataset['looks'] = agree ? 'good' : 'warn';
      },
    }),
);

document.getElementById('panes')!.append(...panes.map((pane) => pane.element));
if (names.length < 2) document.getElementById('lead')!.textContent = 'It works offline, and syncs when it can.';
await Promise.all(panes.map((pane) => pane.open()));
