"""From recordings to a service, one module a stage."""
