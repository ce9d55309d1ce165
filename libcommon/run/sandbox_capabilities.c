/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/sandbox_layers.h"

#define BIT(capability) (1ULL << (capability))

struct sets {
	uint64_t effective, permitted, inheritable;
};

static int get_sets(struct sets *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (syscall(SYS_capget, &head, d) < 0)
		return -1;
	ret->effective = d[0].effective | (uint64_t)d[1].effective << 32;
	ret->permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	ret->inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	return 0;
}

static int set_sets(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)effective, .permitted = (uint32_t)permitted },
		{ .effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32) },
	};
	return (int)syscall(SYS_capset, &head, d);
}

/* The sets that have no system call for all of it; 1 << n for each capability the running kernel knows. */
static uint64_t bounding_set(void)
{
	uint64_t all = 0;
	int has;
	for (int c = 0; c < 64 && (has = prctl(PR_CAPBSET_READ, (long)c, 0L, 0L, 0L)) >= 0; c++)
		all |= has ? BIT(c) : 0;
	return all;
}

static uint64_t ambient_set(void)
{
	uint64_t all = 0;
	int has;
	for (int c = 0; c < 64 && (has = prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_IS_SET, (long)c, 0L, 0L)) >= 0; c++)
		all |= has ? BIT(c) : 0;
	return all;
}

/* Those who lack CAP_SETPCAP keep their bounding set: it gives nothing to who may gain no privileges. */
static void drop_unused_sets(void)
{
	for (int c = 0; c < 64; c++)
		if (prctl(PR_CAPBSET_DROP, (long)c, 0L, 0L, 0L) < 0)
			break;
	(void)prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
}

static bool can_use_folders(const struct co_sandbox_opts *opts)
{
	for (size_t i = 0; i < opts->n_writable; i++)
		if (faccessat(AT_FDCWD, opts->writable[i], R_OK | W_OK | X_OK, AT_EACCESS) < 0)
			return false;
	return true;
}

/* root without capabilities is stopped by a home folder of somebody else above the bag, and can't write on file
 * systems that give all files to one user (FAT, exFAT, NTFS). The least that helps is kept. */
static uint64_t needed_by_writer(const struct co_sandbox_opts *opts, uint64_t permitted)
{
	const uint64_t steps[] = { 0, BIT(CAP_DAC_READ_SEARCH), BIT(CAP_DAC_OVERRIDE) };
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if ((steps[i] & ~permitted) == 0 && set_sets(steps[i], permitted) == 0 && can_use_folders(opts))
			return steps[i];
	return 0;
}

int co_sandbox_capabilities(struct co_sandbox_layer *ret, const struct co_sandbox_opts *opts, struct co_err *err)
{
	static const char name[] = "capabilities";
	struct sets sets;
	(void)err;
	drop_unused_sets();
	if (get_sets(&sets) < 0)
		return co_sandbox_report(ret, name, false, "absent: %s", strerror(errno));
	uint64_t keep = opts->profile == CO_SANDBOX_GUARDIAN ? BIT(CAP_SYS_ADMIN) & sets.permitted
			: opts->profile == CO_SANDBOX_WRITER ? needed_by_writer(opts, sets.permitted)
							     : 0;
	if (set_sets(keep, keep) < 0 || get_sets(&sets) < 0)
		return co_sandbox_report(ret, name, false, "they could not be dropped: %s", strerror(errno));
	int no_new = prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
	bool done = sets.effective == keep && sets.permitted == keep && sets.inheritable == 0 && ambient_set() == 0 &&
		    no_new == 1;
	return co_sandbox_report(
		ret, name, done,
		"CapEff=%016llx CapPrm=%016llx CapInh=%016llx CapAmb=%016llx CapBnd=%016llx NoNewPrivs=%d",
		(unsigned long long)sets.effective, (unsigned long long)sets.permitted,
		(unsigned long long)sets.inheritable, (unsigned long long)ambient_set(),
		(unsigned long long)bounding_set(), no_new);
}
