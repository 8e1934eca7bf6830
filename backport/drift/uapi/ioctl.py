"""The numbers of ioctls, encoded as asm-generic/ioctl.h does (x86, arm, s390, ia64).

alpha, mips, powerpc, sparc and parisc place the direction otherwise: there the number differs, what is compared does not.
"""

from __future__ import annotations

DIRECTIONS = {b"_IOC_NONE": 0, b"_IOC_WRITE": 1, b"_IOC_READ": 2}
MACROS = {
    b"_IO": 0, b"_IOW": 1, b"_IOR": 2, b"_IOWR": 3, b"_IOW_BAD": 1, b"_IOR_BAD": 2, b"_IOWR_BAD": 3, b"_IOC": -1,
}  # fmt: skip


def encode(direction: int, kind: int, number: int, size: int) -> int:
    """The 32-bit number of a request; parts that do not fit are cut off, as the macro would cut them."""
    return (direction & 3) << 30 | (size & 0x3FFF) << 16 | (kind & 0xFF) << 8 | (number & 0xFF)
