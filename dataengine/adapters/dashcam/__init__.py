"""Any folder of dashcam videos or images."""
