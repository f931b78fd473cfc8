"""The mathematics of the diagnosis: bearings, windows (torch) and recordings (numpy)."""
