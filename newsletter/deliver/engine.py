"""The engine of one machine: more sender processes beside this one, when there is enough to send.

Each helper is a process that does what `deliver.run` does: the ledger's claims keep them apart, its leases and locks tell
when one died. Two threads of RSA signing use one core (facts: they gained nothing), so more cores need more processes.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.context import SpawnProcess
from threading import Event

from newsletter.log import get_logger
from newsletter.settings import Settings

log = get_logger("deliver")

WORTH = 2_000  # deliveries due for each further process: starting one takes about two seconds
LOOK = 0.2  # seconds between two looks at whether all have ended


class Local:
    """`processes` together with the one that asks. `sender` is what a helper runs, in a fresh interpreter."""

    def __init__(
        self, settings: Settings, sender: Callable[[Settings], None], stopping: Event, *, worth: int = WORTH
    ) -> None:
        self._settings, self._sender, self._stopping, self._worth = settings, sender, stopping, worth

    @property
    def worth_counting(self) -> int:
        return (self._settings.engine.processes - 1) * self._worth

    def start(self, due: int) -> "Helpers":
        """As many helpers as `due` deliveries are worth."""
        number = min(self._settings.engine.processes - 1, due // self._worth)
        context = multiprocessing.get_context("spawn")  # a fork would share the database's connections
        started = [
            context.Process(target=self._sender, args=(self._settings,), name=f"sender-{n + 2}") for n in range(number)
        ]
        for process in started:
            process.start()
        if started:
            log.info("helpers_started", count=number)
        return Helpers(started, self._stopping)


class Helpers:
    def __init__(self, processes: Sequence[SpawnProcess], stopping: Event) -> None:
        self._processes, self._stopping = processes, stopping

    def wait(self) -> bool:
        """Until all have ended; asked to stop, they finish what is in flight. Whether one died with rows in its hands."""
        told = False
        while any(process.is_alive() for process in self._processes):
            if self._stopping.is_set() and not told:
                told = True
                for process in self._processes:
                    process.terminate()  # SIGTERM: the helper claims nothing more
            for process in self._processes:
                process.join(LOOK / len(self._processes))
        died = [process for process in self._processes if process.exitcode]
        for process in died:
            log.error("helper_died", helper=process.name, code=process.exitcode)
        return bool(died)
