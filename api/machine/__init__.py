"""Machines: points, the recordings of each over months, its state, and alarms."""

PREFIX = "/machines/"  # of the paths
