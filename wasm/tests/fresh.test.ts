import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { Browser } from 'playwright-core';

import { launch, serve } from './browser.js';

const own = new URL('../', import.meta.url).pathname;
const program = (name: string) => join(own, 'node_modules/.bin', name);

let folder: string;
let browser: Browser;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'syncline-fresh-'));
  cpSync(join(own, 'tests/fresh'), folder, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: own, encoding: 'utf8' });
  const tarball = packed.trim().split('\n').at(-1) as string;
  execFileSync('npm', ['init', '-y', '--silent'], { cwd: folder });
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder, stdio: 'pipe' });
  // Its own packages would be the same ones, fetched again.
  for (const name of ['vite', 'typescript']) symlinkSync(join(own, 'node_modules', name), join(folder, 'node_modules', name));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function titleAt(url: string): Promise<string> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  try {
    await page.goto(url);
    await page.waitForFunction(() => document.title !== 'waiting', undefined, { timeout: 30_000 });
    return await page.title();
  } catch (error) {
    throw new Error(`${error}\n${wrong.join('\n')}`);
  } finally {
    await context.close();
  }
}

test('in a fresh project its types are clean', () => {
  execFileSync(program('tsc'), ['--project', folder], { stdio: 'pipe', encoding: 'utf8' });
});

test('a project that was built with Vite runs in a browser, with a worker', { timeout: 120_000 }, async () => {
  execFileSync(program('vite'), ['build', '--logLevel', 'warn'], { cwd: folder, stdio: 'pipe' });
  const site = await serve({ '/': join(folder, 'dist') });
  try {
    assert.equal(await titleAt(site.url), 'Vila 1970 best-effort 1');
  } finally {
    await site.close();
  }
});

test('so does a project that Vite serves while it is written', { timeout: 120_000 }, async () => {
  const child = spawn(program('vite'), ['--host', '127.0.0.1', '--port', '0'], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (piece) => {
        said += piece;
        const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
        if (url !== undefined) resolve(url);
      });
      child.on('exit', () => reject(new Error(said)));
    });
    assert.equal(await titleAt(url), 'Vila 1970 best-effort 1');
  } finally {
    child.kill();
  }
});

test('a page without a bundler runs', { timeout: 60_000 }, async () => {
  const site = await serve({ '/syncline/': join(own, 'dist/'), '/': join(own, 'tests/page') });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => 'ready' in window);
    const names = await page.evaluate(async () => {
      const { Syncline } = window as never as typeof import('syncline');
      const schema = { version: 1, collections: { city: { fields: { name: { type: 'string' } } } } } as const;
      const db = await Syncline.open({ name: 'page', schema });
      await db.collection('city').create({ name: 'Vila' });
      await db.close();
      const again = await Syncline.open({ name: 'page', schema });
      const found = (await again.collection('city').find()).map((city) => city.name);
      await again.close();
      await Syncline.delete('page');
      const empty = await Syncline.open({ name: 'page', schema });
      return [...found, await empty.collection('city').count()];
    });
    assert.deepEqual(names, ['Vila', 0]);
  } finally {
    await context.close();
    await site.close();
  }
});
