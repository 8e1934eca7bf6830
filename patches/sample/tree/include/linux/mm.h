#ifndef _LINUX_MM_H
#define _LINUX_MM_H

#include <linux/kernel.h>
#include <linux/list.h>
#include <asm/page.h>
#include <asm/pgtable.h>

/* The state of a page frame: bits of page->flags. */
enum pageflags {
	PG_locked,		/* somebody works on the content */
	PG_reserved,		/* never handed out */
	NR_PAGEFLAGS
};

struct page {
	unsigned long flags;
	int count;		/* page table entries, and other users */
	struct list_head lru;	/* on the free list while count is zero */
};

/* The properties of an area: bits of vma->vm_flags. */
#define VM_READ		0x00000001
#define VM_WRITE	0x00000002
#define VM_DONTFORK	0x00000010	/* a child does not get it */

struct vm_area_struct {
	struct mm_struct *vm_mm;
	unsigned long vm_start;	/* first address */
	unsigned long vm_end;	/* first address after it */
	unsigned long vm_flags;
	struct list_head vm_list;
};

struct mm_struct {
	struct list_head mmap;		/* areas, in no order */
	struct list_head mmlist;	/* all address spaces */
	pte_t pgd[TASK_PAGES];
};

extern struct page mem_map[NR_FRAMES];
extern struct list_head init_mmlist;

#define page_to_pfn(page)	((unsigned long)((page) - mem_map))
#define pfn_to_page(pfn)	(mem_map + (pfn))
#define page_address(page)	pfn_to_virt(page_to_pfn(page))
#define pte_page(pte)		pfn_to_page(pte_pfn(pte))

static inline int page_count(const struct page *page)
{
	return page->count;
}

static inline void get_page(struct page *page)
{
	page->count++;
}

/* Lock a page if it is free. Says whether it was locked before. */
static inline int test_set_page_locked(struct page *page)
{
	unsigned long old = page->flags;

	page->flags |= 1UL << PG_locked;
	return (old >> PG_locked) & 1;
}

static inline void unlock_page(struct page *page)
{
	page->flags &= ~(1UL << PG_locked);
}

static inline pte_t *pte_offset(struct mm_struct *mm, unsigned long addr)
{
	return &mm->pgd[addr >> PAGE_SHIFT];
}

/* mm/page_alloc.c */
struct page *alloc_page(void);
void put_page(struct page *page);
unsigned long nr_free_pages(void);

/* mm/memory.c */
int handle_mm_fault(struct mm_struct *mm, unsigned long addr, int write);
void zap_page_range(struct mm_struct *mm, unsigned long start,
		    unsigned long end);
long access_mm(struct mm_struct *mm, unsigned long addr, void *buf,
	       unsigned long len, int write);

/* mm/mmap.c */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr);
int do_mmap(struct mm_struct *mm, unsigned long addr, unsigned long len,
	    unsigned long flags);
void exit_mmap(struct mm_struct *mm);

/* mm/vmscan.c */
unsigned long try_to_free_pages(void);

/* kernel/fork.c */
struct mm_struct *mm_alloc(void);
struct mm_struct *dup_mm(struct mm_struct *oldmm);
void mmput(struct mm_struct *mm);

/* kernel/meminfo.c */
int meminfo_show(char *buf, size_t size);

#endif
