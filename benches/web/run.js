// Runs the workloads in headless Chromium and prints them: `node run.js [rounds]`, after the package is built.
// SYNCLINE names the command that serves a hub, CHROMIUM the browser.

import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const folders = { '/modules/': join(here, 'node_modules'), '/syncline/': join(here, '../../wasm/dist'), '/': join(here, 'page') };
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

function serve() {
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const [below, folder] = Object.entries(folders).find(([below]) => path.startsWith(below));
    const file = join(folder, normalize(path.slice(below.length) || 'index.html'));
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function hub(command) {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'));
  const args = ['--json', 'serve', '--listen', '127.0.0.1:0', '--rate', '0', '--store', join(folder, 'hub.db')];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    const end = () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    };
    return { url: JSON.parse(line).listening[0], end };
  }
  throw new Error('the hub did not start');
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const aims = { W1: 1000 / 1720, W1b: 8000 / 11200 };
const rounds = Number(process.argv[2] ?? 3);

const server = await serve();
const site = `http://127.0.0.1:${server.address().port}/`;
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
const open = async () => {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.goto(site);
  await page.waitForFunction('window.firstSync');
  return page;
};

for (const durability of ['relaxed', 'strict']) {
  const page = await open();
  const all = await page.evaluate(([rounds, durability]) => window.run(rounds, durability), [rounds, durability]);
  console.log(`\nW8, ${durability} durability, ${rounds} rounds: median per second, and ratio to raw IndexedDB of the same round`);
  for (const workload of Object.keys(all.raw[0])) {
    const cells = Object.entries(all).map(([side, measured]) => {
      const ratio = median(measured.map((one, at) => one[workload] / all.raw[at][workload]));
      const rate = median(measured.map((one) => one[workload]));
      return `${side} ${rate.toFixed(0).padStart(6)} (${ratio.toFixed(2)})`;
    });
    const aim = aims[workload] ? `  aim: syncline ${aims[workload].toFixed(2)}` : '';
    console.log(`${workload.padEnd(4)} ${cells.join('   ')}${aim}`);
  }
  await page.close();
}

const first = [];
for (let round = 0; round < rounds; round += 1) {
  const page = await open();
  first.push(await page.evaluate(() => window.firstWrite()));
  await page.close();
}
console.log(`\nfrom open to the first durable write: ${median(first).toFixed(0)} ms`);

if (process.env.SYNCLINE) {
  const { url, end } = await hub(process.env.SYNCLINE);
  const page = await open();
  const { sent, received } = await page.evaluate((url) => window.firstSync(url), url);
  console.log(`first sync of 10,000 records at a local hub: sent in ${sent.toFixed(0)} ms, received in ${received.toFixed(0)} ms`);
  end();
}
await browser.close();
server.close();
