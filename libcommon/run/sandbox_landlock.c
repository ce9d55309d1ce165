/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/sandbox_layers.h"

/* Newer than the headers of Debian 12 (Linux Documentation/userspace-api/landlock.rst). */
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES (LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
/* Rights that a rule on a file, and not on a folder, may carry. */
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* struct landlock_ruleset_attr as of ABI 6; older kernels take its beginning. */
struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct rules {
	int fd;
	uint64_t handled; /* rights of files this kernel knows */
};

/* What libraries read when they are first used: shared libraries, locales, configuration, the state of the system. */
static const char *const writer_reads[] = { "/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/run" };
static const char *const writer_devices[] = { "/dev/null", "/dev/urandom", "/dev/tty" };

/* Openable for writing by everybody on every usual system. */
static const char probe_file[] = "/dev/zero";

static uint64_t known_rights(int abi)
{
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	if (abi >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL_DEV;
	return all;
}

/* A descriptor, or -1 with errno. */
static int make_ruleset(int abi, uint64_t handled)
{
	struct ruleset_attr attr = { .fs = handled,
				     .net = NET_BIND_TCP | NET_CONNECT_TCP,
				     .scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL };
	size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 2 * sizeof attr.fs : sizeof attr.fs;
	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

static int allow(const struct rules *to, const char *path, uint64_t rights, bool may_lack, struct co_err *err)
{
	CO_CLEANUP_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .parent_fd = fd, .allowed_access = rights & to->handled };
	if (rule.allowed_access == 0) /* an older kernel forbids none of it */
		return 0;
	if (fd < 0 && may_lack)
		return 0;
	if (fd < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", path);
	if (syscall(SYS_landlock_add_rule, to->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "add a Landlock rule for %s", path);
	return 0;
}

static int allow_each(const struct rules *to, const char *const *paths, size_t n, uint64_t rights, bool may_lack,
		      struct co_err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = allow(to, paths[i], rights, may_lack, err);
	return r;
}

static int add_rules(const struct rules *to, const struct co_sandbox_opts *opts, struct co_err *err)
{
	const uint64_t below_bag = READS | WRITES | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				   LANDLOCK_ACCESS_FS_REFER;
	int r = CO_SANDBOX_SANITIZER ? allow(to, "/proc", READS, true, err) : 0;
	if (r < 0)
		return r;
	switch (opts->profile) {
	case CO_SANDBOX_READER:
		break;
	case CO_SANDBOX_WRITER:
		r = allow_each(to, writer_reads, sizeof writer_reads / sizeof *writer_reads, READS, true, err);
		if (r == 0)
			r = allow_each(to, writer_devices, sizeof writer_devices / sizeof *writer_devices,
				       (READS | WRITES) & OF_FILES, true, err);
		if (r == 0)
			r = allow_each(to, opts->writable, opts->n_writable, below_bag, false, err);
		break;
	case CO_SANDBOX_GUARDIAN:
		r = allow(to, "/", READS, false, err);
		if (r == 0)
			r = allow(to, "/dev", FS_IOCTL_DEV, true, err);
		if (r == 0)
			r = allow_each(to, opts->writable, opts->n_writable, LANDLOCK_ACCESS_FS_REMOVE_DIR, false, err);
		break;
	}
	return r;
}

/* 0, or the errno of opening the probe file for writing. */
static int probe(void)
{
	CO_CLEANUP_CLOSE int fd = open(probe_file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? errno : 0;
}

int co_sandbox_landlock(struct co_sandbox_layer *ret, const struct co_sandbox_opts *opts, struct co_err *err)
{
	static const char name[] = "Landlock";
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return co_sandbox_report(ret, name, false, "absent: %s", strerror(errno));
	struct rules rules = { .handled = known_rights(abi) };
	CO_CLEANUP_CLOSE int fd = make_ruleset(abi, rules.handled);
	if (fd < 0)
		return co_sandbox_report(ret, name, false, "ABI %d, no rules could be made: %s", abi, strerror(errno));
	rules.fd = fd;
	int r = add_rules(&rules, opts, err);
	if (r < 0)
		return r;
	int before = probe();
	if (syscall(SYS_landlock_restrict_self, rules.fd, 0) < 0)
		return co_sandbox_report(ret, name, false, "ABI %d, the rules were refused: %s", abi, strerror(errno));
	int after = probe();
	return co_sandbox_report(ret, name, before == 0 && after == EACCES,
				 "ABI %d; open %s for writing: %s before, %s after", abi, probe_file,
				 before ? strerror(before) : "possible", after ? strerror(after) : "possible");
}
