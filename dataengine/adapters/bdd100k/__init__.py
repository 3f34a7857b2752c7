"""BDD100K: its label files, image folders and videos."""
