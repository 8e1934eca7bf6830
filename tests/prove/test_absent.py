"""Why an object is not built: by small Makefiles of our own, each with one of the shapes that kernels have."""

from __future__ import annotations

import pytest

from backport.prove.absent import absence

FILES = {
    b"virt/kvm/kvm_main.c": b"",
    b"arch/x86/kvm/Makefile": b"common-objs = $(addprefix ../../../virt/kvm/, kvm_main.o \\\n\tioapic.o)\n"
    b"kvm-objs := $(common-objs) x86.o mmu.o\nobj-$(CONFIG_KVM) += kvm.o\n",
    b"mm/Makefile": b"obj-y := memory.o \\\n\tmmap.o\nobj-$(CONFIG_SWAP) += swap_state.o swapfile.o # not others.o\n",
    b"drivers/Makefile": b"obj-$(CONFIG_NET) += net/\n",
    b"drivers/net/Makefile": b"obj-$(CONFIG_WLAN) += wlan/\n",
    b"drivers/net/wlan/Kbuild": b"chip-y := rx.o\nchip-$(CONFIG_CHIP_DEBUG) += debug.o\nobj-$(CONFIG_CHIP) += chip.o\n",
    b"lib/Makefile": b"lib-y := ctype.o\n",
}


def why(name: str) -> str:
    return absence(name, FILES.get, [path for path in FILES if not path.endswith(b".c")]).why


def test_one_that_another_folder_compiles_is_not_said_to_be_switched_off() -> None:
    found = why("virt/kvm/kvm_main.o")
    assert found.startswith("arch/x86/kvm/Makefile compiles it, by a path with ../")
    assert "CONFIG" not in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mm/swapfile.o", "it needs CONFIG_SWAP (mm/Makefile)"),
        ("mm/others.o", "no Makefile names it"),
        ("lib/unused.o", "no Makefile names it"),
        (
            "drivers/net/wlan/debug.o",
            "it needs CONFIG_CHIP (drivers/net/wlan/Kbuild), CONFIG_CHIP_DEBUG (drivers/net/wlan/Kbuild), "
            "CONFIG_NET (drivers/Makefile), CONFIG_WLAN (drivers/net/Makefile)",
        ),
        ("arch/x86/kvm/mmu.o", "it needs CONFIG_KVM (arch/x86/kvm/Makefile)"),
        ("lib/ctype.o", "lib/Makefile names it, under a condition"),
    ],
)
def test_the_symbols_are_named_with_their_makefile(name: str, said: str) -> None:
    assert why(name) == said
