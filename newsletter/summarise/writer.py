"""Asks a language model for a summary: any endpoint that answers as OpenAI's chat completions do. Touches no row.

An option, off by default. Must never be given an article that holds an order to a machine, repeat a request whose answer
was no use more than once, or hold up a run: an endpoint that keeps failing is left alone for the rest of it.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.errors import NewsletterError
from newsletter.http import Fetcher, Posted
from newsletter.log import get_logger
from newsletter.model import Article, ModelUse, Summary, SummaryOrigin
from newsletter.settings import Model
from newsletter.summarise import prompt
from newsletter.summarise.patterns import has_injection

log = get_logger("summarise")

ANSWERS = 2  # the first, and one more with the guard's reasons
REFUSES_US = (401, 403, 404)  # the key, the address or the model's name is wrong: nobody's turn will end better
# What an endpoint may not know, and what it is asked for instead (None: it is left out). Learned from its own refusal.
_OPTIONAL = {"response_format": None, "max_tokens": "max_completion_tokens", "temperature": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of asking. Without a summary, `why` says in a few words why not; `use` is None when nobody was asked."""

    summary: Summary | None = None
    why: str = ""
    use: ModelUse | None = None


class _NoAnswer(NewsletterError):
    """The endpoint gave nothing to read. `for_all`: it would be no better for another article."""

    def __init__(self, what: str, *, for_all: bool = False) -> None:
        super().__init__(what)
        self.for_all = for_all


@dataclass(slots=True)
class _Meter:
    tries: int = 0
    seconds: float = 0.0
    tokens_in: int | None = None
    tokens_out: int | None = None

    def add(self, body: Any) -> None:
        read, written = prompt.read_tokens(body)
        self.tokens_in = _sum(self.tokens_in, read)
        self.tokens_out = _sum(self.tokens_out, written)


class Writer:
    """Serves one run; `write` may be called from several threads. `tell` gets the one line when the endpoint is given up.

    `stopping`: set when the service ends; then nothing more is asked. `clock`: monotonic seconds.
    """

    def __init__(
        self,
        settings: Model,
        fetcher: Fetcher,
        *,
        tell: Callable[[str], None] = lambda line: None,
        stopping: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._fetcher, self._tell, self._clock = settings, fetcher, tell, clock
        self._stopping = stopping or threading.Event()
        self._until = clock() + settings.run_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._alone = ""  # why it is left alone
        self._spared: set[str] = set()  # optional parameters that it does not know

    def write(self, article: Article) -> Written:
        """A summary that passed the guard, or why there is none. Never raises for what the endpoint does."""
        if any(has_injection(part) for part in (article.title, article.standfirst or "", article.text)):
            return Written(why="the article holds an order to a machine")
        if self._clock() >= self._until:
            self._leave_alone(
                f"the endpoint is left alone for this run: its {self._settings.run_seconds:.0f} s are used up"
            )
        if self._alone:
            return Written(why=self._alone)
        meter = _Meter()
        try:
            summary, why = self._ask(article, meter)
            self._worked()
        except _NoAnswer as error:
            summary, why = None, error.what
            self._failed(error)
        use = ModelUse(
            model=self._settings.name,
            tries=meter.tries,
            seconds=round(meter.seconds, 3),
            tokens_in=meter.tokens_in,
            tokens_out=meter.tokens_out,
        )
        return Written(summary=summary, why=why, use=use)

    def _ask(self, article: Article, meter: _Meter) -> tuple[Summary | None, str]:
        mark = secrets.token_hex(8)
        first = asked = prompt.messages(article, mark)
        reasons: Sequence[str] = ()
        for _ in range(ANSWERS):
            if self._stopping.is_set():
                raise _NoAnswer("the service is stopping")
            answer = self._complete(asked, meter)
            said = prompt.read_summary(answer)
            if said is None:
                reasons = ("no JSON object with a summary",)
            else:
                verdict = prompt.judge(said, article, first, mark)
                if verdict.ok:
                    sentences = prompt.sentences_of(said, article, SummaryOrigin.MODEL)
                    return Summary(text=said, origin=SummaryOrigin.MODEL, sentences=sentences, guard=verdict), ""
                reasons = verdict.reasons
            asked = prompt.again(first, answer, reasons)
        return None, f"the guard refused its words: {'; '.join(reasons)}"

    # ------------------------------------------------------------ the endpoint

    def _complete(self, asked: Sequence[prompt.Message], meter: _Meter) -> str:
        """The model's text. Raises _NoAnswer."""
        for _ in range(len(_OPTIONAL) + 1):
            payload = self._payload(asked)
            posted = self._post(payload, meter)
            if posted.status == 200:
                meter.add(posted.json)
                answer = prompt.read_answer(posted.json)
                if answer is None:
                    raise _NoAnswer("its answer is no chat completion")
                return answer
            unknown = _unknown_in(posted, payload)
            if not unknown:
                raise _refusal(posted)
            with self._lock:
                self._spared |= unknown
        raise _NoAnswer("it knows none of what it is asked for", for_all=True)

    def _post(self, payload: Mapping[str, Any], meter: _Meter) -> Posted:
        key = self._settings.api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        began = self._clock()
        meter.tries += 1
        try:
            return self._fetcher.post_json(
                self._settings.endpoint, payload, headers=headers, timeout=self._settings.timeout
            )
        except NewsletterError as error:
            raise _NoAnswer(error.what) from error
        finally:
            meter.seconds += self._clock() - began

    def _payload(self, asked: Sequence[prompt.Message]) -> Mapping[str, Any]:
        values = {
            "response_format": {"type": "json_object"},
            "max_tokens": self._settings.max_tokens,
            "temperature": 0,
        }
        names = {name: _OPTIONAL[name] if name in self._spared else name for name in values}
        known = {name: values[old] for old, name in names.items() if name is not None}
        return {"model": self._settings.name, "messages": list(asked), "stream": False, **known}

    # ------------------------------------------------------------ its health

    def _worked(self) -> None:
        with self._lock:
            self._failures = 0

    def _failed(self, error: _NoAnswer) -> None:
        with self._lock:
            self._failures += 1
            failures = self._failures
        if error.for_all:
            self._leave_alone(f"the endpoint is left alone for this run: {error.what}")
        elif failures >= self._settings.give_up_after:
            why = f"the endpoint is left alone for this run after {failures} failures in a row: {error.what}"
            self._leave_alone(why)

    def _leave_alone(self, why: str) -> None:
        """Says it once, whichever thread comes first."""
        with self._lock:
            if self._alone:
                return
            self._alone = why
        log.warning("model_left_alone", model=self._settings.name, reason=why)
        self._tell(f"model {self._settings.name}: {why}")


def _unknown_in(posted: Posted, sent: Mapping[str, Any]) -> set[str]:
    """The optional parameters that were sent and that a refusal names."""
    return (
        {name for name in _OPTIONAL if name in sent and name in posted.text} if posted.status in (400, 422) else set()
    )


def _refusal(posted: Posted) -> _NoAnswer:
    if posted.status == 429 and posted.retry_after:
        return _NoAnswer(f"it asks to wait {posted.retry_after:.0f} s (429)", for_all=True)
    return _NoAnswer(f"it answered {posted.status}", for_all=posted.status in REFUSES_US)


def _sum(known: int | None, more: int | None) -> int | None:
    return known if more is None else (known or 0) + more
