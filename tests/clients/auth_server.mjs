// A small authorization server: `auth_server.mjs PORT`. Called by `auth.sh`.
//
// OAuth 2.1 as far as a program that asks for itself needs it: metadata (RFC 8414), two clients with a secret, the grant
// `client_credentials` for one resource (RFC 8707), tokens as JWTs signed by RS256, and the keys to verify them. A client gets those
// of the scopes it asks for that it may have; all of these if it asks for none. Every token that is issued is a line
// `issued CLIENT RESOURCE SCOPES-ASKED-FOR` on standard output, every refusal a line `refused WHY`.

import { createHash, generateKeyPairSync, sign, timingSafeEqual } from 'node:crypto';
import http from 'node:http';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const SECRET = 'secret-of-siskin-tests';
const CLIENTS = { writer: ['read', 'write'], reader: ['read'] };
const SCOPES = ['read', 'write', 'admin', 'publish'];

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig', alg: 'RS256' };

const json = (response, status, value) => {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(body);
};

const refuse = (response, status, error, why) => {
  console.log(`refused ${why}`);
  json(response, status, { error, error_description: why });
};

// Both halves are form-encoded before they are joined (RFC 6749 2.3.1).
const clientOf = header => {
  const [scheme, text] = (header ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'basic') return null;
  const [id, secret] = Buffer.from(text ?? '', 'base64').toString().split(':');
  const plain = half => decodeURIComponent((half ?? '').replace(/\+/g, ' '));
  const hash = word => createHash('sha256').update(word).digest();
  return Object.hasOwn(CLIENTS, plain(id)) && timingSafeEqual(hash(plain(secret)), hash(SECRET)) ? plain(id) : null;
};

const token = (client, resource, scope) => {
  const now = Math.floor(Date.now() / 1000);
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: issuer, aud: resource, sub: client, client_id: client, iat: now, nbf: now, exp: now + 300, scope };
  const signed = `${part({ alg: 'RS256', typ: 'at+jwt', kid: key.kid })}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
};

const issue = (request, response, form) => {
  const client = clientOf(request.headers.authorization);
  if (!client) return refuse(response, 401, 'invalid_client', 'the client does not prove itself');
  if (form.get('grant_type') !== 'client_credentials') return refuse(response, 400, 'unsupported_grant_type', `grant ${form.get('grant_type')}`);
  const resource = form.get('resource');
  if (!resource) return refuse(response, 400, 'invalid_target', 'no resource is named');
  const scopes = (form.get('scope') ?? '').split(' ').filter(Boolean);
  const unknown = scopes.filter(scope => !SCOPES.includes(scope));
  if (unknown.length) return refuse(response, 400, 'invalid_scope', `scopes ${unknown}`);
  console.log(`issued ${client} ${resource} ${scopes.join(' ')}`.trim());
  const granted = CLIENTS[client].filter(scope => scopes.length === 0 || scopes.includes(scope)).join(' ');
  json(response, 200, { access_token: token(client, resource, granted), token_type: 'Bearer', expires_in: 300, scope: granted });
};

http
  .createServer((request, response) => {
    const path = new URL(request.url, issuer).pathname;
    if (request.method === 'GET' && path === '/.well-known/oauth-authorization-server') {
      return json(response, 200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        code_challenge_methods_supported: ['S256'],
        scopes_supported: SCOPES
      });
    }
    if (request.method === 'GET' && path === '/keys') return json(response, 200, { keys: [key] });
    if (request.method !== 'POST' || path !== '/token') return json(response, 404, { error: 'not_found' });
    let body = '';
    request.on('data', chunk => (body += chunk));
    request.on('end', () => issue(request, response, new URLSearchParams(body)));
  })
  .listen(port, '127.0.0.1');
