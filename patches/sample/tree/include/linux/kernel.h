#ifndef _LINUX_KERNEL_H
#define _LINUX_KERNEL_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERN_ERR	"<3>"
#define KERN_WARNING	"<4>"
#define KERN_INFO	"<6>"
#define KERN_DEBUG	"<7>"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define min(a, b)	((a) < (b) ? (a) : (b))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* Put a pointer into a table that the linker gathers from every object. */
#define __table(name)	__attribute__((__used__, __section__(name)))

int printk(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

#define BUG() do {							\
	printk(KERN_ERR "BUG: %s:%d %s\n", __FILE__, __LINE__, __func__); \
	abort();							\
} while (0)

#define BUG_ON(condition) do { if (condition) BUG(); } while (0)

#endif
