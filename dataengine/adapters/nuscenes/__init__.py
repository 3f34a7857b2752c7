"""nuScenes: its relational tables."""
