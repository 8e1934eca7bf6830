"""What a series asks of the target's Kconfig and Makefiles, and what it changes there for everybody else."""
