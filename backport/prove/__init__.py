"""Does it compile, does it boot, does the feature work: kernels built and run, with only git and the model below.

    profile, toolchain   an old kernel with a present-day compiler
    bench                the kept source tree and output folders
    config, objects      what is built
    build                every step of a series, before and after
    image, initramfs     something that boots
    machine, console     qemu, and the verdict from its serial console
    probe                a feature's own proof
    mutants              kernels with one thing wrong, which the probe must notice

Building a tree runs its Makefiles: prove only what you would build by hand.
"""
