// How a replica stands, in words.

import type { StorageInfo } from 'syncline';

import { part } from './parts';

export type Standing = 'connecting' | 'online' | 'ending' | 'offline' | 'unreachable' | 'denied' | 'failed';

const STANDINGS: Record<Standing, { words: string; looks: 'good' | 'bad' | 'quiet' }> = {
  connecting: { words: 'connecting', looks: 'quiet' },
  online: { words: 'in sync', looks: 'good' },
  ending: { words: 'going offline', looks: 'quiet' },
  offline: { words: 'offline', looks: 'quiet' },
  unreachable: { words: 'no hub in reach', looks: 'bad' },
  denied: { words: 'the hub denies', looks: 'bad' },
  failed: { words: 'sync failed', looks: 'bad' },
};

const MODES: Record<StorageInfo['mode'], string> = {
  persistent: 'this browser, for good',
  'best-effort': 'this browser, while there is room',
  memory: 'memory: it ends with this page',
};

export interface Facts {
  pending: number;
  synced: Date | undefined;
  isOffline: boolean;
  isLeading: boolean;
  storage: StorageInfo;
}

export function showStanding(pane: HTMLElement, standing: Standing): void {
  const pill = part(pane, 'state');
  const { words, looks } = STANDINGS[standing];
  pill.textContent = words;
  pill.dataset['looks'] = looks;
  pane.dataset['standing'] = standing;
}

export function showFacts(pane: HTMLElement, facts: Facts): void {
  const { pending, synced, isOffline, isLeading, storage } = facts;
  pane.dataset['pending'] = String(pending);
  pane.dataset['leading'] = String(isLeading);
  pane.dataset['storage'] = storage.mode;
  part(pane, 'pending').textContent = pending === 1 ? '1 change' : `${pending} changes`;
  part(pane, 'synced').textContent = synced?.toLocaleTimeString() ?? 'never';
  const follows = isLeading ? 'syncs for all tabs' : 'follows the one that syncs';
  part(pane, 'role').textContent = isOffline ? 'does not sync' : follows;
  part(pane, 'storage').textContent = MODES[storage.mode];
  part(pane, 'persist').hidden = storage.mode !== 'best-effort';
}
