/*
 * kernel/selftest.c: does the memory behave?
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/selftest.h>
#include <linux/sysfs.h>

extern const struct selftest *__start_selftests[], *__stop_selftests[];

int run_selftests(void)
{
	const struct selftest **test;
	const char *complaint;
	int run = 0, failed = 0;

	for (test = __start_selftests; test < __stop_selftests; test++) {
		complaint = (*test)->run();
		run++;
		if (!complaint && nr_free_pages() != NR_FRAMES)
			complaint = "lost pages";
		if (complaint)
			failed++;
		printk(KERN_INFO "selftest: %s: %s\n", (*test)->name,
		       complaint ? complaint : "ok");
	}
	if (failed)
		printf("RESULT: FAILED, %d of %d self tests\n", failed, run);
	else
		printf("RESULT: ok, %d self tests\n", run);
	return failed != 0;
}

static const char *fork_copies_on_write(void)
{
	struct mm_struct *parent = mm_alloc();
	struct mm_struct *child;
	char byte = 'p';

	EXPECT(do_mmap(parent, PAGE_SIZE, 2 * PAGE_SIZE, VM_READ | VM_WRITE) == 0);
	EXPECT(access_mm(parent, PAGE_SIZE, &byte, 1, 1) == 1);
	child = dup_mm(parent);
	EXPECT(child);
	EXPECT(nr_free_pages() == NR_FRAMES - 1);

	byte = 'c';
	EXPECT(access_mm(child, PAGE_SIZE, &byte, 1, 1) == 1);
	EXPECT(nr_free_pages() == NR_FRAMES - 2);
	EXPECT(access_mm(parent, PAGE_SIZE, &byte, 1, 0) == 1);
	EXPECT(byte == 'p');

	mmput(child);
	mmput(parent);
	return NULL;
}
selftest(fork_copies_on_write);

static const char *faults_are_refused(void)
{
	struct mm_struct *mm = mm_alloc();
	char byte = 0;

	EXPECT(do_mmap(mm, 0, PAGE_SIZE, VM_READ) == 0);
	EXPECT(do_mmap(mm, 0, PAGE_SIZE, VM_READ) == -ENOMEM);
	EXPECT(access_mm(mm, 0, &byte, 1, 0) == 1);
	EXPECT(access_mm(mm, 0, &byte, 1, 1) == -EFAULT);
	EXPECT(access_mm(mm, PAGE_SIZE, &byte, 1, 0) == -EFAULT);
	mmput(mm);
	return NULL;
}
selftest(faults_are_refused);

static const char *madvise_is_heard(void)
{
	struct mm_struct *mm = mm_alloc();
	struct mm_struct *child;
	char byte = 'x';

	EXPECT(do_mmap(mm, 0, PAGE_SIZE, VM_READ | VM_WRITE) == 0);
	EXPECT(access_mm(mm, 0, &byte, 1, 1) == 1);
	EXPECT(do_madvise(mm, 0, PAGE_SIZE, MADV_DONTFORK) == 0);
	child = dup_mm(mm);
	EXPECT(child && !find_vma(child, 0));
	mmput(child);

	EXPECT(do_madvise(mm, 0, PAGE_SIZE, MADV_DONTNEED) == 0);
	EXPECT(access_mm(mm, 0, &byte, 1, 0) == 1);
	EXPECT(byte == 0);
	EXPECT(do_madvise(mm, 0, PAGE_SIZE, 99) == -EINVAL);
	EXPECT(do_madvise(mm, 0, 2 * PAGE_SIZE, MADV_NORMAL) == -ENOMEM);
	mmput(mm);
	return NULL;
}
selftest(madvise_is_heard);

static const char *idle_reclaims_zeroes(void)
{
	struct mm_struct *mm = mm_alloc();
	char byte = 0;

	EXPECT(do_mmap(mm, 0, 2 * PAGE_SIZE, VM_READ | VM_WRITE) == 0);
	EXPECT(access_mm(mm, 0, &byte, 1, 1) == 1);
	byte = 'x';
	EXPECT(access_mm(mm, PAGE_SIZE, &byte, 1, 1) == 1);
	EXPECT(sysfs_store("mm/min_free_pages", "100000") == 0);
	cpu_idle();
	EXPECT(nr_free_pages() == NR_FRAMES - 1);
	EXPECT(sysfs_store("mm/min_free_pages", "0") == 0);
	EXPECT(access_mm(mm, 0, &byte, 1, 0) == 1);
	EXPECT(byte == 0);
	mmput(mm);
	return NULL;
}
selftest(idle_reclaims_zeroes);

static const char *symbols_are_exported(void)
{
	EXPECT(find_symbol("alloc_page"));
	EXPECT(!find_symbol("zap_pte"));
	EXPECT(sysfs_store("kernel/loglevel", "9") == -EINVAL);
	return NULL;
}
selftest(symbols_are_exported);
