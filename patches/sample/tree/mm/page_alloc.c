/*
 * mm/page_alloc.c: page frames, handed out one at a time.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>

struct page mem_map[NR_FRAMES];

static LIST_HEAD(free_list);
static unsigned long nr_free;

static void free_page(struct page *page)
{
	page->flags = 0;
	list_add_tail(&page->lru, &free_list);
	nr_free++;
}

/* A page of zeroes with one user, or NULL. May reclaim. */
struct page *alloc_page(void)
{
	struct page *page;

	if (list_empty(&free_list) && !try_to_free_pages())
		return NULL;
	page = list_entry(free_list.next, struct page, lru);
	list_del_init(&page->lru);
	nr_free--;
	page->count = 1;
	memset(page_address(page), 0, PAGE_SIZE);
	return page;
}
EXPORT_SYMBOL(alloc_page);

void put_page(struct page *page)
{
	BUG_ON(page->count <= 0);
	if (--page->count == 0)
		free_page(page);
}
EXPORT_SYMBOL(put_page);

unsigned long nr_free_pages(void)
{
	return nr_free;
}
EXPORT_SYMBOL(nr_free_pages);

static int mem_init(void)
{
	unsigned long pfn;

	for (pfn = 0; pfn < NR_FRAMES; pfn++)
		free_page(pfn_to_page(pfn));
	printk(KERN_DEBUG "%lu page frames\n", nr_free);
	return 0;
}
module_init(mem_init);
