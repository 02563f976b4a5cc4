// The two TypeScript clients: `js_client.mjs client|sdk TRANSPORT MODE TARGET…`.
//
// The twin of `python_client.py`, words and lines as there. `client` is @modelcontextprotocol/client (all revisions), `sdk` is
// @modelcontextprotocol/sdk, whose Streamable HTTP and SSE classes most programs of today still use. Called by `run.sh`.

import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const DEADLINE_MS = 1000 * Number(process.env.SISKIN_CASE_SECONDS ?? 20);
const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';
const WATCHED = 'test://watched-resource';
const STATIC_TEXT = 'This is the content of the static text resource.';
const TOOLS = ['test_simple_text', 'test_tool_with_progress', 'test_trigger_resource_update'];

// The packages live in the cache folder beside Node itself, out of this file's reach for a plain `import`.
const modules = path.resolve(path.dirname(process.argv[1]), '.cache', 'node_modules');
const require = createRequire(path.join(modules, 'anchor.js'));
const load = name => import(pathToFileURL(require.resolve(name)));
const versionOf = async name => {
  const { readFile } = await import('node:fs/promises');
  return JSON.parse(await readFile(path.join(modules, name, 'package.json'), 'utf8')).version;
};

// Each entry gives: the printed label, a client, and a transport class per transport.
const KINDS = {
  async client(mode) {
    const name = '@modelcontextprotocol/client';
    const { Client, SSEClientTransport, StreamableHTTPClientTransport } = await load(name);
    const { StdioClientTransport } = await load(`${name}/stdio`);
    const modes = { legacy: 'legacy', auto: 'auto', any: 'auto', [MODERN]: { pin: MODERN } };
    const client = new Client({ name: 'siskin-tests', version: '0' }, { versionNegotiation: { mode: modes[mode] } });
    const onUpdated = handler => client.setNotificationHandler('notifications/resources/updated', handler);
    const version = () => client.getNegotiatedProtocolVersion();
    const observe = transport => transport;
    return { label: `ts-client ${await versionOf(name)}`, client, onUpdated, version, observe, StdioClientTransport, SSEClientTransport, StreamableHTTPClientTransport };
  },
  async sdk() {
    const name = '@modelcontextprotocol/sdk';
    const { Client } = await load(`${name}/client/index.js`);
    const { StdioClientTransport } = await load(`${name}/client/stdio.js`);
    const { SSEClientTransport } = await load(`${name}/client/sse.js`);
    const { StreamableHTTPClientTransport } = await load(`${name}/client/streamableHttp.js`);
    const { ResourceUpdatedNotificationSchema } = await load(`${name}/types.js`);
    const client = new Client({ name: 'siskin-tests', version: '0' }, {});
    const onUpdated = handler => client.setNotificationHandler(ResourceUpdatedNotificationSchema, handler);
    // It keeps the version to itself, but tells the transport.
    let negotiated;
    const version = () => negotiated;
    const observe = transport => {
      const next = transport.setProtocolVersion?.bind(transport);
      transport.setProtocolVersion = version => {
        negotiated = version;
        next?.(version);
      };
      return transport;
    };
    return { label: `ts-sdk ${await versionOf(name)}`, client, onUpdated, version, observe, StdioClientTransport, SSEClientTransport, StreamableHTTPClientTransport };
  }
};

const [kindName, transportName, mode, ...target] = process.argv.slice(2);
const kind = await KINDS[kindName](mode);
const { client } = kind;

const updated = [];
const problems = [];
let transport;
kind.onUpdated(notification => void updated.push(notification.params.uri));
client.onerror = error => problems.push(error);

const cases = {
  async connect() {
    transport = kind.observe(open());
    await client.connect(transport);
    const version = kind.version();
    if (mode === 'any') expect([LEGACY, MODERN].includes(version), `version ${version} was negotiated`);
    else expectEqual('version', version, mode === 'legacy' ? LEGACY : MODERN);
    expect(client.getServerVersion()?.name, 'the server has no name');
  },
  async 'list-tools'() {
    const names = (await client.listTools()).tools.map(tool => tool.name);
    const missing = TOOLS.filter(name => !names.includes(name));
    expect(missing.length === 0, `${missing} missing among ${names.length} tools`);
  },
  async 'call-with-progress'() {
    const steps = [];
    const onprogress = ({ progress, total }) => void steps.push([progress, total]);
    const result = await call('test_tool_with_progress', { onprogress });
    expect(!result.isError && result.content.length > 0, `the call answered ${JSON.stringify(result)}`);
    await eventually(() => steps.length >= 3);
    expectEqual('progress', steps, [[0, 100], [50, 100], [100, 100]]);
  },
  async 'read-resource'() {
    const { contents } = await client.readResource({ uri: 'test://static-text' });
    expectEqual('text', contents.map(content => content.text), [STATIC_TEXT]);
  },
  async 'subscribe-and-receive'() {
    if (kind.version() === MODERN) {
      const subscription = await client.listen({ resourceSubscriptions: [WATCHED] });
      expectEqual('honoured', subscription.honoredFilter.resourceSubscriptions, [WATCHED]);
      await call('test_trigger_resource_update');
      await eventually(() => updated.length > 0);
      await subscription.close();
      expectEqual('ended', await subscription.closed, 'local');
    } else {
      await client.subscribeResource({ uri: WATCHED });
      await call('test_trigger_resource_update');
      await eventually(() => updated.length > 0);
      await client.unsubscribeResource({ uri: WATCHED });
    }
    expectEqual('updated', updated, [WATCHED]);
  },
  async 'get-prompt'() {
    const { messages } = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'sparrow', arg2: 'finch' } });
    const { text } = messages[0].content;
    expect(text.includes('sparrow') && text.includes('finch'), `the prompt reads ${text}`);
  },
  async close() {
    // Whatever the client thought worth an error on the way, though every call succeeded, is a fault of the server's.
    const seen = problems.map(String).join('; ');
    if (transportName === 'streamable-http' && transport.sessionId) await transport.terminateSession();
    await client.close();
    expect(seen === '', `the client complained: ${seen}`);
  }
};

let failed = 0;
let connected = true;
for (const [name, run] of Object.entries(cases)) {
  const line = `${kind.label}  ${transportName} ${mode}  ${name}`;
  const reason = connected ? await outcome(run) : 'not reached';
  if (name === 'connect' && reason) connected = false;
  if (reason) failed += 1;
  console.log(reason ? `FAIL ${line}  ${reason}` : `ok   ${line}`);
}
// A connection that was not closed would keep the process alive; the status must not wait for it.
process.exit(failed ? 1 : 0);

function open() {
  if (transportName === 'stdio') return new kind.StdioClientTransport({ command: target[0], args: target.slice(1) });
  if (transportName === 'http+sse') return new kind.SSEClientTransport(new URL(target[0]));
  return new kind.StreamableHTTPClientTransport(new URL(target[0]));
}

function call(name, options = {}) {
  // The second argument of the older SDK is a result schema; both take the options last.
  return kindName === 'sdk' ? client.callTool({ name, arguments: {} }, undefined, options) : client.callTool({ name, arguments: {} }, options);
}

async function outcome(run) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
  });
  try {
    await Promise.race([run(), deadline]);
    return null;
  } catch (error) {
    console.error(error);
    return String(error).replace(/\s+/g, ' ').slice(0, 300);
  } finally {
    clearTimeout(timer);
  }
}

function expect(condition, said) {
  if (!condition) throw new Error(said);
}

function expectEqual(what, got, wanted) {
  const [is, should] = [JSON.stringify(got), JSON.stringify(wanted)];
  expect(is === should, `${what} is ${is}, not ${should}`);
}

async function eventually(condition) {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 10));
}
