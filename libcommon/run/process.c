/* SPDX-License-Identifier: Apache-2.0 */
#include "run/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/cancel.h"

#define STEP_NS (CO_NS_PER_S / 5)  /* how often a waiting parent looks whether it was asked to stop */
#define GRACE_NS CO_NS_PER_S       /* for an answer after that */
#define END_NS (3 * CO_NS_PER_S)   /* for a child that was told to end */
#define KILL_NS (CO_NS_PER_S / 2)  /* for one that was killed */
#define NAP_NS (CO_NS_PER_S / 500) /* between looks at it */

struct co_process {
	pid_t pid;
	int channel;
	bool mute; /* it did not answer in time */
};

/* --- in the child --- */

static void ignore_stops(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigemptyset(&ignore.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &ignore, NULL);
}

static bool is_kept(const struct co_process_opts *opts, int channel, int fd)
{
	if (fd == channel)
		return true;
	for (size_t i = 0; i < opts->n_keep; i++)
		if (fd == opts->keep[i])
			return true;
	return false;
}

/* A child that hangs must not hold open the pipes that others read the program's output from. */
static void close_others(const struct co_process_opts *opts, int channel)
{
	int last = channel, none;

	for (size_t i = 0; i < opts->n_keep; i++)
		last = opts->keep[i] > last ? opts->keep[i] : last;
	for (int fd = STDERR_FILENO + 1; fd < last; fd++)
		if (!is_kept(opts, channel, fd))
			close(fd);
	close_range((unsigned)last + 1, UINT_MAX, 0);
	none = open("/dev/null", O_RDONLY);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (is_kept(opts, channel, fd))
			continue;
		else if (none < 0)
			close(fd);
		else if (fd != none)
			dup2(none, fd);
	if (none > STDERR_FILENO)
		close(none);
}

static void live(const struct co_process_opts *opts, int channel)
{
	ignore_stops();
	prctl(PR_SET_NAME, opts->name);
	close_others(opts, channel);
	opts->body(opts->arg, channel);
	_exit(0);
}

int co_process_receive(int channel, void *buf, size_t cap, size_t *ret_len)
{
	ssize_t n;

	do
		n = recv(channel, buf, cap, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 1;
	*ret_len = (size_t)n;
	return 0;
}

int co_process_send(int channel, const void *bytes, size_t len)
{
	ssize_t n;

	do
		n = send(channel, bytes, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 0 : -1;
}

/* --- in the parent --- */

int co_process_start(struct co_process **ret, const struct co_process_opts *opts, struct co_err *err)
{
	struct co_process *c = calloc(1, sizeof *c);
	int ends[2];

	if (!c)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a process");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		free(c);
		return co_err_set(err, CO_ERR_FAILED, errno, "make a channel to a process");
	}
	c->channel = ends[0];
	c->pid = fork();
	if (c->pid == 0)
		live(opts, ends[1]);
	close(ends[1]);
	if (c->pid < 0) {
		int sys = errno;

		close(ends[0]);
		free(c);
		return co_err_set(err, CO_ERR_FAILED, sys, "start a process");
	}
	*ret = c;
	return 0;
}

/* 0: there is something to receive. 1: there was not in time. */
static int wait_for_answer(const struct co_process *c, int64_t patience_ns)
{
	int64_t until = co_clock_monotonic() + patience_ns;
	bool stopping = false;

	for (;;) {
		struct pollfd p = { .fd = c->channel, .events = POLLIN };
		int64_t now = co_clock_monotonic(), left = until - now;

		if (!stopping && co_cancel_requested()) {
			stopping = true;
			left = left < GRACE_NS ? left : GRACE_NS;
			until = now + left;
		}
		if (left <= 0)
			return 1;
		left = left < STEP_NS ? left : STEP_NS;
		if (poll(&p, 1, (int)(left / (CO_NS_PER_S / 1000)) + 1) > 0)
			return 0;
	}
}

static int ended(struct co_err *err)
{
	return co_err_set(err, CO_ERR_FAILED, 0, "a process of this program has ended unexpectedly");
}

int co_process_ask(struct co_process *c, const void *request, size_t len, void *reply, size_t cap, size_t *ret_len,
		   int64_t patience_ns, struct co_err *err)
{
	if (c->mute && request)
		return 1;
	if (request && co_process_send(c->channel, request, len) < 0)
		return ended(err);
	if (wait_for_answer(c, patience_ns) == 1) {
		c->mute = true;
		return 1;
	}
	c->mute = false;
	return co_process_receive(c->channel, reply, cap, ret_len) == 0 ? 0 : ended(err);
}

/* False: it is still there after that time. */
static bool await_end(pid_t pid, int64_t patience_ns)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	int64_t until = co_clock_monotonic() + patience_ns;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (co_clock_monotonic() >= until)
			return false;
		nanosleep(&nap, NULL);
	}
}

void co_process_end(struct co_process *c)
{
	if (!c)
		return;
	close(c->channel);
	if (c->mute || !await_end(c->pid, END_NS)) {
		kill(c->pid, SIGKILL);
		await_end(c->pid, KILL_NS);
	}
	free(c);
}
