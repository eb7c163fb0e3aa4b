"""Fitting the weights of linear models, with numpy alone. Pure: arrays in, weights out; no randomness."""

from collections.abc import Sequence

from newsletter.summarise.arrays import Floats, Integers, np


def logistic(signs: Floats, share: Floats, importance: Floats, *, ridge: float = 3.0, rounds: int = 12) -> Floats:
    """Weights of a logistic regression by Newton's method. `share`: the true probability of each row, 0 to 1."""
    weights = np.zeros(signs.shape[1])
    for _ in range(rounds):
        said = 1 / (1 + np.exp(-signs @ weights))
        slope = signs.T @ (importance * (said - share)) + ridge * weights
        curve = (signs * (importance * said * (1 - said))[:, None]).T @ signs
        weights -= np.linalg.solve(curve + ridge * np.eye(len(weights)), slope)
    return weights


def choosing(
    groups: Sequence[tuple[Floats, Floats]],
    importance: Floats,
    *,
    sharpness: float = 12.0,
    ridge: float = 1e-3,
    rounds: int = 250,
) -> Floats:
    """Weights by which the best row of each group scores highest (ListNet, Cao and others 2007; Adam for the descent).

    `groups`: signs and quality (0 to 1) of the rows of each. The rows' chances under the weights are led towards their
    chances under `sharpness` times quality.
    """
    signs = np.concatenate([rows for rows, _ in groups])
    sizes = np.array([len(rows) for rows, _ in groups])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    scale = signs.std(0)
    scale[scale < 1e-6] = np.inf  # the same everywhere: it decides nothing
    standard = (signs - signs.mean(0)) / scale
    wanted = _chances(sharpness * np.concatenate([quality for _, quality in groups]), starts, sizes)
    by_row = np.repeat(importance / importance.sum(), sizes)
    weights, drift, spread = (np.zeros(signs.shape[1]) for _ in range(3))
    for step in range(1, rounds + 1):
        off = _chances(standard @ weights, starts, sizes) - wanted
        slope = standard.T @ (off * by_row) + ridge * weights
        drift = 0.9 * drift + 0.1 * slope
        spread = 0.99 * spread + 0.01 * slope**2
        pace = 0.02 * (1 - 0.9 * step / rounds)
        weights -= pace * (drift / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-8)
    return np.asarray(weights / scale, float)


def _chances(scores: Floats, starts: Integers, sizes: Integers) -> Floats:
    """Softmax within each group."""
    powers = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
    return np.asarray(powers / np.repeat(np.add.reduceat(powers, starts), sizes), float)
