"""What leaves the house: kernel.spec, the config fragment, the source tarball, the SRPM."""
