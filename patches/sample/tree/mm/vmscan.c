/*
 * mm/vmscan.c: give back what is not needed.
 *
 * There is no disk to swap to. All that can be reclaimed is a page of zeroes
 * with a single user, for the next fault makes it again.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

static long min_free_pages;

static int page_is_zero(struct page *page)
{
	const char *byte = page_address(page);

	return byte[0] == 0 && !memcmp(byte, byte + 1, PAGE_SIZE - 1);
}

static int reclaim_pte(struct mm_struct *mm, unsigned long addr)
{
	struct page *page = pte_page(*pte_offset(mm, addr));
	int zero;

	if (page_count(page) != 1)
		return 0;
	if (test_set_page_locked(page))
		return 0;
	zero = page_is_zero(page);
	unlock_page(page);
	if (zero)
		zap_page_range(mm, addr, addr + PAGE_SIZE);
	return zero;
}

/* Look at all there is; says how many pages that freed. */
unsigned long try_to_free_pages(void)
{
	unsigned long freed = 0;
#ifdef CONFIG_ZERO_RECLAIM
	struct mm_struct *mm;
	unsigned long addr;

	list_for_each_entry(mm, &init_mmlist, mmlist)
		for (addr = 0; addr < TASK_SIZE; addr += PAGE_SIZE)
			if (pte_present(*pte_offset(mm, addr)))
				freed += reclaim_pte(mm, addr);
#endif
	return freed;
}

static void kswapd(void)
{
	if (nr_free_pages() < min_free_pages)
		try_to_free_pages();
}
idle_call(kswapd);

static int min_free_pages_show(char *buf, size_t size)
{
	return snprintf(buf, size, "%ld\n", min_free_pages);
}

static int min_free_pages_store(const char *buf)
{
	char *end;
	long pages = strtol(buf, &end, 0);

	if (end == buf || pages < 0)
		return -EINVAL;
	min_free_pages = pages;
	return 0;
}
ATTR_RW(min_free_pages, "mm/min_free_pages");
