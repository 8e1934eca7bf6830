/*
 * kernel/fork.c: address spaces come and go.
 */
#include <linux/mm.h>
#include <linux/module.h>

LIST_HEAD(init_mmlist);

struct mm_struct *mm_alloc(void)
{
	struct mm_struct *mm = calloc(1, sizeof(*mm));

	if (!mm)
		return NULL;
	INIT_LIST_HEAD(&mm->mmap);
	list_add_tail(&mm->mmlist, &init_mmlist);
	return mm;
}
EXPORT_SYMBOL(mm_alloc);

/* Both sides keep the page; whoever writes first gets a copy. */
static void copy_pte_range(struct mm_struct *mm, struct vm_area_struct *vma)
{
	unsigned long addr;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
		pte_t *pte = pte_offset(vma->vm_mm, addr);

		if (!pte_present(*pte))
			continue;
		set_pte(pte, pte_wrprotect(*pte));
		get_page(pte_page(*pte));
		set_pte(pte_offset(mm, addr), *pte);
	}
}

struct mm_struct *dup_mm(struct mm_struct *oldmm)
{
	struct mm_struct *mm = mm_alloc();
	struct vm_area_struct *vma;

	if (!mm)
		return NULL;
	list_for_each_entry(vma, &oldmm->mmap, vm_list) {
		if (vma->vm_flags & VM_DONTFORK)
			continue;
		if (do_mmap(mm, vma->vm_start, vma->vm_end - vma->vm_start,
			    vma->vm_flags))
			return NULL;
		copy_pte_range(mm, vma);
	}
	return mm;
}
EXPORT_SYMBOL(dup_mm);

void mmput(struct mm_struct *mm)
{
	exit_mmap(mm);
	list_del_init(&mm->mmlist);
	free(mm);
}
EXPORT_SYMBOL(mmput);
