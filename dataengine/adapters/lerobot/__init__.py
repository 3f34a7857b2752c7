"""LeRobot: recordings of robots."""
