"""comma2k19: segments of video with logs."""
