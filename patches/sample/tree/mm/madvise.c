/*
 * mm/madvise.c: what a task knows about its own memory.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>

/* An area is never split: advice about a part of it holds for all of it. */
static int madvise_behavior(struct vm_area_struct *vma, int advice)
{
	if (advice == MADV_DONTFORK)
		vma->vm_flags |= VM_DONTFORK;
	else if (advice == MADV_DOFORK)
		vma->vm_flags &= ~VM_DONTFORK;
	return 0;
}

static int madvise_vma(struct vm_area_struct *vma, unsigned long start,
		       unsigned long end, int advice)
{
	if (advice == MADV_NORMAL)
		return 0;
	if (advice == MADV_DONTFORK || advice == MADV_DOFORK)
		return madvise_behavior(vma, advice);
	if (advice == MADV_DONTNEED) {
		zap_page_range(vma->vm_mm, start, end);
		return 0;
	}
	return -EINVAL;
}

/* Holes in the range are skipped, and reported when all the rest is done. */
int do_madvise(struct mm_struct *mm, unsigned long start, unsigned long len,
	       int advice)
{
	unsigned long end = start + PAGE_ALIGN(len);
	struct vm_area_struct *vma;
	int unmapped = 0;
	int err;

	if (start & ~PAGE_MASK || end < start)
		return -EINVAL;
	while (start < end) {
		unsigned long next = start + PAGE_SIZE;

		vma = find_vma(mm, start);
		if (vma) {
			next = min(vma->vm_end, end);
			err = madvise_vma(vma, start, next, advice);
			if (err)
				return err;
		} else {
			unmapped = -ENOMEM;
		}
		start = next;
	}
	return unmapped;
}
EXPORT_SYMBOL(do_madvise);
