import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { launch, serve } from './browser.js';
import { startHub } from './hub.js';

const own = new URL('../', import.meta.url).pathname;

/** The blocks of a language in the README, in their order. */
function blocks(language: string): string[] {
  const readme = readFileSync(join(own, 'README.md'), 'utf8');
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block as string);
}

test('everything in the README compiles and runs', { timeout: 120_000 }, async () => {
  const hub = await startHub();
  // Inside the package, so that its own name is found.
  const folder = mkdtempSync(join(own, 'dist-tests/readme-'));
  const browser = await launch();
  const site = await serve({ '/node_modules/syncline/': own, '/': folder });
  try {
    const lines = blocks('ts').join('\n').replaceAll('https://hub.example.org', hub.url).split('\n');
    const isImport = (line: string) => line.startsWith('import ');
    const program = [...lines.filter(isImport), ...lines.filter((line) => !isImport(line)), 'export {};'];
    writeFileSync(join(folder, 'program.ts'), program.join('\n'));
    const tsc = ['--ignoreConfig', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', '--types', ''];
    execFileSync(join(own, 'node_modules/.bin/tsc'), [...tsc, 'program.ts'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });

    const [importMap] = blocks('html');
    writeFileSync(join(folder, 'index.html'), `<link rel="icon" href="data:,">${importMap}<script type="module" src="/program.js"></script>`);
    const page = await browser.newPage();
    const [said, wrong]: string[][] = [[], []];
    page.on('console', (message) => said!.push(message.text()));
    page.on('pageerror', (error) => wrong!.push(String(error)));
    await page.goto(site.url);
    // The last thing that it says is what is wrong with a second Vila.
    await page.waitForEvent('console', { predicate: (message) => message.text().includes('collection'), timeout: 60_000 }).catch((error) => {
      throw new Error(`${error}\n${said!.join('\n')}\n${wrong!.join('\n')}`);
    });
    assert.deepEqual(wrong, []);
    assert.equal(said![0], '1278');
    assert.ok(said!.some((line) => /^[1-9]\d* sent/.test(line)), said!.join('\n'));
    assert.ok(said!.some((line) => line.endsWith('cities')));
  } catch (error) {
    throw new Error(`${error}\n${(error as { stdout?: string }).stdout ?? ''}`);
  } finally {
    await browser.close();
    await site.close();
    await hub[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});
