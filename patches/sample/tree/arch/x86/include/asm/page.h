#ifndef _ASM_X86_PAGE_H
#define _ASM_X86_PAGE_H

/* A page small enough that a whole machine fits on a screen. */
#define PAGE_SHIFT	8
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(a)	(((a) + PAGE_SIZE - 1) & PAGE_MASK)

#define NR_FRAMES	CONFIG_NR_FRAMES

/* A task can map TASK_PAGES pages, from address zero up to TASK_SIZE. */
#define TASK_PAGES	64
#define TASK_SIZE	(TASK_PAGES * PAGE_SIZE)

void *pfn_to_virt(unsigned long pfn);

#endif
