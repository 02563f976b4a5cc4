// The Inspector's command line: `inspector.mjs TRANSPORT ERA TARGET`, one process per case.
//
// ERA is legacy, auto or modern. It runs one method and prints one JSON object: it shows no progress and cannot subscribe, so
// those cases are not here. The twin of `python_client.py` otherwise. Called by `run.sh`.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const modules = path.resolve(path.dirname(process.argv[1]), '.cache', 'node_modules');
const cli = path.join(modules, '.bin', 'mcp-inspector');
const { version } = JSON.parse(readFileSync(path.join(modules, '@modelcontextprotocol/inspector/package.json'), 'utf8'));
const [transport, era, target] = process.argv.slice(2);
const flag = { stdio: 'stdio', 'http+sse': 'sse', 'streamable-http': 'http' }[transport];

const revision = era === 'legacy' ? '2025-11-25' : '2026-07-28';
const cases = [
  ['connect', ['initialize'], ({ protocolVersion, serverInfo }) => protocolVersion === revision && serverInfo.name !== ''],
  ['list-tools', ['tools/list'], ({ tools }) => tools.some(tool => tool.name === 'test_tool_with_progress')],
  ['call-tool', ['tools/call', '--tool-name', 'test_tool_with_progress'], ({ content, isError }) => !isError && content.length > 0],
  [
    'read-resource',
    ['resources/read', '--uri', 'test://static-text'],
    ({ contents }) => contents[0].text === 'This is the content of the static text resource.'
  ],
  [
    'get-prompt',
    ['prompts/get', '--prompt-name', 'test_prompt_with_arguments', '--prompt-args', 'arg1=sparrow', 'arg2=finch'],
    ({ messages }) => /sparrow.*finch/s.test(messages[0].content.text)
  ]
];

let failed = 0;
for (const [name, words, accepts] of cases) {
  const line = `inspector-cli ${version}  ${transport} ${era}  ${name}`;
  const reason = problem(words, accepts);
  if (reason) failed += 1;
  console.log(reason ? `FAIL ${line}  ${reason}` : `ok   ${line}`);
}
process.exit(failed ? 1 : 0);

function problem(words, accepts) {
  const args = [cli, '--cli', target, '--transport', flag, '--protocol-era', era, '--format', 'json', '--quiet', '--stored-auth-only', '--method', ...words];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
  if (run.error) return String(run.error);
  if (run.status !== 0) return `status ${run.status}: ${run.stderr}`.replace(/\s+/g, ' ').slice(0, 300);
  try {
    if (accepts(JSON.parse(run.stdout).result)) return null;
  } catch (error) {
    console.error(error);
  }
  return `unexpected: ${run.stdout.replace(/\s+/g, ' ').slice(0, 300)}`;
}
