/*
 * /proc/PID/comm and /proc/PID/task/TID/comm: a thread reads and sets its own name and its siblings', and nobody else's.
 */
#include "probe.h"

#include <linux/prctl.h>

#define ROOM 16	/* bytes of a name, with the 0 at its end */

static char path[64];	/* of the probe's own first thread */
static long tid;

/* How much of a text a file takes, or -errno. */
static long put(const char *file, const char *text)
{
	long opened = CALL(__NR_open, file, O_WRONLY), took = CALL(__NR_write, opened, text, strlen(text));

	CALL(__NR_close, opened);
	return took;
}

static int named(const char *name)
{
	char text[64];
	long length = read_text(path, text, sizeof(text));

	return length == (long)strlen(name) + 1 && text[length - 1] == '\n' && !memcmp(text, name, strlen(name));
}

static int called(const char *name)
{
	char text[ROOM] = "";

	return CALL(__NR_prctl, PR_GET_NAME, text) == 0 && !strcmp(text, name);
}

static void own(void)
{
	check(file_mode("/proc/self/comm") == 0644, "its mode", "%lx", file_mode("/proc/self/comm"));
	check(file_mode(path) == 0644, "a thread's mode", "%lx", file_mode(path));
	CALL(__NR_prctl, PR_SET_NAME, "by prctl");
	check(named("by prctl"), "a name set by prctl", "is read");
	check(put(path, "by file") == 7, "a name is written", "%d bytes", 7);
	check(named("by file") && called("by file"), "a name set by the file", "is read, by prctl as well");
	check(put("/proc/self/comm", "whole") == 5 && named("whole"), "the process's file", "names its first thread");
	check(put(path, "0123456789abcdefghij") == 15, "a name too long", "%d bytes are taken", 15);
	check(named("0123456789abcde") && called("0123456789abcde"), "a name too long", "is cut off");
	check(put(path, "ab") == 2 && named("ab") && called("ab"), "a shorter name", "leaves nothing of the longer");
}

static void refused(void)
{
	long file = CALL(__NR_open, path, O_RDWR);

	check(CALL(__NR_write, file, 8, 4) == -EFAULT, "an address that there is not", "EFAULT");
	check(named("ab"), "after a refusal", "the name is as it was");
	CALL(__NR_close, file);
}

static int stranger(void *unused)
{
	(void)unused;
	return put(path, "stranger") == -EINVAL && named("ab");
}

/* ------------------------------------------------------------------ threads */

static volatile long sibling, written;
static volatile int go;

static void waits(void *unused)
{
	(void)unused;
	sibling = CALL(__NR_gettid);
	while (!go)
		CALL(__NR_sched_yield);
	written = put(path, "by sibling");
	while (go == 1)
		CALL(__NR_sched_yield);
}

static void siblings(void)
{
	char other[64], text[64] = "";
	long left = 5000;

	check(thread(waits, 0) > 0, "a second thread", "is there");
	for (; !sibling && left > 0; left -= 10)
		nap_ms(10);
	format_text(other, sizeof(other), "/proc/self/task/%ld/comm", sibling);
	check(put(other, "worker") == 6, "a sibling's name", "is written");
	read_text(other, text, sizeof(text));
	check(!memcmp(text, "worker\n", 7) && called("ab"), "a sibling's name", "is read, and one's own is as it was");
	go = 1;
	for (left = 5000; !written && left > 0; left -= 10)
		nap_ms(10);
	check(written == 10 && named("by sibling") && called("by sibling"), "one's own name", "is set by a sibling");
	go = 2;
	for (left = 5000; file_mode(other) != -ENOENT && left > 0; left -= 10)
		nap_ms(10);
	check(file_mode(other) == -ENOENT, "a thread that ended", "has no file");
}

static int child(void *unused)
{
	(void)unused;
	CALL(__NR_prctl, PR_SET_NAME, "child");
	while (1)
		nap_ms(100);
}

/* A file that was opened while its process lived: reading and writing it afterwards says that there is none. */
static void gone(void)
{
	char name[64], text[64];
	long pid = spawn(child, 0), file;

	format_text(name, sizeof(name), "/proc/%ld/comm", pid);
	file = CALL(__NR_open, name, O_RDWR);
	CALL(__NR_kill, pid, 9);
	ended(pid, 5000);
	check(CALL(__NR_read, file, text, sizeof(text)) == -ESRCH, "a process that ended, read", "ESRCH");
	check(CALL(__NR_write, file, "x", 1) == -ESRCH, "a process that ended, written", "ESRCH");
	CALL(__NR_close, file);
}

void probe(void)
{
	tid = CALL(__NR_gettid);
	format_text(path, sizeof(path), "/proc/%ld/task/%ld/comm", (long)CALL(__NR_getpid), tid);
	if (file_mode("/proc/self/comm") == -ENOENT && file_mode(path) == -ENOENT) {
		absent("there is no /proc/PID/comm");
		return;
	}
	own();
	refused();
	check(in_child(stranger, 0, 5000) == 1, "another process", "EINVAL, and the name is as it was");
	siblings();
	gone();
}
