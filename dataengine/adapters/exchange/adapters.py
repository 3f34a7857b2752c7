"""Formats that tools exchange labels in, read by FiftyOne's own importers: COCO, YOLO, VOC, CVAT.

None of them says what a drive is, and splits without leaks depend on it: unless
``dataset.fields.drive`` says otherwise, a folder of images is one drive and one clip. Images that
nobody labelled are kept without labels; an image whose labels are empty holds no objects.

Frames are numbered by the digits at the end of their names. Where names have none, or share them, frames are
counted in the order of names: then ingest a folder when it is complete, for an image that is added later
moves the numbers of those behind it.
"""

from dataengine.adapters.exchange.coco import Coco
from dataengine.adapters.exchange.cvat import Cvat
from dataengine.adapters.exchange.voc import Voc
from dataengine.adapters.exchange.yolo import Yolo

__all__ = ["Coco", "Cvat", "Voc", "Yolo"]
