"""The service: raw windows in, diagnoses out. Runs without torch, DVC and the rest of the repository."""
