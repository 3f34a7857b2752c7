"""From the cells of a comparison to everything that its report says."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dataengine.compare import curves, grid, headline, purchases, rivals, savings, shares, trainers
from dataengine.compare.notes import notes
from dataengine.compare.resampling import Resampler
from dataengine.compare.tables import FORECASTS, Comparison
from dataengine.compare.verdict import judge, main_arm
from dataengine.config import Config
from dataengine.schema import TEST_SPLITS, Taxonomy
from dataengine.streams import Streams


def analyse(
    cells: pa.Table,
    replicates: pa.Table,
    picks: pa.Table,
    *,
    config: Config,
    taxonomy: Taxonomy,
    forecasts: pa.Table | None = None,
    name: str | None = None,
) -> Comparison:
    """Every table, the headline and the notes of a comparison.

    The same input gives the same output, whatever the order of its rows.

    Args:
        cells: Table of schema ``CELLS``, of as many arms, seeds and cycles as are finished.
        replicates: Table of schema ``REPLICATES``; where a cell has none, its intervals are over seeds alone.
        picks: Table of schema ``PICKS``.
        config: What was planned, and the settings of the statistics (``compare``).
        taxonomy: Classes and the declared tail.
        forecasts: Table of schema ``FORECASTS``, passed on.
        name: What the comparison is called; the dataset's name by default.
    """
    compare = config.compare
    cells, replicates, picks = (_sorted(table) for table in (cells, replicates, picks))
    found = grid.build(cells, replicates, baseline=compare.baseline)
    resampler = Resampler(
        streams=Streams(0),
        resamples=compare.resamples,
        num_replicates=found.replicates.shape[3],
        shared=not compare.world_per_seed,
        confidence=compare.confidence,
    )
    arms = _arms(found, config)
    main = main_arm(compare.arms, arms, compare.baseline)
    tables = {
        "cells": cells,
        "curves": curves.curves(found, resampler),
        "differences": curves.differences(found, resampler),
        "savings": savings.savings(found, resampler),
        "shares": shares.shares(found, resampler),
        "purchases": purchases.purchases(
            picks, taxonomy.classes, baseline=compare.baseline, label=config.label, resampler=resampler
        ),
        "overlaps": purchases.overlaps(picks, baseline=compare.baseline),
        "rivals": rivals.rivals(found, resampler, main),
        "trainers": trainers.trainers(found, resampler),
        "forecasts": FORECASTS.empty_table() if forecasts is None else forecasts,
    }
    verdict = judge(main, compare.baseline, tables, confidence=compare.confidence) if main else None
    both = {*TEST_SPLITS} <= {figure.split for figure in found.figures}
    return Comparison(
        name=name or config.dataset.name,
        baseline=compare.baseline,
        arms=arms,
        trials=found.trials,
        classes=taxonomy.classes,
        tail=taxonomy.tail_classes,
        confidence=compare.confidence,
        headline=headline.sentence(verdict, arm=main, baseline=compare.baseline, both_tests=both),
        notes=tuple(notes(found, tables, config, arms=arms, main=main)),
        settings=config.plain(),
        tables=tables,
    )


def _sorted(table: pa.Table) -> pa.Table:
    """In an order of its own, so that sums do not depend on who finished first."""
    keys = ("trial", "arm", "cycle", "split", "slice", "metric", "frame_id")
    return table.sort_by([(name, "ascending") for name in keys if name in table.column_names])


def _arms(cells: grid.Grid, config: Config) -> tuple[str, ...]:
    """Arms with a cycle beyond 0: the baseline, those of the config in its order, then the others."""
    run = np.any(~np.isnan(cells.costs[:, :, 1:, 0]), axis=(0, 2)).tolist()
    beyond = {name for name, any_run in zip(cells.arms, run, strict=True) if any_run}
    wanted = [cells.arms[0], *config.compare.arms, *cells.arms]
    return tuple(name for name in dict.fromkeys(wanted) if name in beyond)
