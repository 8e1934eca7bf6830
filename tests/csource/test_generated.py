"""Names made by pasting words together, on makers of our own."""

from __future__ import annotations

import pytest

from backport.csource.generated import made_in, names_made

MAKERS = b"""#define TESTFLAG(uname, lname) \\
static inline int Thing##uname(struct thing *t) { return test_bit(T_##lname, &t->flags); }
#define SETFLAG(uname, lname) \\
static inline void SetThing##uname(struct thing *t) \\
\t{ set_bit(T_##lname, &t->flags); }
#define FLAG(uname, lname) TESTFLAG(uname, lname) \\
\tSETFLAG(uname, lname)
#define COUNTER(name) static int name##_count; struct name##_stat { int a; };
#define LOOP(name) LOOP(name)
#define CALLS(x) do_it(x ## _end, 1)
"""


@pytest.mark.parametrize(
    ("calls", "names"),
    [
        (b"FLAG(Dirty, dirty)\n", {b"ThingDirty", b"SetThingDirty"}),
        (b"TESTFLAG(Odd, odd) SETFLAG(Odd, odd)\n", {b"ThingOdd", b"SetThingOdd"}),
        (b"COUNTER(page);\n", {b"page_count", b"page_stat"}),
        (b"int f(void)\n{\n\tFLAG(Inside, inside)\n}\n", set()),
        (b"/* FLAG(Comment, comment) */ int FLAG(a, b);\nLOOP(x)\nCALLS(x);\nNOBODY(x)\n", set()),
        (b"FLAG(Cut", set()),
    ],
)
def test_names_are_made_by_what_the_files_teach(calls: bytes, names: set[bytes]) -> None:
    found = names_made([(b"a.h", made_in(MAKERS)), (b"b.h", made_in(calls))])
    assert set(found) == names
    assert all(path == b"b.h" for path, _ in found.values())


def test_the_call_is_told_by_its_line() -> None:
    ((path, call),) = set(names_made([(b"a.h", made_in(MAKERS + b"\n\nCOUNTER(x)\n"))]).values())
    assert (path, call.name, call.arguments, call.line) == (b"a.h", b"COUNTER", (b"x",), MAKERS.count(b"\n") + 3)
