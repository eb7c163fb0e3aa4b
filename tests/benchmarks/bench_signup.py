"""Genuine sign-ups while somebody floods the form as fast as one core of wrk can (wrk is installed when missing).

    python tests/benchmarks/bench_signup.py [--seconds 30]

A real `newsletter serve` on loopback, told that 127.0.0.1 is its proxy, so that X-Forwarded-For says who asks. Three
floods in turn: from one network without a ticket; from one network with a genuine ticket and its work, sent again and again
for other addresses; from a new network with every request. Beside each, eight people from addresses of their own open the
form, do its work, wait as people do, and send it. Printed: what wrk got through, and how long the people's requests took
together (page and sending, without their own work and waiting). Checked: everybody genuine is pending afterwards, and
nobody whom the floods named in the first and the third, and the ticket of the second served one address.
"""

import argparse
import hashlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import sqlalchemy as sa

from tests.benchmarks.tools import need

CONFIG = """base_url = "http://news.example"
[web]
host = "127.0.0.1"
port = {port}
proxies = ["127.0.0.1"]
[sender]
address = "bantin@vien.example"
[log]
level = "error"
"""
SITE = """
[[lists]]
slug = "ban-doc"
name = "Bạn đọc"
[[newsletters]]
slug = "ban-tin"
name = "Bản tin"
languages = ["vi"]
list = "ban-doc"
sources = []
cron = "0 8 1 1 *"
timezone = "Asia/Ho_Chi_Minh"
"""
FLOOD = """
local n = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
function request()
  n = n + 1
  wrk.headers["X-Forwarded-For"] = {network}
  return wrk.format(nil, nil, nil, "email=nan-nhan" .. n .. "%40so" .. n .. ".example&website=&{more}")
end
"""
ONE, OTHER, MANY = (
    '"198.51.100.7"',
    '"198.51.100.8"',
    'string.format("198.%d.%d.7", 18 + n % 2, math.floor(n / 2) % 256)',
)
PATH = "/subscribe/ban-doc?lang=vi"
PEOPLE = 8


def ask(port: int, network: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"X-Forwarded-For": network}
    if form is None:
        connection.request("GET", PATH, headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", PATH, urlencode(form), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def worked(text: str) -> dict[str, str]:
    """The fields that a browser sends: the ticket of the form, and the work done for it."""
    found = re.search(r'name="ticket" value="([^"]*)"', text)
    assert found is not None, text[:300]
    ticket = found[1]
    for n in count():
        if int.from_bytes(hashlib.sha256(f"{ticket}:{n}".encode()).digest()[:8], "big") >> 48 == 0:
            return {"ticket": ticket, "solution": str(n), "website": ""}
    raise AssertionError


def person(port: int, number: int, until: float, took: list[float], joined: list[str]) -> None:
    """One genuine reader after another, each from a network of their own."""
    for turn in count():
        if time.monotonic() >= until:
            return
        network, email = f"203.0.{number}.{turn + 1}", f"doc-gia-{number}-{turn}-{int(until)}@gmail.com"
        start = time.monotonic()
        _, text = ask(port, network)
        shown = time.monotonic() - start
        form = worked(text)
        time.sleep(2.2)  # sooner is taken for a program
        start = time.monotonic()
        status, text = ask(port, network, {"email": email, **form})
        took.append(shown + time.monotonic() - start)
        if status == 200 and "hộp thư" in text:
            joined.append(email)


def flood(port: int, folder: Path, *, network: str, more: str, seconds: int) -> str:
    script = folder / "flood.lua"
    script.write_text(FLOOD.format(network=network, more=more))
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}{PATH}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return rate[1] if rate else said


def pending(database: Path) -> set[str]:
    with sa.create_engine(f"sqlite:///{database}").connect() as conn:
        query = "SELECT address_local || '@' || address_domain FROM people WHERE address_local IS NOT NULL"
        return set(conn.execute(sa.text(query)).scalars())


def round_of(name: str, port: int, folder: Path, *, network: str, more: str, seconds: int) -> None:
    database = folder / "data" / "newsletter.db"
    before = pending(database)
    took: list[float] = []
    joined: list[str] = []
    until = time.monotonic() + seconds
    people = [threading.Thread(target=person, args=(port, n, until, took, joined)) for n in range(PEOPLE)]
    for thread in people:
        thread.start()
    rate = flood(port, folder, network=network, more=more, seconds=seconds)
    for thread in people:
        thread.join()
    new = pending(database) - before
    took.sort()
    p95 = took[int(len(took) * 0.95)] if took else float("nan")
    print(
        f"| {name} | {rate} | {len(took)} | {len(joined)} | {median(took):.2f} | {p95:.2f} | {len(new - set(joined))} |",
        flush=True,
    )
    assert set(joined) <= new, "somebody genuine is not there"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=int, default=30)
    seconds = asked.parse_args().seconds
    need("wrk", "wrk")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        port = free_port()
        (folder / "newsletter.toml").write_text(CONFIG.format(port=port))
        (folder / "site.toml").write_text(SITE)
        command = [sys.executable, "-m", "newsletter", "--config", str(folder / "newsletter.toml")]
        for verb in (["migrate"], ["apply", str(folder / "site.toml")]):
            subprocess.run([*command, *verb], check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen([*command, "serve"], stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            print(
                f"load {os.getloadavg()[0]:.1f}; {seconds} s each, 64 connections of one wrk thread, {PEOPLE} people beside"
            )
            print("| flood | requests/s | genuine sign-ups | done | median s | p95 s | others stored |")
            print("|---|---|---|---|---|---|---|")
            alone(port, seconds=min(seconds, 10))
            round_of("one network, no ticket", port, folder, network=ONE, more="", seconds=seconds)
            form = worked(ask(port, "198.51.100.9")[1])
            spent = urlencode({"ticket": form["ticket"], "solution": form["solution"]})
            time.sleep(2.2)
            round_of(
                "one network, one ticket again and again", port, folder, network=OTHER, more=spent, seconds=seconds
            )
            round_of("512 networks, no ticket", port, folder, network=MANY, more="", seconds=seconds)
        finally:
            server.terminate()
            server.wait(30)


def alone(port: int, *, seconds: int) -> None:
    """The people without a flood, for comparison."""
    took: list[float] = []
    joined: list[str] = []
    until = time.monotonic() + seconds
    people = [threading.Thread(target=person, args=(port, n + 100, until, took, joined)) for n in range(PEOPLE)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    took.sort()
    print(
        f"| none | – | {len(took)} | {len(joined)} | {median(took):.2f} | {took[int(len(took) * 0.95)]:.2f} | – |",
        flush=True,
    )


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            ask(port, "203.0.113.250")
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the server did not start")


if __name__ == "__main__":
    main()
