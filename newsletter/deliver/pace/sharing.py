"""How the tokens of one quota are divided among the processes that send. Pure.

Each process writes what it holds and what it could use; each sees all rows and computes the same fair shares. It takes from
what nobody holds and owes what it has too much. The sum of all rows never exceeds the quota, because both happen in one
transaction that excludes the others.
"""

from collections.abc import Collection, Mapping

from newsletter.store.pace import Share


def fair(quota: int, wants: Mapping[str, int]) -> dict[str, int]:
    """Shares that sum to `quota`: nobody gets more than they want while another wants more; what is left over is
    divided evenly."""
    shares = dict.fromkeys(wants, 0)
    left, hungry = quota, sorted(name for name, wanted in wants.items() if wanted > 0)
    while left > 0 and hungry:
        each, over = divmod(left, len(hungry))
        for at, name in enumerate(hungry):
            got = min(each + (at < over), wants[name] - shares[name])
            shares[name] += got
            left -= got
        hungry = [name for name in hungry if shares[name] < wants[name]]
    for at, name in enumerate(sorted(shares)):
        each, over = divmod(left, len(shares))
        shares[name] += each + (at < over)
    return shares


def divide(
    quota: int, me: str, *, held: int, wants: int, others: Collection[Share], gone: Collection[str]
) -> tuple[int, int]:
    """(take, owe) for `me`: rested tokens to take from the common store now, and how many to hand over.

    `gone`: the workers among `others` whose tokens have certainly rested since they were last used.
    """
    there = [share for share in others if share.worker not in gone]
    free = quota - held - sum(share.tokens for share in there)
    wanting = {share.worker: share.wants for share in there if share.wants > 0}
    share = fair(quota, {**wanting, me: max(wants, 1)})[me]
    return max(0, min(free, share - held)), max(0, held - share)
