"""Formats that tools exchange labels in: COCO, YOLO, VOC, CVAT."""
