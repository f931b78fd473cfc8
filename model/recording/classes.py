"""The names of what a recording is called; numpy only, as all of this folder."""

CLASSES = ("Ball", "InnerRace", "Normal", "OuterRace")
UNKNOWN = "Unknown"
FAULTS = ("Ball", "InnerRace", "OuterRace")
RACES = ("InnerRace", "OuterRace")
COMBS = (*FAULTS, "other")
