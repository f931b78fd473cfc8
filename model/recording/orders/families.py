"""The families of lines that a bearing's faults make.

numpy only: the service imports this module.
"""

from typing import NamedTuple

from model.bearings import FaultOrders

SHOWN_HARMONICS = 3


class Family(NamedTuple):
    """The lines of a fault: its name, that of its line, the order of its fundamental, and that of the sidebands.

    sideband is 0 where there are none.
    """

    fault: str
    name: str
    order: float
    sideband: float


def list_families(orders: FaultOrders) -> tuple[Family, ...]:
    """Return the families: inner race lines have sidebands a turn of the shaft apart, ball lines one of the cage."""
    return (
        Family("OuterRace", "BPFO", orders.bpfo, 0.0),
        Family("InnerRace", "BPFI", orders.bpfi, 1.0),
        Family("Ball", "2 x BSF", 2 * orders.bsf, orders.ftf),
    )


def highest_order(orders: FaultOrders) -> float:
    """Return an order a little beyond the last harmonic that is drawn."""
    return (SHOWN_HARMONICS + 0.2) * max(family.order for family in list_families(orders))
