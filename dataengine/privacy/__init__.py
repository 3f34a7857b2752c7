"""Faces and number plates made unreadable before a frame is stored."""
