"""siskin behind each proxy, with the configuration that is shipped for it; only addresses are put in their place.

Usage: cases.py ROOT SISKIN TRAEFIK [PART…]   Called by test.sh. Whether something comes at once is seen by order: the next event is
caused only after the last one has arrived, so that a proxy that holds anything back is stuck.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from urllib.parse import urljoin

import mcp
import scale
from mcp import Child, Exchange, Failed, Siskin, expect, free_port, in_session, initialize, message_of, ping, post, stateless

PARTS = ("nginx", "caddy", "haproxy", "traefik", "aws", "scale")
NAME = "mcp.example.org"
passed, failed = [], []


def cases_of(part):
    def case(name, run):
        try:
            run()
        except (Failed, OSError, KeyError, TypeError, ValueError) as error:
            failed.append(name)
            print(f"FAIL {part:<8} {name}: {type(error).__name__}: {error}", flush=True)
        else:
            passed.append(name)
            print(f"ok   {part:<8} {name}", flush=True)

    return case


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def shipped(root, path, *changes):
    """The shipped file with each (pattern, replacement) made; a pattern that is not there any more fails."""
    with open(os.path.join(root, "deploy", path)) as file:
        text = file.read()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, lambda _, to=replacement: to, text, flags=re.MULTILINE | re.DOTALL)
        expect(count > 0, f"{path} has no {pattern!r}")
    return text


def temp_paths(folder):
    return "".join(f"  {what}_temp_path {folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


def certificate(folder, name):
    paths = os.path.join(folder, "fullchain.pem"), os.path.join(folder, "privkey.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return paths


# --- the proxies: each gives a way to start it again, and the origin its clients see ------------------------------------------------


def nginx(root, folder, siskin):
    port = free_port()
    text = (
        f"worker_processes 1;\npid {folder}/nginx.pid;\ndaemon off;\nerror_log /dev/stderr warn;\nevents {{}}\nhttp {{\n"
        f"{temp_paths(folder)}  access_log off;\n  upstream siskin {{ server 127.0.0.1:{siskin.port}; keepalive 16; }}\n"
        f"  server {{\n    listen 127.0.0.1:{port};\n"
        f"    location /       {{ proxy_pass http://siskin;  include {root}/deploy/nginx/siskin.conf; }}\n"
        f"    location /tools/ {{ proxy_pass http://siskin/; include {root}/deploy/nginx/siskin.conf; }}\n  }}\n}}\n"
    )
    path = write(os.path.join(folder, "nginx.conf"), text)
    return lambda: Child(["nginx", "-c", path, "-p", folder, "-e", "stderr"], folder, "nginx", ready=mcp.accepts(port)), (
        None,
        "127.0.0.1",
        port,
    )


def caddy(root, folder, siskin):
    port = free_port()
    # Caddy would else open port 80 and its administration, and put its test authority into this machine's trust.
    head = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
    text = shipped(root, "caddy/Caddyfile")
    said = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, re.search(r"(\d+)\.(\d+)", said).groups())) < (2, 7):
        text = re.sub(r"request_buffers \S+", "buffer_requests", text)
    path = write(os.path.join(folder, "Caddyfile"), head + text)
    environment = {"MCP_HOST": f"https://localhost:{port}", "SISKIN": f"127.0.0.1:{siskin.port}"}
    command = ["caddy", "run", "--config", path, "--adapter", "caddyfile"]
    origin = ("localhost", "127.0.0.1", port)
    return lambda: Child(command, folder, "caddy", environment, passes_on(origin)), origin


def haproxy(root, folder, siskin):
    port = free_port()
    environment = {"MCP_BIND": f"127.0.0.1:{port}", "SISKIN": f"127.0.0.1:{siskin.port}"}
    command = ["haproxy", "-db", "-f", os.path.join(root, "deploy/haproxy/haproxy.cfg")]
    return lambda: Child(command, folder, "haproxy", environment, mcp.accepts(port)), (None, "127.0.0.1", port)


def passes_on(origin):
    """Whether a proxy is ready that listens before it is: Caddy makes its certificate then, Traefik reads its routes."""

    def is_ready(_):
        try:
            return Exchange(origin, "GET", "/health").status == 200
        except (OSError, Failed):
            return False

    return is_ready


def traefik(root, folder, siskin, program=None):
    web, port = free_port(), free_port()
    # No authority can be asked for a certificate here; Traefik then shows one of its own making.
    dynamic = shipped(
        root, "traefik/dynamic.yml", (r"\{ certResolver: letsencrypt \}", "{}"), (r"http://127\.0\.0\.1:8000", f"http://127.0.0.1:{siskin.port}")
    )
    static = shipped(
        root,
        "traefik/traefik.yml",
        (r'":80"', f'"127.0.0.1:{web}"'),
        (r'":443"', f'"127.0.0.1:{port}"'),
        (r"^certificatesResolvers:.*?\n\n", ""),
        (r"/etc/traefik/dynamic\.yml", write(os.path.join(folder, "dynamic.yml"), dynamic)),
    )
    path = write(os.path.join(folder, "traefik.yml"), static)

    origin = (NAME, "127.0.0.1", port)

    def start():
        return Child([program, f"--configFile={path}"], folder, "traefik", ready=passes_on(origin))

    start.web = web
    return start, origin


# --- the cases, alike for every proxy ------------------------------------------------------------------------------------------------


def sse(origin, path):
    exchange = Exchange(origin, "GET", path, {"Accept": "text/event-stream"})
    expect(exchange.status == 200, (exchange.status, path))
    expect(exchange.headers.get("content-type", "").startswith("text/event-stream"), exchange.headers)
    return exchange


def base(deny):
    return f"""[server]
allowed_hosts = ["{NAME}"]
[timeout]
sse_keepalive = "1s"
[tools]
deny = [{deny}]
"""


def run_proxy(part, root, binary, start_of):
    case = cases_of(part)
    with mcp.folder() as folder:
        # nginx's workers are nobody.
        os.chmod(folder, 0o755)
        siskin = Siskin(binary, folder, "siskin", base=base(""))
        children = [siskin]
        try:
            start, origin = start_of(root, folder, siskin)
            children.append(start())
            common(case, origin, siskin, children, start)
            if part == "traefik":
                case("http is led to https", lambda: redirected(start.web))
        except Failed as error:
            failed.append(part)
            print(f"FAIL {part:<8} {error}", flush=True)
        finally:
            for child in reversed(children):
                child.stop()


def reload(siskin, deny):
    """Another list of tools; back once siskin has it."""
    before = siskin.log().count("reloaded: ")
    write(siskin.base, base(deny))
    siskin.process.send_signal(signal.SIGHUP)
    siskin.wait(lambda child: child.log().count("reloaded: ") > before)


def common(case, origin, siskin, children, start):
    def health():
        answer = Exchange(origin, "GET", "/health")
        expect(answer.status == 200, (answer.status, answer.body()))

    def at_once():
        stream = sse(origin, "/api/mcp/v1/sse")
        expect(stream.event()[0] == "connected", "no `connected`")
        for n in range(8):
            answer = Exchange(origin, "POST", "/api/mcp/v1/events", {}, {"event": "build", "data": n})
            expect(answer.status == 200, (answer.status, answer.body()))
            name, data, _ = stream.event()
            expect((name, data) == ("build", str(n)), (name, data))
        stream.close()

    def http_sse(below):
        def run():
            path = f"{below}/sse/"
            stream = sse(origin, path)
            name, endpoint, _ = stream.event()
            expect(name == "endpoint" and not endpoint.startswith("/"), (name, endpoint))
            # As a client does it: against the address it opened.
            target = urljoin(f"http://x{path}", endpoint).removeprefix("http://x")
            expect(target.startswith(f"{below}/messages/?"), target)
            for id in (1, 2, 3):
                answer = Exchange(origin, "POST", target, {}, ping(id))
                expect(answer.status == 202, (answer.status, answer.body()))
                expect(message_of(stream.event()[1])["id"] == id, "another answer")
            stream.close()

        return run

    def keepalive():
        stream = sse(origin, "/sse/")
        stream.event()
        stream.comment()
        stream.comment()
        stream.close()

    def post_stream(deny):
        def run():
            answer = stateless(origin, 7, "subscriptions/listen", {"notifications": {"toolsListChanged": True}})
            expect(answer.status == 200, answer.status)
            acknowledged = message_of(answer.event()[1])
            expect(acknowledged["method"] == "notifications/subscriptions/acknowledged", acknowledged)
            reload(siskin, deny)
            changed = message_of(answer.event()[1])
            expect(changed["method"] == "notifications/tools/list_changed", changed)
            answer.close()

        return run

    def below():
        session, _ = initialize(origin, "/tools/mcp")
        answer = post(origin, "/tools/mcp", ping(5), in_session(session))
        expect(answer.status == 200 and message_of(answer.body())["id"] == 5, answer.status)

    def resume():
        session, _ = initialize(origin)
        headers = in_session(session) | {"Accept": "text/event-stream"}
        stream = Exchange(origin, "GET", "/mcp", headers)
        expect(stream.status == 200, stream.status)
        _, _, last = stream.event()
        expect(last, "the stream has no first id")
        children.pop().stop()
        while stream.line() is not None:
            pass
        # Said while nobody can hear it.
        reload(siskin, '"net_check"')
        children.append(start())
        answer = post(origin, "/mcp", ping(6), in_session(session))
        expect(answer.status == 200, ("the session is lost", answer.status))
        stream = Exchange(origin, "GET", "/mcp", headers | {"Last-Event-ID": last})
        expect(stream.status == 200, (stream.status, stream.body() if stream.status != 200 else ""))
        while not (event := stream.event() or (None, "the stream ended", None))[1]:
            pass
        expect(message_of(event[1])["method"] == "notifications/tools/list_changed", event)
        stream.close()

    case("health", health)
    case("each event arrives before the next is caused", at_once)
    case("HTTP+SSE: endpoint, messages, answers", http_sse(""))
    case("HTTP+SSE below /tools/", http_sse("/tools"))
    case("Streamable HTTP below /tools/", below)
    case("keep-alive comments cross", keepalive)
    case("POST stream: events while it is open", post_stream('"device_cpu"'))
    case("resume after a restart of the proxy, nothing missed", resume)
    case("a body too long is refused by siskin, which names the key", lambda: too_long(origin))


def too_long(origin):
    """A client that sends its whole body before it reads. The proxy has the answer while it still sends: a race, so there are many."""
    head = {"Content-Length": "1500000", "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    for n in range(40):
        answer = Exchange(origin, "POST", "/mcp", head, raw=b" " * 1_500_000)
        text = answer.body()
        expect(answer.status == 413 and "limits.body_bytes" in text, (n, answer.status, text))
        answer.close()


def redirected(port):
    answer = Plain(port)
    expect(answer.status in (301, 302, 307, 308), answer.status)
    expect(answer.headers["location"].startswith(f"https://{NAME}"), answer.headers)


class Plain(Exchange):
    """A request without TLS under the site's name."""

    def __init__(self, port):
        super().__init__((None, "127.0.0.1", port), "GET", "/health", {"Host": NAME})


# --- the configuration of the AWS deployment guide -----------------------------------------------------------------------------------


def run_aws(root, binary):
    case = cases_of("aws")
    with mcp.folder() as folder:
        os.chmod(folder, 0o755)
        environment = {"AWS_DOCUMENTATION_PARTITION": "aws", "FASTMCP_TRANSPORT": "sse", "APP_TOOLS__DEVICE": "false"}
        environment["APP_SERVER__ALLOWED_HOSTS"] = NAME
        siskin = Siskin(binary, folder, "siskin", environment=environment)
        port, tls_port = free_port(), free_port()
        fullchain, privkey = certificate(folder, NAME)
        text = shipped(
            root,
            "aws-documentation/nginx.conf",
            (r"aws-documentation-mcp-sse:8000", f"127.0.0.1:{siskin.port}"),
            (r"listen 80;", f"listen 127.0.0.1:{port};"),
            (r"pid /run/nginx.pid;", f"pid {folder}/nginx.pid;\ndaemon off;"),
            (r"^http \{\n", f"http {{\n{temp_paths(folder)}"),
            # The block for TLS is opened as its comment says.
            (r"^    # server \{", "    server {"),
            (r"^    #     listen 443 ssl;", f"        listen 127.0.0.1:{tls_port} ssl;"),
            (r"^    #     server_name", "        server_name"),
            (r"^    #     ssl_certificate     /etc/nginx/certificates/fullchain.pem;", f"        ssl_certificate {fullchain};"),
            (r"^    #     ssl_certificate_key /etc/nginx/certificates/privkey.pem;", f"        ssl_certificate_key {privkey};"),
            (r"^    #     ssl_protocols", "        ssl_protocols"),
        )
        location = re.search(r"^        location ~.*?^        \}\n", text, re.MULTILINE | re.DOTALL)
        text, count = re.subn(r"^    # \}\n", lambda _: f"{location[0]}    }}\n", text, flags=re.MULTILINE)
        path = write(os.path.join(folder, "nginx.conf"), text)
        proxy = None
        try:
            expect(count == 1, "the block for TLS has no end")
            proxy = Child(["nginx", "-c", path, "-p", folder, "-e", "stderr"], folder, "nginx", ready=mcp.accepts(port))
            plain, tls = (None, "127.0.0.1", port), (NAME, "127.0.0.1", tls_port)

            def guide(origin):
                def run():
                    stream = sse(origin, "/sse/")
                    name, endpoint, _ = stream.event()
                    expect(name == "endpoint", name)
                    path = urljoin("http://x/sse/", endpoint).removeprefix("http://x")
                    answer = Exchange(origin, "POST", path, {}, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
                    expect(answer.status == 202, answer.status)
                    expect("search_documentation" in stream.event()[1], "no tools of the documentation")

                return run

            def preflight():
                headers = {
                    "Origin": "https://app.example.com",
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "content-type,mcp-session-id",
                }
                answer = Exchange(plain, "OPTIONS", "/messages/", headers)
                expect(answer.status == 204, answer.status)
                expect(answer.headers.get("access-control-allow-origin") == "*", answer.headers)
                allowed = answer.headers["access-control-allow-headers"].lower()
                expect("content-type" in allowed and "mcp-session-id" in allowed, allowed)
                expect("POST" in answer.headers["access-control-allow-methods"], answer.headers)

            def of_a_page():
                answer = Exchange(plain, "POST", "/messages/", {"Origin": "https://app.example.com"}, {"method": "tools/list"})
                text = answer.body()
                expect(answer.status == 200 and "read_documentation" in text, (answer.status, text))
                expect(answer.headers.get("access-control-allow-origin") == "*", answer.headers)

            def not_direct():
                # What nginx's leave is for: siskin itself refuses pages of other origins.
                answer = Exchange(siskin.origin, "POST", "/messages/", {"Origin": "https://app.example.com"}, {"method": "tools/list"})
                expect(answer.status == 403, answer.status)

            def else_where():
                answer = Exchange(plain, "GET", "/api/mcp/v1/tools")
                expect(answer.status == 404, answer.status)

            case("the guide's stream and messages", guide(plain))
            case("CORS: preflight", preflight)
            case("CORS: a page of any origin may post and read", of_a_page)
            case("CORS: without nginx it may not", not_direct)
            case("only the guide's paths are let through", else_where)
            case("TLS: the block opened as its comment says", guide(tls))
        except Failed as error:
            failed.append("aws")
            print(f"FAIL aws      {error}", flush=True)
        finally:
            for child in (proxy, siskin):
                if child:
                    child.stop()


def main():
    root, binary, traefik_program, *wanted = sys.argv[1:]
    for name in wanted:
        if name not in PARTS:
            sys.exit(f"there is no part `{name}`; there are: {', '.join(PARTS)}")
    for part in wanted or PARTS:
        if part == "scale":
            scale.run(root, binary, cases_of("scale"))
        elif part == "aws":
            run_aws(root, binary)
        elif part == "traefik":
            if not traefik_program:
                print("--   traefik  cannot be had here")
                continue
            run_proxy(part, root, binary, lambda *of: traefik(*of, program=traefik_program))
        elif shutil.which(part):
            run_proxy(part, root, binary, {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}[part])
        else:
            print(f"--   {part:<8} cannot be had here")
    print(f"{len(passed)} passed, {len(failed)} failed")
    sys.exit(1 if failed or not passed else 0)


main()
