/*
 * F_SETOWN_EX: who gets the signal of a file, a thread, a process or a group, is set, read back, and sees the signal come.
 *
 * The shape of a probe: first ask whether the feature is there at all, and say `absent` if not, for the control's sake; then
 * what it promises, what it must refuse, and that what was there before is as it was.
 */
#include "probe.h"

#define SIGIO 29

struct owner { int type, pid; };
enum { TID, PID, GROUP };

static int ends[2];	/* a pipe whose reading end sends the signals */
static int ready[2];

static long set(int type, long pid)
{
	struct owner owner = { type, (int)pid };

	return CALL(__NR_fcntl, ends[0], F_SETOWN_EX, &owner);
}

static int is(int type, long pid)
{
	struct owner owner = { -1, -1 };

	return CALL(__NR_fcntl, ends[0], F_GETOWN_EX, &owner) == 0 && owner.type == type && owner.pid == pid;
}

static void set_and_read(void)
{
	long me = CALL(__NR_gettid), group = CALL(__NR_getpgid, 0);

	check(is(PID, 0) || is(TID, 0), "nobody at first", "%d", 0);
	check(set(TID, me) == 0 && is(TID, me), "a thread", "set and read back");
	check(set(PID, me) == 0 && is(PID, me), "a process", "set and read back");
	check(CALL(__NR_fcntl, ends[0], F_GETOWN) == me, "F_GETOWN", "gives the process");
	check(set(GROUP, group) == 0 && is(GROUP, group), "a group", "set and read back");
	check(CALL(__NR_fcntl, ends[0], F_SETOWN, me) == 0 && is(PID, me), "F_SETOWN", "sets a process");
	check(CALL(__NR_fcntl, ends[0], F_SETOWN, -group) == 0 && is(GROUP, group), "F_SETOWN below 0", "sets a group");
}

static void refused(void)
{
	check(set(PID, 0) == 0 && is(PID, 0), "taken back", "nobody again");
	check(set(3, 1) == -EINVAL, "a type that there is not", "EINVAL");
	check(set(-1, 1) == -EINVAL, "a type below 0", "EINVAL");
	check(set(PID, 32767) == -ESRCH, "no such process", "ESRCH");
	check(is(PID, 0), "after a refusal", "the owner is as it was");
	check(CALL(__NR_fcntl, ends[0], F_SETOWN_EX, 8) == -EFAULT, "an address that there is not", "F_SETOWN_EX: EFAULT");
	check(CALL(__NR_fcntl, ends[0], F_GETOWN_EX, 8) == -EFAULT, "the same, read", "F_GETOWN_EX: EFAULT");
}

/* Waits for the signal; its status says whether it came. With a `group`, in a group of its own. */
static int listener(void *group)
{
	unsigned long signals[2] = { 1UL << (SIGIO - 1), 0 };
	long wait[2] = { 1, 0 };

	CALL(__NR_rt_sigprocmask, 0, signals, 0, 8);
	if (group)
		CALL(__NR_setpgid, 0, 0);
	CALL(__NR_write, ready[1], "r", 1);
	return CALL(__NR_rt_sigtimedwait, signals, 0, wait, 8) == SIGIO;
}

/* Of two listeners, the first becomes the owner: as a thread, a process, or a group. The other must hear nothing. */
static void heard(int type, const char *name)
{
	long one = spawn(listener, &type), other = spawn(listener, 0), done;
	int first, second;
	char c;

	CALL(__NR_read, ready[0], &c, 1);
	CALL(__NR_read, ready[0], &c, 1);
	done = set(type, one);
	CALL(__NR_write, ends[1], "x", 1);
	first = ended(one, 5000), second = ended(other, 5000);
	check(done == 0 && first == 1 && second == 0, name, "set %ld, owner heard %d, another %d", done, first, second);
}

void probe(void)
{
	CALL(__NR_setpgid, 0, 0);	/* PID 1's group is 0, and so is that of all that it starts */
	CALL(__NR_pipe, ends);
	CALL(__NR_pipe, ready);
	if (set(PID, 0) == -EINVAL) {
		absent("F_SETOWN_EX gives EINVAL");
		return;
	}
	set_and_read();
	refused();
	CALL(__NR_fcntl, ends[0], F_SETFL, O_NONBLOCK | FASYNC);
	heard(TID, "the thread hears it");
	heard(PID, "the process hears it");
	heard(GROUP, "the group hears it");
}
