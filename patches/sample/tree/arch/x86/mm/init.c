/*
 * arch/x86/mm/init.c: the memory of the machine.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/page.h>

static char ram[NR_FRAMES][PAGE_SIZE];

void *pfn_to_virt(unsigned long pfn)
{
	BUG_ON(pfn >= NR_FRAMES);
	return ram[pfn];
}
EXPORT_SYMBOL(pfn_to_virt);
