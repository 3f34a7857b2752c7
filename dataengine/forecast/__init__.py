"""What the next batch of labels would gain, with an interval: a learning curve and its uncertainty."""

from __future__ import annotations

from dataengine.forecast.advice import Advice, Signs, advice
from dataengine.forecast.backtest import AIM, Coverage, backtest, coverage, is_mined
from dataengine.forecast.law import Forecast, Point, next_gain
from dataengine.forecast.outlook import Outlook, line, next_frames, outlooks
from dataengine.forecast.priors import Prior

__all__ = [
    "AIM",
    "Advice",
    "Coverage",
    "Forecast",
    "Outlook",
    "Point",
    "Prior",
    "Signs",
    "advice",
    "backtest",
    "coverage",
    "is_mined",
    "line",
    "next_frames",
    "next_gain",
    "outlooks",
]
