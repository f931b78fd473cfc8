"""The words beside the code: what is generated in them, and where their numbers come from."""
