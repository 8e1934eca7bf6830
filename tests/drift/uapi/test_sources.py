"""Source files and documents: files below /sys and /proc, parameters, system calls, prompts, ABI entries."""

from __future__ import annotations

from pathlib import Path

from tests.drift.uapi.examples import surface, told
from tests.gitrepo import Repo

KNOBS = b"""
#define KNOB(_name) \\
	static struct kobj_attribute _name##_attr = __ATTR(_name, 0644, _name##_show, _name##_store)
#define KNOB_RO(_name) static struct kobj_attribute _name##_attr = __ATTR_RO(_name)
KNOB(speed);
KNOB_RO(count);
static struct kobj_attribute alone_attr = __ATTR(alone, S_IRUGO | S_IWUSR, show, store);
static struct attribute *knobs[] = { &speed_attr.attr, &count_attr.attr, NULL };
static struct attribute_group group = { .attrs = knobs, .name = "engine" };
static DEVICE_ATTR(level, S_IRUSR, level_show, NULL);
static DEVICE_ATTR_RW(other);
static struct attribute written = { .name = "by_hand", .mode = 0200 };
static int init(void)
{
	struct kobject *mine = kobject_create_and_add("garage", kernel_kobj);
	char *no = "KNOB(no)"; /* KNOB(never); */
	sysfs_create_group(mm_kobj, &group);
	sysfs_create_file(mine, &alone_attr.attr);
	return device_create_file(dev, &dev_attr_level);
}
"""


def test_sysfs_files_with_their_folder_and_mode(repo: Repo, tmp_path: Path) -> None:
    assert told(surface(repo, tmp_path, {b"mm/engine.c": KNOBS})) == {
        "/sys/kernel/mm/engine/speed": "0644",
        "/sys/kernel/mm/engine/count": "0444",
        "/sys/kernel/garage/alone": "0644",
        "(device)/level": "0400",
        "(?)/other": "0644",
        "(?)/by_hand": "0200",
    }


def test_procfs_and_sysctl(repo: Repo, tmp_path: Path) -> None:
    text = b"""
static struct ctl_table root_table[] = { { .procname = "vm", .mode = 0555, .child = vm_table }, { } };
static struct ctl_table vm_table[] = { { .procname = "knob", .data = &knob, .mode = 0644 }, { .ctl_name = 0 } };
static struct ctl_table lost[] = { { .procname = "where", .mode = 0600 } };
int init(void)
{
	dir = proc_mkdir("garage", NULL);
	proc_create("plain", 0, NULL, &fops);
	create_proc_entry("inside", S_IRUSR, dir);
	proc_create(name, 0, NULL, &fops);
	proc_net_fops_create(net, "cars", S_IRUGO, &fops);
}
"""
    base = b'static const struct pid_entry tgid[] = { REG("garage", S_IRUGO, proc_garage), ONE("mode", S_IRUSR, x) };\n'
    assert told(surface(repo, tmp_path, {b"kernel/a.c": text, b"fs/proc/base.c": base})) == {
        "/proc/plain": "0444",
        "/proc/garage/inside": "0400",
        "/proc/net/cars": "0444",
        "/proc/PID/garage": "0444",
        "/proc/PID/mode": "0400",
        "/proc/sys/vm/knob": "0644",
        "/proc/sys/(?)/where": "0600",
    }


def test_parameters_and_system_calls(repo: Repo, tmp_path: Path) -> None:
    text = b"""
module_param(speed, int, 0644);
module_param_named(shown, hidden, bool, S_IRUGO);
static int list[4]; module_param_array(list, int, NULL, 0);
core_param(panic, panic_timeout, int, 0644);
__setup("garage=", setup); early_param("quick", quick);
SYSCALL_DEFINE2(drive, int, fd, const char __user *, to)
{
	return 0;
}
SYSCALL_DEFINE0(park)
{
}
"""
    assert told(surface(repo, tmp_path, {b"kernel/a.c": text})) == {
        "speed": "int 0644",
        "shown": "bool 0444",
        "list": "array of int 0000",
        "panic=": "int 0644",
        "garage=": "taken",
        "quick": "taken",
        "drive": "(int fd, const char __user * to)",
        "park": "()",
    }


def test_prompts_and_documents(repo: Repo, tmp_path: Path) -> None:
    kconfig = b"""\
config SHOWN
	bool "Show it" if EXPERT
	help
		config NOT
		bool "not a prompt"

config HIDDEN
	bool
config ASKED
	tristate
	prompt 'Ask'
	depends on SHOWN
choice
	prompt "which"
endchoice
"""
    abi = b"What:\t\t/sys/kernel/garage/speed\nDate:\tMay\n\nWhat: /sys/kernel/garage/level\n"
    table = b"# numbers\n0\tcommon\tread\t\tsys_read\n334 64 drive sys_drive\n"
    files = {
        b"mm/Kconfig": kconfig,
        b"Documentation/ABI/testing/sysfs-garage": abi,
        b"arch/x86/entry/syscalls/syscall_64.tbl": table,
    }
    assert told(surface(repo, tmp_path, files)) == {
        "CONFIG_SHOWN": 'bool "Show it"',
        "CONFIG_ASKED": 'tristate "Ask"',
        "/sys/kernel/garage/speed": "testing",
        "/sys/kernel/garage/level": "testing",
        "__NR_read (common)": "0",
        "__NR_drive (64)": "334",
    }


def test_numbers_that_a_program_of_the_tree_repeats(repo: Repo, tmp_path: Path) -> None:
    kernel = b"#define KPX_A 0\n#define KPX_B 1\n#define KPX_C 21\n#define KPX_PRIVATE 4\n#define TWO_A 1\n#define TWO_B 2\n"
    program = b"#define KPX_A 0\n#define KPX_B 1\n#define KPX_C 0x15\n#define TWO_A 1\n#define TWO_B 2\n"
    found = surface(repo, tmp_path, {b"fs/proc/page.c": kernel, b"Documentation/vm/types.c": program})
    assert told(found) == {"KPX_A": "0", "KPX_B": "1", "KPX_C": "21"}


def test_hostile_sources_are_read_without_a_crash(repo: Repo, tmp_path: Path) -> None:
    texts = [
        bytes(range(256)) * 10,
        b"#define A(x) A(x) __ATTR(x, 1)\nA(1);\nA(" * 50,
        b'__ATTR("' + b"(" * 5000,
        b"DEVICE_ATTR();\n__ATTR(,);\nmodule_param();\n__setup();\nproc_create();\nSYSCALL_DEFINE3();\n",
        b"struct attribute x = {" * 100,
        b'{ .procname = "a", .child = a } struct ctl_table a[] = { { .procname = "x", .child = a } };',
    ]
    surface(repo, tmp_path, {b"kernel/x%d.c" % i: text for i, text in enumerate(texts)})
    surface(repo, tmp_path, {b"a/Kconfig": texts[0], b"Documentation/ABI/x/y": texts[0], b"b/syscall.tbl": texts[0]})
