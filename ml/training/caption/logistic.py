"""Ridge logistic regression for the two binary outputs on an embedding."""

import numpy as np
from scipy.special import expit

from ml.types import Float64Array


def fit(
    features: Float64Array, yes: Float64Array, *, prior: float, penalty: float
) -> tuple[Float64Array, float]:
    """Return weights (width,) and bias for (n, width) features of mean 0 and deviation 1.

    `yes` (n,) is 0 or 1; classes are weighted as if `prior` were the share of ones. Newton's
    method.
    """
    x = np.hstack([features, np.ones((len(features), 1))])
    share = yes.mean()
    weight = np.where(yes == 1, prior / share, (1 - prior) / (1 - share))
    ridge = np.diag([penalty] * features.shape[1] + [1e-6])
    beta = np.zeros(x.shape[1])
    for _ in range(20):
        p = expit(x @ beta)
        slope = x.T @ (weight * (p - yes)) + ridge @ beta
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + ridge
        beta -= np.linalg.solve(curve, slope)
    return beta[:-1], float(beta[-1])
