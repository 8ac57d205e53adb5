"""The guarantees of the statistics of experiments that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

STATISTICS: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "STAT-01",
        "a look at any time is judged as if it were the only one",
        "proxy/experiments/statistics/sequential.py",
        "    return math.sqrt((1 + r) / r * (math.log1p(r) - 2 * math.log(alpha)))",
        "    return NORMAL.inv_cdf(1 - alpha / 2)",
        "tests/proxy/experiments/statistics/test_sequential.py",
    ),
    (
        "STAT-02",
        "requests of one subject count as independent",
        "proxy/experiments/statistics/estimate.py",
        "spread += ratio * ratio * m.covariance(m.xx, m.x, m.x)",
        "spread += 0.0",
        "tests/proxy/experiments/statistics/test_estimate.py",
    ),
    (
        "STAT-03",
        "an arm that has not seen the rare yet is believed",
        "proxy/experiments/statistics/comparison.py",
        "both * rule.minimum",
        "arm.variance * rule.minimum",
        "tests/proxy/experiments/statistics/test_comparison.py",
    ),
    (
        "STAT-04",
        "shares that changed are forgotten",
        "proxy/experiments/statistics/sample_ratio.py",
        "    evidence = earlier - ",
        "    evidence = -",
        "tests/proxy/experiments/statistics/test_sample_ratio.py",
    ),
)
