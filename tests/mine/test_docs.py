"""``docs/arms.md`` says of arms what the code says; ``python -m tests.mine.test_docs`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from dataengine import mine
from dataengine.mine.catalogue import DIVERSITIES, QUOTAS, SCORES

PAGE = Path(__file__).parents[2] / "docs" / "arms.md"

HEAD = """# Arms

Written by `python -m tests.mine.test_docs` from the records in `dataengine/mine/`; do not edit.

`mine=NAME` runs one beside the baseline; `dataengine compare 'compare.arms=[NAME,NAME]'` measures several.
Every score is an arm, and so is any composition `SCORE__DIVERSITY__QUOTA`, for example
`mine.name=expected_errors__none__class` (or `mine=composed` with `mine.score`, `mine.diversity`,
`mine.quota`), and `SCORE__clips`, which buys whole clips at a stride. `NAME@2` is another draw of its random
stream; `NAME+pseudo` trains on pseudo-labels of the rest of the pool too, `NAME+plain` without favouring any
class. Of what an arm looks at, `flip`, `scale` and `snapshot` cost another pass over the pool each.
"""


def page() -> str:
    """What the file should hold."""
    lines = [HEAD, "## Strategies", "", "| arm | buys | looks at | source |", "|---|---|---|---|"]
    lines += [_row(arm.name, arm) for arm in mine.ARMS.values() if arm.name not in SCORES]
    lines += ["", "## Scores", "", "| score | buys | values | looks at | source |", "|---|---|---|---|---|"]
    lines += [
        f"| `{score.name}` | {score.summary} | {score.span} | {_needs(score.needs)} | {score.source} |"
        for score in SCORES.values()
    ]
    lines += ["", "## Diversities", "", "| diversity | keeps picks apart |", "|---|---|"]
    lines += [f"| `{name}` | {kind.summary} |" for name, kind in DIVERSITIES.items()]
    lines += ["", f"Quotas: {', '.join(f'`{name}`' for name in QUOTAS)}.", "", "## Ceilings", ""]
    lines += ["Measured in `compare` alone, for they see the truth of frames that nobody bought.", ""]
    lines += [f"* `{name}`: {summary}" for name, summary in mine.CEILINGS.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, arm: mine.arms.Arm) -> str:
    return f"| `{name}` | {arm.summary} | {_needs(arm.needs)} | {arm.source or 'a baseline'} |"


def _needs(needs: frozenset[mine.Need]) -> str:
    return ", ".join(sorted(need.value for need in needs)) or "nothing"


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.mine.test_docs"


def test_every_arm_says_what_it_does_and_where_it_is_from() -> None:
    for arm in mine.ARMS.values():
        assert arm.summary
        assert arm.source or not arm.needs, arm.name


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
