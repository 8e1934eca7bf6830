/*
 * mm/mmap.c: the areas of an address space.
 */
#include <linux/mm.h>
#include <linux/module.h>

/* The area that an address lies in, or NULL. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	list_for_each_entry(vma, &mm->mmap, vm_list)
		if (addr >= vma->vm_start && addr < vma->vm_end)
			return vma;
	return NULL;
}
EXPORT_SYMBOL(find_vma);

/* Map len bytes at addr. Areas do not overlap, and are never split. */
int do_mmap(struct mm_struct *mm, unsigned long addr, unsigned long len,
	    unsigned long flags)
{
	unsigned long end = addr + PAGE_ALIGN(len);
	struct vm_area_struct *vma;

	if (addr & ~PAGE_MASK || end <= addr || end > TASK_SIZE)
		return -EINVAL;
	list_for_each_entry(vma, &mm->mmap, vm_list)
		if (addr < vma->vm_end && end > vma->vm_start)
			return -ENOMEM;

	vma = calloc(1, sizeof(*vma));
	if (!vma)
		return -ENOMEM;
	vma->vm_mm = mm;
	vma->vm_start = addr;
	vma->vm_end = end;
	vma->vm_flags = flags;
	list_add_tail(&vma->vm_list, &mm->mmap);
	return 0;
}
EXPORT_SYMBOL(do_mmap);

void exit_mmap(struct mm_struct *mm)
{
	while (!list_empty(&mm->mmap)) {
		struct vm_area_struct *vma;

		vma = list_entry(mm->mmap.next, struct vm_area_struct, vm_list);
		zap_page_range(mm, vma->vm_start, vma->vm_end);
		list_del_init(&vma->vm_list);
		free(vma);
	}
}
