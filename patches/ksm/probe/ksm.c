/*
 * The proof of KSM as 2.6.32 has it: equal pages of whoever asked for it become one, until somebody writes.
 */
#include "probe.h"

#define MERGEABLE 12
#define UNMERGEABLE 13
#define SYSFS "/sys/kernel/mm/ksm/"
#define KPF_KSM 21
#define COUNT 24L	/* pages in each region */
#define PATIENCE 8000	/* ms that a child may take */

static const struct { const char *name; long mode; } files[] = {
	{ "run", 0644 }, { "pages_to_scan", 0644 }, { "sleep_millisecs", 0644 }, { "max_kernel_pages", 0644 },
	{ "pages_shared", 0444 }, { "pages_sharing", 0444 }, { "pages_unshared", 0444 }, { "pages_volatile", 0444 },
	{ "full_scans", 0444 },
};
#define FILES (sizeof(files) / sizeof(files[0]))

static const char *in_sysfs(const char *name)
{
	static char path[128];

	format_text(path, sizeof(path), SYSFS "%s", name);
	return path;
}

static long number(const char *name)
{
	return read_number(in_sysfs(name));
}

static long set(const char *name, const char *value)
{
	return write_text(in_sysfs(name), value);
}

static long advise(void *start, long count, int advice)
{
	return CALL(__NR_madvise, start, count * PAGE, advice);
}

/* Whether the scanner went through all memory `times` times. It does not while nobody is registered. */
static int scanned(int times)
{
	long until = number("full_scans") + times, tries;

	for (tries = 0; tries < 500; tries++) {
		if (number("full_scans") >= until)
			return 1;
		nap_ms(4);
	}
	return 0;
}

/*
 * The last pages that a processor touched, up to fourteen, wait in its pagevec to be put on a list, and are held by it. What
 * somebody holds is not merged. An idle system would leave them there for good; mlock(2) empties the pagevecs of all processors.
 */
static void drain(void)
{
	static char *page;

	if (!page)
		page = pages(1);
	CALL(__NR_mlock, page, PAGE);
	CALL(__NR_munlock, page, PAGE);
}

/*
 * ksm_enter() looks whether anybody is registered before it takes the lock. Where the scanner forgets the last one in between,
 * nobody wakes it: that is upstream's race, and a virtual processor that its host does not run for a while meets it.
 */
static void nudge(void)
{
	if (number("run") == 1) {
		say("the scanner sleeps: waking it");
		set("run", "1");
	}
}

/* Waits for a counter to have a value; the value that it has in the end. On a busy machine the scanner takes its time. */
static long until(const char *name, long value)
{
	long tries;

	for (tries = 0; tries < 1000 && number(name) != value; tries++) {
		if (tries % 16 == 0)
			drain();
		if (tries == 250)
			nudge();
		nap_ms(4);
	}
	return number(name);
}

/*
 * The same, and whether it has it when the scanner rests: while that looks at a page, the page is in no tree, and a counter is one
 * less for a moment. Stopping waits for the end of a batch, and a batch is a whole scan here.
 */
static int settles(const char *name, long value)
{
	int times, holds = 0;

	for (times = 0; times < 100 && !holds && until(name, value) == value; times++) {
		set("run", "0");
		holds = number(name) == value;
		set("run", "1");
		nap_ms(holds ? 0 : 20);
	}
	return holds;
}

static void counts(const char *file, long value, const char *name)
{
	int holds = settles(file, value);

	check(holds, name, "%s %ld, and it should be %ld", file, number(file), value);
}

/* Everything is taken apart and nobody is registered: each part of the proof begins there. */
static void clean(void)
{
	until("pages_shared", 0);
	until("pages_sharing", 0);
	until("pages_unshared", 0);
}

static long memory_free(void)
{
	static char text[2048];
	char *at;
	long value = 0;

	read_text("/proc/meminfo", text, sizeof(text));
	for (at = text; *at; at++)
		if (!memcmp(at, "MemFree:", 8)) {
			for (at += 8; *at == ' '; at++)
				;
			for (; *at >= '0' && *at <= '9'; at++)
				value = value * 10 + *at - '0';
			return value;
		}
	return 0;
}

/* A region of equal pages that asked to be merged; 0 where it could not be had. */
static char *region(long count, unsigned kind)
{
	char *at = pages(count);

	if (!at)
		return 0;
	fill(at, count, kind);
	return advise(at, count, MERGEABLE) ? 0 : at;
}

static int all_one_frame(const char *at, long count, u64 frame)
{
	for (; count--; at += PAGE)
		if (frame_of(at) != frame)
			return 0;
	return frame != 0;
}

static int is_ksm(const void *at)
{
	return frame_flags(frame_of(at)) >> KPF_KSM & 1;
}

static int none_is_ksm(const char *at, long count)
{
	for (; count--; at += PAGE)
		if (is_ksm(at))
			return 0;
	return 1;
}

/* ------------------------------------------------------------------ the interface */

static int listed(const char *name)
{
	unsigned i;

	for (i = 0; i < FILES; i++)
		if (!strcmp(files[i].name, name))
			return 1;
	return 0;
}

static void foreign(const char *name, void *with)
{
	if (!listed(name)) {
		say("unknown file %s", name);
		++*(int *)with;
	}
}

static void the_files(void)
{
	unsigned i;
	int others = 0;

	for (i = 0; i < FILES; i++) {
		char name[64];
		long mode = file_mode(in_sysfs(files[i].name));

		format_text(name, sizeof(name), "sysfs %s", files[i].name);
		check(mode == files[i].mode && number(files[i].name) >= 0, name, "mode %ld, value %ld", mode, number(files[i].name));
	}
	for_each_name(SYSFS, foreign, &others);
	check(others == 0, "no file of a later kernel", "%d more", others);
}

static void answers(long result, long expected, const char *name)
{
	check(result == expected, name, "%ld", result);
}

static void the_defaults(void)
{
	check(number("run") == 0, "nothing runs before it is asked for", "run %ld", number("run"));
	check(number("pages_to_scan") == 100 && number("sleep_millisecs") == 20, "defaults of 2.6.32", "%ld pages, %ld ms",
	      number("pages_to_scan"), number("sleep_millisecs"));
	check(number("max_kernel_pages") > 1000, "a quarter of memory may be merged", "max_kernel_pages %ld", number("max_kernel_pages"));
	check(set("run", "3") == -EINVAL && set("run", "x") == -EINVAL, "run takes 0, 1 and 2 only", "run %ld", number("run"));
#ifdef __x86_64__	/* on i386 the kernel's own strict_strtoul() drops the upper bits before anybody can look */
	answers(set("pages_to_scan", "4294967296"), -EINVAL, "pages_to_scan refuses what is too large");
#endif
	check(set("pages_to_scan", "500") == 0 && number("pages_to_scan") == 500, "pages_to_scan is settable", "%ld",
	      number("pages_to_scan"));
	check(set("sleep_millisecs", "4") == 0 && number("sleep_millisecs") == 4, "sleep_millisecs is settable", "%ld",
	      number("sleep_millisecs"));
}

static void the_errors(void)
{
	char *at = pages(4), *shared;

	answers(CALL(__NR_madvise, at + 1, PAGE, MERGEABLE), -EINVAL, "EINVAL for an address inside a page");
	answers(CALL(__NR_madvise, at, -PAGE, MERGEABLE), -EINVAL, "EINVAL for a length that wraps");
	answers(advise(at, 4, 8), -EINVAL, "EINVAL for the number below");
	answers(advise(at, 4, 14), -EINVAL, "EINVAL for the number above");
	answers(advise(at, 0, MERGEABLE), 0, "nothing is as good as something");
	CALL(__NR_munmap, at + PAGE, PAGE);
	answers(advise(at, 4, MERGEABLE), -ENOMEM, "ENOMEM over a gap, after the rest was done");
	answers(advise(at, 4, UNMERGEABLE), -ENOMEM, "ENOMEM for UNMERGEABLE as well");
	shared = (char *)CALL(
#ifdef __x86_64__
		__NR_mmap,
#else
		__NR_mmap2,
#endif
		0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	answers(advise(shared, 1, MERGEABLE), 0, "a shared mapping is left alone, without an error");
	CALL(__NR_munmap, shared, PAGE);
	CALL(__NR_munmap, at, 4 * PAGE);
}

static int out_of_memory(void *with)
{
	long file = CALL(__NR_open, "/proc/self/make-it-fail", O_WRONLY, 0), result;
	char *at = pages(2);

	(void)with;
	fill(at, 2, 1);
	if (file < 0)
		return 2;
	CALL(__NR_write, file, "1", 1);
	result = advise(at, 2, MERGEABLE);
	CALL(__NR_write, file, "0", 1);
	return result == -EAGAIN ? 0 : result == 0 ? 3 : 4;
}

static void the_allocation_that_fails(void)
{
#define FAIL "/sys/kernel/debug/failslab/"
	const char *name = "EAGAIN when memory runs out";
	int status;

	if (write_text(FAIL "probability", "100") || write_text(FAIL "times", "-1") || write_text(FAIL "task-filter", "1") ||
	    write_text(FAIL "ignore-gfp-wait", "0") || write_text(FAIL "verbose", "0")) {
		skip(name, "no fault injection in this kernel");
		return;
	}
	status = in_child(out_of_memory, 0, PATIENCE);
	write_text(FAIL "probability", "0");
	check(status == 0, name, "status %d", status);
}

/* ------------------------------------------------------------------ merging */

static void find_scanner(const char *name, void *with)
{
	char path[64], text[256], *at = text, *end;
	int field;

	format_text(path, sizeof(path), "/proc/%s/stat", name);
	if (name[0] < '0' || name[0] > '9' || read_text(path, text, sizeof(text)) <= 0)
		return;
	while (*at && *at != '(')
		at++;
	if (memcmp(at, "(ksmd)", 6))
		return;
	for (field = 2; *at && field < 19; at++)	/* the 19th is the nice level */
		field += *at == ' ';
	for (end = at; *end && *end != ' '; end++)
		;
	*end = 0;
	*(int *)with = !strcmp(at, "5") ? 5 : -1;
}

static void the_scanner(void)
{
	int nice = 0;

	for_each_name("/proc", find_scanner, &nice);
	check(nice == 5, "ksmd runs, with nice level 5", "%d", nice);
}

/* The other process: pages like its parent's, until it is told through the pipe to look at them and end. */
static int talk[2];

static int other_process(void *with)
{
	char *at = region(COUNT, 7), word;

	(void)with;
	if (!at)
		return 1;
	CALL(__NR_close, talk[1]);
	CALL(__NR_read, talk[0], &word, 1);
	return filled(at, COUNT, 7) && is_ksm(at) ? 0 : 2;
}

static void two_processes(void)
{
	char *at;
	long pid;
	u64 frame, alone;
	int status;

	CALL(__NR_pipe, talk);
	pid = spawn(other_process, 0);
	CALL(__NR_close, talk[0]);
	at = region(COUNT, 7);
	check(scanned(3), "the scanner goes round", "full_scans %ld", number("full_scans"));
	counts("pages_sharing", 2 * COUNT - 1, "all equal pages but one share it");
	counts("pages_shared", 1, "and one is left");
	frame = frame_of(at);
	check(all_one_frame(at, COUNT, frame), "one frame behind all addresses", "frame %llx", frame);
	check(frame_count(frame) == 2 * COUNT, "the frame is mapped as often", "%llu", frame_count(frame));
	check(is_ksm(at), "kpageflags says KSM", "%llx", frame_flags(frame));
	check(filled(at, COUNT, 7), "the contents are what they were", "%ld pages", COUNT);

	at[5 * PAGE] = 1;
	alone = frame_of(at + 5 * PAGE);
	check(alone && alone != frame, "a write gets a page of its own", "frame %llx", alone);
	check(!is_ksm(at + 5 * PAGE) && frame_count(alone) == 1, "which is an ordinary one", "mapped %llu times", frame_count(alone));
	check(filled(at, 5, 7) && filled(at + 6 * PAGE, COUNT - 6, 7), "the write is seen nowhere else", "%ld pages", COUNT - 1);
	check(at[5 * PAGE] == 1 && (fill(at + 5 * PAGE, 1, 7), filled(at + 5 * PAGE, 1, 7)), "and is not lost", "%d", at[5 * PAGE]);
	at[5 * PAGE] = 1;
	counts("pages_sharing", 2 * COUNT - 2, "the counters follow");

	CALL(__NR_close, talk[1]);
	status = ended(pid, PATIENCE);
	check(status == 0, "the other process never saw it", "status %d", status);
	counts("pages_sharing", COUNT - 2, "a process that ends takes its pages along");
	check(frame_count(frame_of(at)) == COUNT - 1, "and its mappings", "%llu", frame_count(frame_of(at)));

	answers(advise(at, COUNT, UNMERGEABLE), 0, "UNMERGEABLE is taken");
	check(none_is_ksm(at, COUNT), "it takes all pages apart at once", "frame %llx", frame_of(at));
	check(filled(at, 5, 7) && filled(at + 6 * PAGE, COUNT - 6, 7), "with their contents", "%ld pages", COUNT - 1);
	CALL(__NR_munmap, at, COUNT * PAGE);
}

static void other_counters(void)
{
	char *at = pages(COUNT);
	u64 start;
	long i, seen = 0;

	for (i = 0; i < COUNT; i++)
		fill(at + i * PAGE, 1, 100 + i);
	advise(at, COUNT, MERGEABLE);
	counts("pages_unshared", COUNT, "pages unlike any other are unshared");
	check(number("pages_shared") == 0 && number("pages_sharing") == 0, "and share nothing", "pages_sharing %ld",
	      number("pages_sharing"));
	for (i = 0, start = now_ns(); seen < COUNT / 2 && now_ns() - start < 3000000000ULL; i++) {
		long page;

		if (i % 64 == 0)
			seen = number("pages_volatile");

		for (page = 0; page < COUNT; page++)	/* without a pause: no scan finds what the one before it found */
			++*(unsigned *)(at + page * PAGE);
	}
	check(seen >= COUNT / 2, "pages that change are volatile", "%ld", seen);
	CALL(__NR_munmap, at, COUNT * PAGE);
}

static void not_asked(void)
{
	char *asked = region(COUNT, 30), *silent = pages(COUNT);

	fill(silent, COUNT, 30);
	counts("pages_sharing", COUNT - 1, "only who asked is merged");
	check(none_is_ksm(silent, COUNT), "memory that never asked is left alone", "frame %llx", frame_of(silent));
	CALL(__NR_munmap, asked, COUNT * PAGE);
	CALL(__NR_munmap, silent, COUNT * PAGE);
}

static void run_two(void)
{
	char *at = region(COUNT, 40);

	counts("pages_sharing", COUNT - 1, "merged before run is 2");
	answers(set("run", "2"), 0, "run takes 2");
	answers(number("run"), 2, "and says so");
	check(none_is_ksm(at, COUNT) && filled(at, COUNT, 40), "run 2 takes everything apart", "frame %llx", frame_of(at));
	check(number("pages_shared") == 0 && number("pages_sharing") == 0 && number("pages_unshared") == 0, "and counts nothing",
	      "%ld shared, %ld sharing", number("pages_shared"), number("pages_sharing"));
	nap_ms(40);
	check(none_is_ksm(at, COUNT), "and merges nothing", "pages_sharing %ld", number("pages_sharing"));
	set("run", "1");
	counts("pages_sharing", COUNT - 1, "run 1 merges again");
	set("run", "0");
	at[0] = 1;
	nap_ms(60);
	check(number("pages_sharing") == COUNT - 1 && is_ksm(at + PAGE), "run 0 stops and keeps what is merged", "pages_sharing %ld",
	      number("pages_sharing"));
	set("run", "1");
	CALL(__NR_munmap, at, COUNT * PAGE);
}

static void most_of_it(void)
{
	long i, most = number("max_kernel_pages");
	char *at = pages(12), text[32];

	answers(set("max_kernel_pages", "2"), 0, "max_kernel_pages is settable");
	for (i = 0; i < 12; i++)
		fill(at + i * PAGE, 1, 50 + i / 2);
	advise(at, 12, MERGEABLE);
	counts("pages_shared", 2, "no more than max_kernel_pages are held");
	format_text(text, sizeof(text), "%ld", most);
	set("max_kernel_pages", text);
	counts("pages_shared", 6, "and more when more may be");
	CALL(__NR_munmap, at, 12 * PAGE);
}

/* ------------------------------------------------------------------ merged pages and everything else */

static int forked_child(void *with)
{
	char *at = with;

	if (!is_ksm(at) || !filled(at, COUNT, 60))
		return 1;
	at[0] = 1;
	if (at[0] != 1 || is_ksm(at))
		return 2;
	if (!scanned(3))
		return 3;
	if (!is_ksm(at + 2 * PAGE) || !filled(at + PAGE, COUNT - 1, 60))
		return 4;
	fill(at, 1, 60);
	return until("pages_sharing", 2 * COUNT - 1) == 2 * COUNT - 1 && is_ksm(at) ? 0 : 5;	/* the child is registered as its parent was */
}

static void fork_while_merged(void)
{
	char *at = region(COUNT, 60);
	int status;

	settles("pages_sharing", COUNT - 1);
	status = in_child(forked_child, at, PATIENCE);
	check(status == 0, "a child inherits merged pages, and that it asked", "status %d", status);
	check(filled(at, COUNT, 60) && is_ksm(at), "its writes are its own", "frame %llx", frame_of(at));
	counts("pages_sharing", COUNT - 1, "its end leaves the parent's pages merged");
	CALL(__NR_munmap, at, COUNT * PAGE);
}

static void move_while_merged(void)
{
	char *at = region(COUNT, 70), *moved, *place = pages(COUNT);

	settles("pages_sharing", COUNT - 1);
	set("run", "0");
	moved = (char *)CALL(__NR_mremap, at, COUNT * PAGE, COUNT * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	check(moved == place, "a merged region can be moved", "to %lx", (unsigned long)moved);
	check(filled(moved, COUNT, 70), "with its contents", "frame %llx", frame_of(moved));
	check(none_is_ksm(moved, COUNT), "moving takes it apart: no address is poisoned", "frame %llx", frame_of(moved));
	set("run", "1");
	scanned(2);	/* until then the counters know the old place */
	counts("pages_sharing", COUNT - 1, "and it is merged again where it is");
	check(is_ksm(moved) && all_one_frame(moved, COUNT, frame_of(moved)), "by one frame", "frame %llx", frame_of(moved));
	moved[0] = 1;
	check(filled(moved + PAGE, COUNT - 1, 70) && !is_ksm(moved), "where writes work as ever", "frame %llx", frame_of(moved));
	at = (char *)CALL(__NR_mremap, moved, COUNT * PAGE, 2 * COUNT * PAGE, MREMAP_MAYMOVE, 0);
	check((long)at > 0 || (long)at < -4096, "it can grow", "to %lx", (unsigned long)at);
	check(filled(at + PAGE, COUNT - 1, 70), "and keeps its contents then", "%ld pages", COUNT - 1);
	CALL(__NR_munmap, at, 2 * COUNT * PAGE);
}

static int locks_and_ends(void *with)
{
	char *at = region(COUNT, 80);

	if (!at || !settles("pages_sharing", COUNT - 1) || !is_ksm(at))
		return 1;
	if (CALL(__NR_mlock, at, COUNT * PAGE))
		return 2;
	if (!filled(at, COUNT, 80))
		return 3;
	if (with && CALL(__NR_munlock, at, COUNT * PAGE))
		return 4;
	return scanned(2) ? 0 : 5;	/* ends while locked: exit unlocks, which is where 2.6.32-rc dead-locked */
}

static int unlocks_early(void *with)
{
	char *at = pages(COUNT);

	(void)with;
	if (CALL(__NR_mlock, at, COUNT * PAGE))
		return 1;
	fill(at, COUNT, 81);
	if (advise(at, COUNT, MERGEABLE) || !settles("pages_sharing", COUNT - 1))
		return 2;
	return filled(at, COUNT, 81) ? 0 : 3;
}

static void lock_while_merged(void)
{
	int status = in_child(locks_and_ends, 0, PATIENCE);

	check(status == 0, "exit with merged pages that are locked", "status %d", status);
	clean();	/* or the next would take the first one's count for its own */
	status = in_child(locks_and_ends, "unlock", PATIENCE);
	check(status == 0, "exit after they were unlocked", "status %d", status);
	clean();
	status = in_child(unlocks_early, 0, PATIENCE);
	check(status == 0, "exit with pages locked first and merged then", "status %d", status);
	counts("pages_sharing", 0, "nothing of them is left");
}

static int is_killed(void *with)
{
	char *at = region(COUNT, 90);

	(void)with;
	if (!at)
		return 1;
	for (;;)
		nap_ms(1000);
}

static void killed_while_merged(void)
{
	long pids[3];
	int i, status, bad = 0;

	for (i = 0; i < 3; i++)
		pids[i] = spawn(is_killed, 0);
	counts("pages_sharing", 3 * COUNT - 1, "three processes share one page");
	for (i = 0; i < 3; i++) {
		CALL(__NR_kill, pids[i], 9);
		status = ended(pids[i], PATIENCE);
		bad += status != 256 + 9;
	}
	check(!bad, "they can be killed", "%d could not", bad);
	counts("pages_sharing", 0, "and nothing is left");
}

static void pieces(void)
{
	char *at = region(COUNT, 95), *zeroes = pages(COUNT);
	int holds;

	settles("pages_sharing", COUNT - 1);
	check(CALL(__NR_mprotect, at, 4 * PAGE, PROT_READ) == 0 && filled(at, COUNT, 95), "merged pages can be made read-only", "%d", 0);
	check(CALL(__NR_mprotect, at, 4 * PAGE, PROT_READ | PROT_WRITE) == 0, "and writable again", "%d", 0);
	at[0] = 1;
	holds = !is_ksm(at) && filled(at + PAGE, COUNT - 1, 95);
	check(holds, "a write after that is seen nowhere else", "frame %llx", frame_of(at));
	CALL(__NR_munmap, at + 4 * PAGE, 4 * PAGE);
	counts("pages_sharing", COUNT - 6, "a hole in the middle is counted");
	check(filled(at + 8 * PAGE, COUNT - 8, 95), "and the rest is whole", "%ld pages", COUNT - 8);
	CALL(__NR_munmap, at, COUNT * PAGE);

	memset(zeroes, 0, COUNT * PAGE);
	clean();
	advise(zeroes, COUNT, MERGEABLE);
	settles("pages_sharing", COUNT - 1);
	check(is_ksm(zeroes) && frame_count(frame_of(zeroes)) == COUNT, "pages of zeroes are pages like others", "mapped %llu times",
	      frame_count(frame_of(zeroes)));
	CALL(__NR_munmap, zeroes, COUNT * PAGE);
}

int executed(const char *word)
{
	char *at = region(COUNT, 85);
	int tries;

	(void)word;
	for (tries = 0; at && tries < 500; tries++) {	/* the counters still know the program before */
		if (is_ksm(at))
			return 0;
		if (tries % 16 == 0)
			drain();
		nap_ms(4);
	}
	return 3;
}

static int replaces_itself(void *with)
{
	char *at = region(COUNT, 84);

	(void)with;
	if (!at || !settles("pages_sharing", COUNT - 1))
		return 1;
	execute("merge");
	return 2;
}

static void exec_while_merged(void)
{
	int status = in_child(replaces_itself, 0, PATIENCE);

	check(status == 0, "exec forgets who asked, and its program may ask anew", "status %d", status);
}

static void wake_up(void)
{
	char *at;
	long scans;

	nap_ms(100);	/* nobody is registered, and the scanner sleeps */
	scans = number("full_scans");
	nap_ms(100);
	check(number("full_scans") == scans, "the scanner sleeps while nobody asks", "full_scans %ld", number("full_scans"));
	at = region(COUNT, 86);
	check(scanned(2), "who asks wakes it", "full_scans %ld", number("full_scans"));
	CALL(__NR_munmap, at, COUNT * PAGE);
}

static int asks_and_ends(void *with)
{
	(void)with;
	return !region(1, 87);
}

/* Each mm that is not forgotten holds a page for its page table, and more. */
static void end_while_stopped(void)
{
#define ENDS 300
	long before, lost;
	int i, bad = 0;

	set("run", "0");
	for (i = 0; i < 20; i++)	/* what the first ones leave in the caches is no loss */
		in_child(asks_and_ends, 0, PATIENCE);
	before = memory_free();
	for (i = 0; i < ENDS; i++)
		bad += in_child(asks_and_ends, 0, PATIENCE) != 0;
	lost = before - memory_free();
	check(!bad && lost < ENDS * 2, "who ends while the scanner is stopped is forgotten at once", "%ld kB lost", lost);
	set("run", "1");
}

static void memory_of_devices(void)
{
	const char *name = "DOFORK still refuses memory of a device";
	long file, result;
	char *at;

	CALL(__NR_mknod, "/tmp/mem", 0020600, 1 << 8 | 1);
	file = CALL(__NR_open, "/tmp/mem", O_RDWR, 0);
	at = (char *)CALL(
#ifdef __x86_64__
		__NR_mmap, 0, PAGE, PROT_READ, MAP_SHARED, file, 0xf0000
#else
		__NR_mmap2, 0, PAGE, PROT_READ, MAP_SHARED, file, 0xf0
#endif
	);
	if (file < 0 || ((long)at < 0 && (long)at > -4096)) {
		skip(name, "/dev/mem cannot be mapped");
		return;
	}
	result = advise(at, 1, 11);
	answers(result, -EINVAL, name);
	answers(advise(at, 1, MERGEABLE), 0, "and nobody merges it");
	CALL(__NR_munmap, at, PAGE);
	CALL(__NR_close, file);
}

/* ------------------------------------------------------------------ what it costs and saves */

#define MUCH 2000L
#define WRITES 500L

static u64 time_of_writes(char *at)
{
	u64 start = now_ns();
	long i;

	for (i = 0; i < WRITES; i++)
		at[i * PAGE] = 1;
	return divide(now_ns() - start, WRITES);
}

/* The quickest of a few rounds: the first pays for what the page tables and the host have to do. */
static u64 least_time_of_writes(char *at)
{
	u64 least = time_of_writes(at), time;
	int round;

	for (round = 0; round < 5; round++)
		if ((time = time_of_writes(at)) < least)
			least = time;
	return least;
}

static void figures(int feature)
{
	char *at = pages(MUCH);
	long before, saved;
	u64 start;

	fill(at, MUCH, 200);
	measure("write to a page of one's own", least_time_of_writes(at), "ns");
	fill(at, WRITES, 200);
	if (!feature)
		return;
	set("pages_to_scan", "2000");
	before = memory_free();
	advise(at, MUCH, MERGEABLE);
	until("pages_sharing", MUCH - 1);
	saved = memory_free() - before;
	check(number("pages_sharing") == MUCH - 1, "eight megabytes become one page", "pages_sharing %ld", number("pages_sharing"));
	check(saved > MUCH * 4 * 8 / 10, "and memory is free again", "%ld kB", saved);
	measure("memory saved, of 8000 kB", saved > 0 ? saved : 0, "kB");
	set("sleep_millisecs", "0");
	start = now_ns();
	if (scanned(5))
		measure("pages scanned", divide(5ULL * MUCH * 1000000000ULL, (unsigned)((now_ns() - start) >> 10)) >> 10, "pages/s");
	set("run", "0");
	measure("write that breaks sharing", time_of_writes(at), "ns");
	check(none_is_ksm(at, 20) && filled(at + WRITES * PAGE, 20, 200), "which it does", "frame %llx", frame_of(at));
	CALL(__NR_munmap, at, MUCH * PAGE);
}

void probe(void)
{
	long mode = file_mode("/sys/kernel/mm/ksm"), advice;
	char *at = pages(1);

	fill(at, 1, 1);
	advice = advise(at, 1, MERGEABLE);
	if (mode < 0 && advice == -EINVAL) {
		figures(0);
		absent("madvise gives EINVAL, and there is no /sys/kernel/mm/ksm");
		return;
	}
	check(mode >= 0 && advice == 0, "the feature is there, both halves of it", "sysfs %ld, madvise %ld", mode, advice);
	advise(at, 1, UNMERGEABLE);
	the_files();
	the_defaults();
	the_errors();
	memory_of_devices();
	the_allocation_that_fails();
	set("run", "1");
	the_scanner();
	two_processes();
	clean();
	other_counters();
	clean();
	not_asked();
	clean();
	run_two();
	clean();
	most_of_it();
	clean();
	fork_while_merged();
	clean();
	move_while_merged();
	clean();
	lock_while_merged();
	clean();
	killed_while_merged();
	clean();
	pieces();
	clean();
	exec_while_merged();
	clean();
	end_while_stopped();
	clean();
	wake_up();
	clean();
	figures(1);
}
