"""KITTI: object detection, and tracking."""
