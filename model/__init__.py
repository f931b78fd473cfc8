"""The mathematics of the diagnosis in torch: the front end and the network, nothing else."""
