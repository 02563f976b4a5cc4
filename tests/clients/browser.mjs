// Headless Chromium against a siskin: `browser.mjs SERVER_ORIGIN PAGE_PORT`. Called by `browser.sh`.
//
// Serves `page.html` on PAGE_PORT, whose origin the server allows, and on a second port, whose origin it does not; runs the page's
// functions there and prints a line for each case.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const here = path.dirname(process.argv[1]);
const require = createRequire(path.join(here, '.cache', 'node_modules', 'anchor.js'));
const { chromium } = require('playwright-core');
const [server, pagePort] = process.argv.slice(2);
const DEADLINE_MS = 20_000;

const html = readFileSync(path.join(here, 'page.html'));
const serve = port =>
  new Promise((resolve, reject) => {
    const pages = createServer((request, response) => {
      response.writeHead(request.url === '/' ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
      response.end(request.url === '/' ? html : '');
    });
    pages.on('error', reject);
    pages.listen(port, '127.0.0.1', () => resolve(pages));
  });
const allowed = await serve(Number(pagePort));
const stranger = await serve(0);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  headless: true,
  timeout: 60_000,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']
});
const label = `chromium ${browser.version()}`;

const open = async pages => {
  const page = await browser.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.on('console', message => console.error(`page: ${message.text()}`));
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  return page;
};
const page = await open(allowed);
// The functions of page.html, run in the page, take the server's origin as their argument.
const inPage = (page, name) => page.evaluate(([name, server]) => globalThis[name](server), [name, server]);

let failed = 0;
await report('http+sse', 'stream-opens', async () => {
  const endpoint = await inPage(page, 'openStream');
  expect(endpoint.startsWith(`${server}/`), `the endpoint is ${endpoint}`);
});
await report('http+sse', 'answer-on-stream', async () => {
  const { status, answer } = await inPage(page, 'postOnSession');
  expect(status === 202, `the POST was answered with ${status}`);
  expect(answer.id === 'browser-1' && answer.result.protocolVersion === '2024-11-05', JSON.stringify(answer));
});
await report('http+sse', 'seed-post-answered-in-body', async () => {
  const answer = await inPage(page, 'postAsTheSeedDoes');
  const tools = answer.result?.tools ?? answer.tools;
  expect(Array.isArray(tools) && tools.length > 0, JSON.stringify(answer));
});
await report('streamable-http', 'session-header-readable', async () => {
  const { session, version, tools } = await inPage(page, 'streamableSession');
  expect(Boolean(session), 'the page cannot read Mcp-Session-Id');
  expect(version === '2025-11-25' && tools > 0, `version ${version}, ${tools} tools`);
});
await report('streamable-http', 'modern-headers-allowed', async () => {
  const versions = await inPage(page, 'discover');
  expect(versions.includes('2026-07-28'), `supported are ${versions}`);
});
await report('both', 'other-origin-refused', async () => {
  const other = await open(stranger);
  const outcome = await inPage(other, 'knockAsAStranger');
  expect(outcome.stream === 'error' && outcome.post === 'TypeError' && outcome.mcp === 'TypeError', JSON.stringify(outcome));
});
await report('both', 'close', async () => {
  expect((await inPage(page, 'closeStream')) === 2, 'the stream is not closed');
  await browser.close();
});
process.exit(failed ? 1 : 0);

async function report(transport, name, run) {
  const line = `${label}  ${transport}  ${name}`;
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
  });
  try {
    await Promise.race([run(), deadline]);
    console.log(`ok   ${line}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${line}  ${String(error).replace(/\s+/g, ' ').slice(0, 300)}`);
  } finally {
    clearTimeout(timer);
  }
}

function expect(condition, said) {
  if (!condition) throw new Error(said);
}
