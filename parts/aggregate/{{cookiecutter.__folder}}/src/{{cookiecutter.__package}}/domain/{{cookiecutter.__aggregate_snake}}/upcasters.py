"""What lifts released events of an older shape to the present one; none yet."""

from ...bus import Upcaster

UPCASTERS: tuple[Upcaster, ...] = ()
