"""The page of figures that the benchmarks write."""

from bench.page import page, series

ROWS = [
    {
        "name": "reach.10000.ratio",
        "value": 2.4,
        "unit": "x",
        "bar": 2.5,
        "holds": True,
        "day": "2026-03-01",
        "load": 2.0,
    },
    {
        "name": "reach.60000.ratio",
        "value": 3.31,
        "unit": "x",
        "bar": 3.0,
        "holds": False,
        "day": "2026-03-02",
        "load": 1.2,
    },
    {
        "name": "growth.rules.1000.all",
        "value": 8.0,
        "unit": "ms",
        "bar": None,
        "holds": None,
        "day": "2026-03-02",
        "load": 1.2,
    },
    {
        "name": "growth.rules.10.all",
        "value": 5.0,
        "unit": "ms",
        "bar": None,
        "holds": None,
        "day": "2026-03-02",
        "load": 1.2,
    },
]


def test_the_page_says_what_holds_and_what_was_missed():
    text = page(ROWS, "2 cores")
    assert "| reach.10000.ratio | 2.4 x | ≤ 2.5 | holds |" in text
    assert "| reach.60000.ratio | 3.31 x | ≤ 3 | **missed** |" in text
    assert "Measured on 2026-03-02, with a load of 1." in text


def test_growth_is_a_table_and_a_picture_from_small_to_large():
    assert series(ROWS, "rules") == {"all": [(10, 5.0), (1000, 8.0)]}
    assert "| rules in policy.yml | 10 | 1,000 |" in page(ROWS, "2 cores")
    assert "(performance/rules.svg)" in page(ROWS, "2 cores")
