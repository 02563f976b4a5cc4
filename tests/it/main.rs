//! The integration tests: the real programs as child processes, spoken to by pipes and sockets.
//!
//! ```text
//!   support      the server on a port of its own, raw HTTP, event streams, an MCP client
//!   fakes        the services that packs speak to, one file each
//!   smoke        each way in, once: if this fails, look here first
//!   transcripts  conversations replayed over every transport that carries their revision
//!   messages     single messages at the edge of JSON-RPC, as bytes: ids, notifications, errors
//!   batches      where batches are taken, how they are answered, how long they may be
//!   sessions     sessions of /mcp and their streams: ids, DELETE, expiry, resuming, polling
//!   http_sse     sessions of HTTP+SSE
//!   cancellation by notification everywhere, by closing the stream in 2026-07-28 only
//!   subscriptions  what a client hears unasked: listen streams, GET streams, stdio
//!   concurrency  a slow tool delays nobody; old and new clients at the same time
//!   crowd        who makes room, and who does not, when all connections are taken
//!   features     pagination, completion, log levels, mirrored headers
//!   wire         HTTP/1.1 framing: what belongs to which request, what ends a connection
//!   sse          event streams on the wire
//!   limits       each limit and deadline at n-1, n and n+1, with its counter
//!   ceiling      every limit filled at once, and the memory that takes
//!   auth         tokens, scopes, refusals
//!   rates        how often one may ask and guess, and who asks behind a proxy
//!   jwt          tokens of an issuer: signatures, claims, keys that change, metadata for clients
//!   tls          TLS on our own listeners, and certificates of clients
//!   browser_rules  Host, Origin, CORS, and JSON on every error
//!   reload       the configuration read again
//!   metrics      what an operator sees: metrics, logs, health, which port serves what
//!   aws_docs     the AWS documentation tools against recorded answers of the reference
//!   seeds        the endpoints and examples of the two servers this one replaces
//!   signals      how a server ends
//!   state        what outlives the process
//!   deploy       what the files of `deploy` say of siskin: metrics, variables
//!   supervised   under a service manager: handed over sockets, readiness, the watchdog
//!   fuzz_seeds   each fuzz target over its seeds: what fuzzing found stays found
//!   attacks_*    what an attacker would try, and what is left behind: `tests/robustness/README.md` lists which is where
//!   packs        the shipped packs as files: checked, annotated, complete
//!   homelab      one siskin in front of eleven services at once: probes, secrets
//!   services     packs of one's own, policy, checks, readiness, reloads
//!   services_tls  services behind HTTPS: whom a certificate convinces
//!   pack_files   packs of one's own: begun, checked, tried, replaced; what `check` and /ready say of services
//!   tools_*      the tools of one pack over the real binary, against its fake
//! ```

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests are not known as such to clippy"
)]

#[cfg(feature = "packs")]
mod fakes;
mod support;

mod attacks_http;
mod attacks_jsonrpc;
mod attacks_lifecycle;
#[cfg(feature = "packs")]
mod attacks_outbound;
mod attacks_resources;
#[cfg(feature = "packs")]
mod attacks_secrets;
#[cfg(feature = "packs")]
mod attacks_tools;
mod auth;
#[cfg(feature = "aws")]
mod aws_docs;
mod batches;
mod browser_rules;
mod cancellation;
#[cfg(feature = "packs")]
mod ceiling;
mod concurrency;
mod crowd;
#[cfg(feature = "packs")]
mod deploy;
mod features;
mod fuzz_seeds;
#[cfg(feature = "packs")]
mod homelab;
mod house;
mod http_sse;
#[cfg(feature = "http-types")]
mod http_types;
mod interop;
#[cfg(feature = "jwt")]
mod jwt;
mod limits;
mod messages;
mod rates;
mod sessions;
mod smoke;
mod sse;
mod subscriptions;
#[cfg(feature = "tls")]
mod tls;
mod transcripts;
mod wire;

mod metrics;
#[cfg(feature = "packs")]
mod pack_files;
#[cfg(feature = "packs")]
mod packs;
mod reload;
mod seeds;
#[cfg(feature = "packs")]
mod services;
#[cfg(all(feature = "packs", feature = "tls"))]
mod services_tls;
mod signals;
mod state;
mod supervised;

#[cfg(feature = "packs")]
mod tools_adguard;
#[cfg(feature = "packs")]
mod tools_gitea;
#[cfg(feature = "packs")]
mod tools_grafana;
#[cfg(feature = "packs")]
mod tools_home_assistant;
#[cfg(feature = "packs")]
mod tools_immich;
#[cfg(feature = "packs")]
mod tools_jellyfin;
#[cfg(feature = "packs")]
mod tools_node_red;
#[cfg(feature = "packs")]
mod tools_ntfy;
#[cfg(feature = "packs")]
mod tools_paperless;
#[cfg(feature = "packs")]
mod tools_pihole;
#[cfg(feature = "packs")]
mod tools_portainer;
#[cfg(feature = "packs")]
mod tools_prometheus;
#[cfg(feature = "packs")]
mod tools_proxmox;
#[cfg(feature = "packs")]
mod tools_silverbullet;
#[cfg(feature = "packs")]
mod tools_uptime_kuma;
#[cfg(feature = "packs")]
mod tools_vikunja;
