"""`python -m tests.evals DATA` prints how well the product reads and summarises a data folder.

DATA holds `collect/` (articles.jsonl, meta_postlight.jsonl, synth_vi_articles.jsonl, feeds.jsonl and the files they
name), `summarise/` (one .jsonl a set: id, lang, title, text, reference; dup_vi_clusters.jsonl also time, cluster) and
`delivery/` (labels.jsonl and the messages it names; webhooks/requests.jsonl). What is missing is skipped with a line.
Tables go to standard output, all else to standard error.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.evals import bouncing, collecting, guarding, hooking, hostile, stories, summarising
from tests.evals.tables import Table, markdown


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)
    if not chosen.data.is_dir():
        _tell(f"{chosen.data}: there is no such folder (give the folder that holds collect/, summarise/ and delivery/)")
        return 2
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it reports odd HTML, which is what is measured here
    printed = 0
    try:
        for table in _tables(chosen):
            print(markdown(table), end="\n\n", flush=True)
            printed += 1
    except (OSError, ValueError, KeyError) as error:
        _tell(f"the data cannot be read: {type(error).__name__}: {error}")
        return 1
    return 0 if printed else 1


def _tables(chosen: argparse.Namespace) -> Iterator[Table]:
    pages, articles, returned = chosen.data / "collect", chosen.data / "summarise", chosen.data / "delivery"
    for folder in (pages, articles, returned):
        if not folder.is_dir():
            _tell(f"skipped: {folder} is not there")
    if pages.is_dir():
        yield from collecting.measure(pages, limit=chosen.limit, worst=chosen.worst, tell=_tell)
        yield from hostile.measure()
    if articles.is_dir():
        yield from summarising.measure(articles, limit=chosen.limit, tell=_tell)
        yield from guarding.measure(articles, limit=chosen.limit)
        yield from stories.measure(articles, limit=chosen.limit, tell=_tell)
    if returned.is_dir():
        yield from bouncing.measure(returned, limit=chosen.limit, worst=chosen.worst, tell=_tell)
        yield from hooking.measure(returned, limit=chosen.limit, worst=chosen.worst, tell=_tell)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evals", description="Quality tables for a data folder.")
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="the folder that holds collect/, summarise/ and delivery/"
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="read only the first N records of each set")
    parser.add_argument("--worst", type=_positive, default=0, metavar="N", help="name the N worst pages and feeds")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
