// The two TypeScript clients with a token: `auth_client.mjs client|sdk MODE TARGET ISSUER WAY`. Called by `auth.sh`.
//
// WAY is `bearer TOKEN`, or `oauth CLIENT SECRET` with a client of `auth_server.mjs`. Prints a line for each case: connect, list-tools, call, close; the
// twin of `auth_client.py`. With `refused` before the way, the one case is that connecting fails with a word of authorization.

import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const DEADLINE_MS = 1000 * Number(process.env.SISKIN_CASE_SECONDS ?? 20);
const modules = path.resolve(path.dirname(process.argv[1]), '.cache', 'node_modules');
const require = createRequire(path.join(modules, 'anchor.js'));
const load = name => import(pathToFileURL(require.resolve(name)));
const versionOf = async name => JSON.parse(await readFile(path.join(modules, name, 'package.json'), 'utf8')).version;

const KINDS = {
  async client(mode) {
    const name = '@modelcontextprotocol/client';
    const { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } = await load(name);
    const modes = { legacy: 'legacy', auto: 'auto' };
    const client = new Client({ name: 'siskin-tests', version: '0' }, { versionNegotiation: { mode: modes[mode] } });
    return { label: `ts-client ${await versionOf(name)}`, client, ClientCredentialsProvider, StreamableHTTPClientTransport };
  },
  async sdk() {
    const name = '@modelcontextprotocol/sdk';
    const { Client } = await load(`${name}/client/index.js`);
    const { ClientCredentialsProvider } = await load(`${name}/client/auth-extensions.js`);
    const { StreamableHTTPClientTransport } = await load(`${name}/client/streamableHttp.js`);
    const client = new Client({ name: 'siskin-tests', version: '0' }, {});
    return { label: `ts-sdk ${await versionOf(name)}`, client, ClientCredentialsProvider, StreamableHTTPClientTransport };
  }
};

const [kindName, mode, target, issuer, ...way] = process.argv.slice(2);
const isRefused = way[0] === 'refused';
if (isRefused) way.shift();
const [how, ...words] = way;
const secret = words.at(-1);
const id = how === 'oauth' ? words[0] : null;
const kind = await KINDS[kindName](mode);
const { client } = kind;

const options =
  how === 'bearer'
    ? { requestInit: { headers: { Authorization: `Bearer ${secret}` } } }
    : { authProvider: new kind.ClientCredentialsProvider({ clientId: id, clientSecret: secret, expectedIssuer: issuer }) };
const transport = new kind.StreamableHTTPClientTransport(new URL(target), options);

const granted = {
  async connect() {
    await client.connect(transport);
    expect(client.getServerVersion()?.name === 'siskin', `the server is ${JSON.stringify(client.getServerVersion())}`);
  },
  async 'list-tools'() {
    const names = (await client.listTools()).tools.map(tool => tool.name);
    expect(names.includes('device_memory'), `device_memory is missing among ${names}`);
    // The one tool that changes something: it is there for who may call it.
    const isThere = names.includes('wake_on_lan');
    const mayWrite = id !== 'reader';
    expect(isThere === mayWrite, `wake_on_lan is ${isThere ? '' : 'not '}offered`);
  },
  async call() {
    const result = await client.callTool({ name: 'device_memory', arguments: {} });
    expect(!result.isError && result.content.length > 0, `the call answered ${JSON.stringify(result)}`);
  },
  async close() {
    if (transport.sessionId) await transport.terminateSession();
    await client.close();
  }
};

const refused = {
  async refused() {
    let said = null;
    await client.connect(transport).catch(error => (said = String(error)));
    expect(said !== null, 'the client connected');
    expect(/401|invalid API token|does not prove itself/i.test(said), `the client said ${said}`);
  }
};

let failed = 0;
let connected = true;
for (const [name, run] of Object.entries(isRefused ? refused : granted)) {
  const line = `${kind.label}  ${mode} ${how}${id ? ` ${id}` : ''}  ${name}`;
  const reason = connected ? await outcome(run) : 'not reached';
  if (name === 'connect' && reason) connected = false;
  if (reason) failed += 1;
  console.log(reason ? `FAIL ${line}  ${reason}` : `ok   ${line}`);
}
process.exit(failed ? 1 : 0);

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
