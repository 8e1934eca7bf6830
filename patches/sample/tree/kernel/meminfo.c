/*
 * kernel/meminfo.c: where the memory is.
 */
#include <linux/mm.h>
#include <linux/module.h>

#define BYTES(pages)	((pages) * PAGE_SIZE)

/* Write what fits into buf; says how long it would have been. */
int meminfo_show(char *buf, size_t size)
{
	return snprintf(buf, size,
			"MemTotal: %8lu B\n"
			"MemFree:  %8lu B\n",
			BYTES((unsigned long)NR_FRAMES),
			BYTES(nr_free_pages()));
}
EXPORT_SYMBOL(meminfo_show);
