/*
 * mm/memory.c: page tables, faults, and copy on write.
 */
#include <linux/mm.h>
#include <linux/module.h>

/* The first access: a page of zeroes. */
static int do_anonymous_page(struct vm_area_struct *vma, pte_t *pte)
{
	struct page *page = alloc_page();

	if (!page)
		return -ENOMEM;
	set_pte(pte, mk_pte(page_to_pfn(page), vma->vm_flags & VM_WRITE));
	return 0;
}

/*
 * A write to a page that is there, but not writable. When nobody else uses
 * it we keep it, else we make our own.
 */
static int do_wp_page(struct vm_area_struct *vma, pte_t *pte)
{
	struct page *old = pte_page(*pte);
	struct page *new;

	if (page_count(old) == 1) {
		set_pte(pte, pte_mkwrite(*pte));
		return 0;
	}

	/* Held, so that reclaim leaves it where it is while we allocate. */
	get_page(old);
	new = alloc_page();
	if (!new) {
		put_page(old);
		return -ENOMEM;
	}
	memcpy(page_address(new), page_address(old), PAGE_SIZE);
	set_pte(pte, mk_pte(page_to_pfn(new), 1));
	put_page(old);		/* ours */
	put_page(old);		/* the page table's */
	return 0;
}

/* Make an address accessible, or say why it cannot be: 0 or -errno. */
int handle_mm_fault(struct mm_struct *mm, unsigned long addr, int write)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	pte_t *pte;

	if (!vma || !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return -EFAULT;
	pte = pte_offset(mm, addr);
	if (!pte_present(*pte))
		return do_anonymous_page(vma, pte);
	if (write && !pte_write(*pte))
		return do_wp_page(vma, pte);
	return 0;
}
EXPORT_SYMBOL(handle_mm_fault);

static void zap_pte(pte_t *pte)
{
	struct page *page = pte_page(*pte);

	set_pte(pte, __pte(0));
	put_page(page);
}

/* Forget what is mapped from start up to end. */
void zap_page_range(struct mm_struct *mm, unsigned long start,
		    unsigned long end)
{
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE)
		if (pte_present(*pte_offset(mm, addr)))
			zap_pte(pte_offset(mm, addr));
}
EXPORT_SYMBOL(zap_page_range);

/*
 * Read or write the memory of a task, as the task itself would: with faults.
 * Says how many bytes it got through, or -EFAULT if not even one.
 */
long access_mm(struct mm_struct *mm, unsigned long addr, void *buf,
	       unsigned long len, int write)
{
	unsigned long done = 0;

	while (done < len) {
		unsigned long offset = (addr + done) & ~PAGE_MASK;
		unsigned long bytes = min(len - done, PAGE_SIZE - offset);
		char *kaddr;

		if (handle_mm_fault(mm, addr + done, write))
			break;
		kaddr = page_address(pte_page(*pte_offset(mm, addr + done)));
		if (write)
			memcpy(kaddr + offset, (char *)buf + done, bytes);
		else
			memcpy((char *)buf + done, kaddr + offset, bytes);
		done += bytes;
	}
	return done || !len ? (long)done : -EFAULT;
}
EXPORT_SYMBOL(access_mm);
