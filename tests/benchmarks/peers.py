"""The senders that ours is measured beside: nodemailer's pool, and jinja2 + EmailMessage + aiosmtplib. Not a benchmark itself.

Both send what `digest.for_peers` wrote and keep no ledger: nothing of theirs is durable, which favours them. They send
WARM messages before they are measured. Prints {"wall", "cpu"} in seconds.

    node nodemailer.js FILE PORT COUNT SIGNED      python peers.py FILE PORT COUNT SIGNED
"""

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Any

import jinja2

CONNECTIONS, WARM = 10, 30
VERSION = "10.6.0"  # of nodemailer
BUILD = Path(__file__).resolve().parents[2] / "build" / "benchmarks"
NODE = """
const fs = require('fs'), { performance } = require('perf_hooks'), nodemailer = require('nodemailer');
const [file, port, count, signed] = process.argv.slice(2);
const given = JSON.parse(fs.readFileSync(file)), key = fs.readFileSync(given.key, 'utf8');
const pool = nodemailer.createTransport({
  pool: true, host: '127.0.0.1', port: +port, secure: false, ignoreTLS: true, maxConnections: CONNECTIONS, maxMessages: Infinity,
  dkim: signed === '1' ? { domainName: 'vien.example', keySelector: 's1', privateKey: key } : undefined });
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const filled = (parts, reader, way) => parts.map((part, n) => (n % 2 ? way(reader[part]) : part)).join('');
const html = given.html.split(/{{(\\w+)}}/), text = given.text.split(/{{(\\w+)}}/);
const one = (reader) => pool.sendMail({
  from: { name: given.from[0], address: given.from[1] }, to: { name: reader.subscriber_name, address: reader.email },
  subject: given.subject, text: filled(text, reader, (value) => value), html: filled(html, reader, escaped),
  envelope: { from: `b.${reader.id}@tra.vien.example`, to: reader.email }, messageId: `<${reader.id}@vien.example>`,
  headers: { 'List-Unsubscribe': { prepared: true, value: `<${reader.unsubscribe_url}>` },
             'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } });
async function send(readers) {
  let next = 0;
  const worker = async () => { while (next < readers.length) await one(readers[next++]); };
  await Promise.all(Array.from({ length: CONNECTIONS * 2 }, worker));
}
(async () => {
  await send(given.readers.slice(0, WARM));
  const before = process.cpuUsage(), start = performance.now();
  await send(given.readers.slice(0, +count));
  const wall = (performance.now() - start) / 1000, used = process.cpuUsage(before);
  console.log(JSON.stringify({ wall, cpu: (used.user + used.system) / 1e6 }));
  pool.close();
})();
""".replace("CONNECTIONS", str(CONNECTIONS)).replace("WARM", str(WARM))


def nodemailer() -> Path | None:
    """The script, with nodemailer installed beside it; None without node and npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    BUILD.mkdir(parents=True, exist_ok=True)
    if not (BUILD / "node_modules" / "nodemailer").exists():
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"nodemailer@{VERSION}"]
        subprocess.run(command, cwd=BUILD, check=True)
    script = BUILD / "nodemailer.js"
    script.write_text(NODE, encoding="utf-8")
    return script


class Naive:
    """Renders, builds and signs each message anew, as a first program would."""

    def __init__(self, given: dict[str, Any], signed: bool) -> None:
        made = jinja2.Environment(autoescape=True)
        self._html = made.from_string(given["html"])
        self._text = jinja2.Environment().from_string(given["text"])
        self._given, self._key = given, Path(given["key"]).read_bytes() if signed else b""

    def message(self, reader: dict[str, str]) -> bytes:
        given, made = self._given, EmailMessage(policy=SMTP)
        made["From"] = f"{given['from'][0]} <{given['from'][1]}>"
        made["To"] = f"{reader['subscriber_name']} <{reader['email']}>"
        made["Subject"], made["Date"] = given["subject"], formatdate()
        made["Message-ID"] = f"<{reader['id']}@vien.example>"
        made["List-Unsubscribe"] = f"<{reader['unsubscribe_url']}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        made.set_content(self._text.render(reader))
        made.add_alternative(self._html.render(reader), subtype="html")
        octets = made.as_bytes()
        return self._signature(octets) + octets if self._key else octets

    def _signature(self, octets: bytes) -> bytes:
        import dkim

        found: bytes = dkim.sign(octets, b"s1", b"vien.example", self._key, canonicalize=(b"relaxed", b"relaxed"))
        return found


async def _send(naive: Naive, port: int, readers: list[dict[str, str]]) -> None:
    import aiosmtplib

    left = iter(readers)

    async def one() -> None:
        line = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False)
        await line.connect()
        for reader in left:
            await line.sendmail(f"b.{reader['id']}@tra.vien.example", [reader["email"]], naive.message(reader))
        await line.quit()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))


def main() -> None:
    file, port, count, signed = sys.argv[1:]
    given = json.loads(Path(file).read_text(encoding="utf-8"))
    naive = Naive(given, signed == "1")
    asyncio.run(_send(naive, int(port), given["readers"][:WARM]))
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    asyncio.run(_send(naive, int(port), given["readers"][: int(count)]))
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
