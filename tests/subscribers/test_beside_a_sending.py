"""An import into people who are being mailed at the same time: on Postgres both hold rows, and must do so in one order."""

import random
import threading

import subscribers
from subscribers import SuppressionKey, import_people
from tests.conftest import NOW

KEY = SuppressionKey(b"k" * 32)


def test_an_import_that_fills_names_and_a_sending_do_not_block_each_other(db, tmp_path):
    if db.is_sqlite:
        return  # one writer at a time
    everybody = [f"doc{number}@thu.example" for number in range(1_500)]
    with db.begin() as conn:
        subscribers.create_list(conn, "tin", name="Tin", now=NOW)
    _import(db, tmp_path, everybody, "")
    with db.read() as conn:
        people = conn.exec_driver_sql("SELECT person_id FROM subscriptions").scalars().all()
    random.Random(4).shuffle(everybody)
    done, faults = threading.Event(), []

    def send() -> None:
        chooser = random.Random(5)
        while not done.is_set():
            try:
                with db.begin() as conn:
                    subscribers.not_mailable(conn, "tin", chooser.sample(people, 100), key=KEY)
            except Exception as error:
                faults.append(type(getattr(error, "orig", error)).__name__)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for one in senders:
        one.start()
    try:
        filled = _import(db, tmp_path, everybody, "Lê Thị Gặp")
    finally:
        done.set()
        for one in senders:
            one.join()
    assert filled.updated == len(everybody)
    assert faults == []


def _import(db, folder, everybody, name):
    path = folder / f"{len(name)}.csv"
    path.write_text("email,name\n" + "".join(f"{one},{name}\n" for one in everybody), encoding="utf-8")
    return import_people(db, path, list_slug="tin", key=KEY, now=NOW, consent="một tệp")
