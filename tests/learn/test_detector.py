from __future__ import annotations

import torch

from dataengine.learn.batch import Detections, padded
from dataengine.learn.detector import MAX_BOXES, best_boxes


def detections(rows: list[tuple[float, ...]], images: int = 1) -> Detections:
    """Rows of ``x1, y1, x2, y2, class, image, score of class 0, score of class 1``."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 8)
    return Detections(
        xyxy=table[:, :4],
        class_id=table[:, 4].long(),
        image=table[:, 5].long(),
        class_scores=table[:, 6:],
        embedding=torch.zeros(images, 3),
        features=table[:, :2],
    )


def test_doubles_go_class_by_class_and_image_by_image() -> None:
    kept = best_boxes(
        detections(
            [
                (0, 0, 10, 10, 0, 1, 0.5, 0.2),
                (0, 0, 10, 10, 0, 0, 0.6, 0.2),
                (1, 0, 11, 10, 0, 0, 0.7, 0.2),  # IoU 0.82 with the one above: that one goes
                (0, 0, 10, 10, 1, 0, 0.2, 0.9),  # another class stays
                (5, 0, 15, 10, 0, 0, 0.3, 0.2),  # IoU 0.33 and 0.43: stays
            ],
            images=2,
        )
    )
    assert kept.image.tolist() == [0, 0, 0, 1]
    assert kept.class_id.tolist() == [1, 0, 0, 0]
    torch.testing.assert_close(kept.score, torch.tensor([0.9, 0.7, 0.3, 0.5]))


def test_the_best_hundred_of_each_image_stay() -> None:
    rows = [
        (20.0 * i, 0, 20.0 * i + 10, 10, 0, image, 1 - i / 200, 0) for image in (0, 1) for i in range(130)
    ]
    kept = best_boxes(detections(rows, images=2))
    assert torch.bincount(kept.image).tolist() == [MAX_BOXES, MAX_BOXES]
    assert kept.score.min() == 1 - 99 / 200


def test_nothing_found() -> None:
    assert len(best_boxes(detections([], images=2)).xyxy) == 0


def test_equal_scores_keep_their_order() -> None:
    rows = [(20.0 * i, 0, 20.0 * i + 10, 10, 0, 0, 0.5, 0) for i in (3, 1, 2)]
    assert best_boxes(detections(rows)).xyxy[:, 0].tolist() == [60, 20, 40]


def test_padded_sides() -> None:
    assert [padded(side) for side in (1, 32, 33, 320)] == [32, 32, 64, 320]
