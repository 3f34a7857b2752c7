"""CamVid, in the layouts that go around."""
