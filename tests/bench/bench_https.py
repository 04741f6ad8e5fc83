# SPDX-License-Identifier: MIT
"""HTTPS beside nginx: full handshakes and one answer each, in turns."""
import json
import os
import pathlib
import pwd
import shutil
import socket
import ssl
import subprocess

from bench_host import path_of, tree_cpu_s, wait_for
from bench_table import percentile

CONNECTIONS, TURNS, TURN_S = 64, 4, 3
KEPT_REQUESTS = 3000
TARGET = "/serverinfo?uniqueid=0123456789ABCDEF"

CONFIGURATION = """
worker_processes 1;
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    server_tokens off;
    types {{ application/xml xml; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets off;
        root {folder}/files;
    }}
}}
"""


def size_of_answer(port):
    """Of what Perigee answers, so that nginx has as many bytes to send."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        with context.wrap_socket(plain) as tls:
            tls.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while chunk := tls.recv(65536):
                answer += chunk
    return len(answer.split(b"\r\n\r\n", 1)[1])


def start_nginx(host, folder, port, size):
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "serverinfo").write_bytes(b"x" * size)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=bench", "-keyout", folder / "key.pem",
                    "-out", folder / "certificate.pem"], check=True, capture_output=True)
    user = f"user {pwd.getpwuid(os.getuid()).pw_name};" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, user=user))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def accepts():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    wait_for("nginx", 5, accepts)
    return process


def load(host, *words):
    line = [path_of(host, "bench_https"), *map(str, words)]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def fresh(host, port):
    return load(host, "fresh", port, TARGET, CONNECTIONS, TURN_S)


def measure(host, table, options):
    https = host.port - 5
    folder = pathlib.Path(host.folder) / "nginx"
    nginx_port = host.port + 30
    nginx = start_nginx(host, folder, nginx_port, size_of_answer(https))
    try:
        servers = (("ours", https, host.process.pid), ("nginx", nginx_port, nginx.pid))
        rates, costs = {"ours": [], "nginx": []}, {"ours": [], "nginx": []}
        failures = 0
        for _ in range(TURNS):
            for name, port, pid in servers:
                before = tree_cpu_s(pid)
                result = fresh(host, port)
                rates[name].append(result["per_s"])
                costs[name].append((tree_cpu_s(pid) - before) / max(result["answers"], 1) * 1e6)
                failures += result["failures"]
    finally:
        nginx.terminate()
        nginx.wait()
    ours, theirs = percentile(rates["ours"], 50), percentile(rates["nginx"], 50)
    ratio = ours / theirs
    table.add("HTTPS handshake and serverinfo, beside nginx", ">= 0.9",
              f"{ratio:.2f} ({ours:.0f} and {theirs:.0f} a second, {failures} failed)",
              ratio >= 0.9)
    ours, theirs = percentile(costs["ours"], 50), percentile(costs["nginx"], 50)
    table.add("  CPU of the server for one, all its processes", "",
              f"{ours:.0f} us, nginx {theirs:.0f} us")
    kept = load(host, "kept", https, TARGET, KEPT_REQUESTS)
    table.add_below("serverinfo on a kept connection, p99", 2, kept["p99_us"] / 1000, "ms",
                    f" (p50 {kept['p50_us'] / 1000:.3f}, n {kept['answers']}, "
                    f"status {kept['status']})")
