"""The names of files that hold recordings. The readers look at the content: a suffix only says what to open at all."""

SUFFIXES = (".mat", ".csv", ".txt", ".wav", ".npy", ".gz")
