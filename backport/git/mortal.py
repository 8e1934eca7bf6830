"""A process that never outlives the one that started it, even where that is killed and can say nothing any more.

Workers of a pool wait for their next task at a pipe which they hold open themselves: when a sweep was killed, they waited for
ever, and with the lock of its output, so that it could not be gone on with.
"""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # here, since nothing may be loaded between fork and exec


def die_with_parent() -> None:
    """Called in the child: the kernel kills it when the thread that started it ends. Nothing where the system is no Linux."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
