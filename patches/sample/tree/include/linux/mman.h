#ifndef _LINUX_MMAN_H
#define _LINUX_MMAN_H

/* What a task may tell us about a range of its memory. */
#define MADV_NORMAL	0	/* nothing special about it */
#define MADV_DONTNEED	4	/* drop the content, read zeroes afterwards */

/* common parameters: every release has had these numbers */
#define MADV_DONTFORK	10	/* a child shall not inherit it */
#define MADV_DOFORK	11	/* a child may inherit it again */

struct mm_struct;

int do_madvise(struct mm_struct *mm, unsigned long start, unsigned long len,
	       int advice);

#endif
