"""What programs see of a kernel: constants, structs, system calls, files in /sys and /proc, parameters, prompts."""
