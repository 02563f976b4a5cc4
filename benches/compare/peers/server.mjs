// A server on the TypeScript SDK with the fifty tools that every peer has.
//
// `PORT` serves HTTP: 2025 with sessions and JSON answers, its faster form, and 2026-07-28 without. `--stdio` serves
// whoever started it.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const TOOLS = 50;
const inputSchema = z.object({
  a: z.number().describe('the first number'),
  b: z.number().describe('the second number'),
});

function compare() {
  const server = new McpServer({ name: 'compare', version: '0.0.0' });
  for (let number = 1; number <= TOOLS; number += 1) {
    const name = number === 1 ? 'add' : `add_${String(number).padStart(2, '0')}`;
    server.registerTool(name, { description: 'Adds two numbers.', inputSchema }, async ({ a, b }) => ({
      content: [{ type: 'text', text: String(a + b) }],
    }));
  }
  return server;
}

const [argument] = process.argv.slice(2);
if (argument === '--stdio') {
  await compare().connect(new StdioServerTransport());
} else {
  const sessions = new Map();
  const stateless = toNodeHandler(createMcpHandler(() => compare(), { legacy: 'reject' }));

  const legacy = async (req, res) => {
    const id = req.headers['mcp-session-id'];
    let transport = sessions.get(id);
    if (!transport && id) {
      res.writeHead(404).end();
      return;
    }
    if (!transport) {
      transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        enableJsonResponse: true,
        onsessioninitialized: session => sessions.set(session, transport),
      });
      transport.onclose = () => sessions.delete(transport.sessionId);
      await compare().connect(transport);
    }
    await transport.handleRequest(req, res);
  };

  createServer((req, res) => {
    const handle = req.headers['mcp-protocol-version'] === '2026-07-28' ? stateless : legacy;
    Promise.resolve(handle(req, res)).catch(error => {
      console.error(error);
      res.destroy();
    });
  }).listen(Number(argument), '127.0.0.1');
}
