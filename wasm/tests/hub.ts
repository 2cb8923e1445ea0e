// A real hub for tests: the command's, in a process of its own.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = process.env['SYNCLINE'] ?? new URL('../../target/debug/syncline', import.meta.url).pathname;

export interface Hub {
  url: string;
  /** A new token for everything. */
  token(): string;
  /** Ends it as the machine would, or starts it again where it was. */
  kill(): Promise<void>;
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a hub; one with tokens lets nobody in without. */
export async function startHub(options: { tokens?: boolean; args?: string[] } = {}): Promise<Hub> {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-hub-'));
  const tokens = join(folder, 'tokens');
  const run = (...args: string[]) => {
    const done = spawnSync(command, ['--json', ...args], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${done.stdout}${done.stderr}${done.error ?? ''}`);
    return JSON.parse(done.stdout);
  };
  const newToken = (): string => run('token', 'new', 'tester', '--for', '*', '--file', tokens).token;
  if (options.tokens) newToken();
  let child: ReturnType<typeof spawn> | undefined;
  let listen = '127.0.0.1:0';
  const hub = {
    url: '',
    token: newToken,
    async start() {
      const args = ['--json', 'serve', '--listen', listen, '--rate', '0', '--store', join(folder, 'hub.db')];
      if (options.tokens) args.push('--tokens', tokens);
      child = spawn(command, [...args, ...(options.args ?? [])], { stdio: ['ignore', 'pipe', 'ignore'] });
      const lines = createInterface({ input: child.stdout! });
      for await (const line of lines) {
        hub.url = JSON.parse(line).listening[0];
        listen = hub.url.replace('http://', '');
        child.stdout!.resume();
        return;
      }
      throw new Error('the hub did not start');
    },
    async kill() {
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      if (child?.kill('SIGKILL')) await gone;
      child = undefined;
    },
    async [Symbol.asyncDispose]() {
      await hub.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await hub.start();
  return hub;
}
