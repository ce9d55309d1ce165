/* SPDX-License-Identifier: Apache-2.0 */
#include "run/cancel.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* timeout(1) signals its child and then the child's process group, so one request arrives twice; a person needs
 * longer than this to lose patience. */
#define SAME_REQUEST_NS (CO_NS_PER_S / 2)

static atomic_bool requested;
static _Atomic int64_t requested_at; /* co_clock_monotonic() */

static void on_signal(int sig)
{
	int64_t now = co_clock_monotonic();
	if (!atomic_exchange(&requested, true)) {
		atomic_store(&requested_at, now);
		return;
	}
	int64_t first = atomic_load(&requested_at);
	if (first == 0 || now - first < SAME_REQUEST_NS)
		return;
	/* Delivered with its default action as soon as this handler returns. */
	signal(sig, SIG_DFL);
	raise(sig);
}

int co_cancel_install(struct co_err *err)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigemptyset(&stop.sa_mask);
	sigemptyset(&ignore.sa_mask);
	/* Also where SIGINT was ignored, as in a background job of a script: its `kill -INT` is meant. */
	if (sigaction(SIGINT, &stop, NULL) < 0 || sigaction(SIGTERM, &stop, NULL) < 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) < 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "the signal handlers could not be installed");
	return 0;
}

bool co_cancel_requested(void)
{
	return atomic_load_explicit(&requested, memory_order_relaxed);
}

int co_cancel_check(struct co_err *err)
{
	return co_cancel_requested() ? co_err_set(err, CO_ERR_CANCELED, 0, "interrupted") : 0;
}
