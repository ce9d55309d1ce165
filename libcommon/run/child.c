/* SPDX-License-Identifier: Apache-2.0 */
#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/cancel.h"

#define OUTPUT_MAX ((size_t)64 << 20)
#define PATIENCE_NS (10 * CO_NS_PER_S)
#define LOOK_MS 20 /* how often we look whether a silent one has ended */

struct co_child {
	pid_t pid;
	bool ended;
	int code;
	int fds[2]; /* its standard output and error; -1: closed */
	struct co_str text[2];
};

static void send(const struct co_child *c, int sig)
{
	if (!c->ended)
		kill(-c->pid, sig);
}

void co_child_pause(const struct co_child *c)
{
	send(c, SIGSTOP);
}

void co_child_go_on(const struct co_child *c)
{
	send(c, SIGCONT);
}

void co_child_stop(const struct co_child *c)
{
	send(c, SIGTERM);
	send(c, SIGCONT);
}

void co_child_kill(const struct co_child *c)
{
	send(c, SIGKILL);
}

int co_child_code(const struct co_child *c)
{
	return c->code;
}

const struct co_str *co_child_out(const struct co_child *c)
{
	return &c->text[0];
}

const struct co_str *co_child_err(const struct co_child *c)
{
	return &c->text[1];
}

/* --- in the new process: only what is safe behind fork --- */

static void limit_files(uint64_t bytes)
{
	const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = bytes };

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void become(const struct co_child_spec *spec, pid_t parent, const int out[2], int status)
{
	int in = open(spec->input ? spec->input : "/dev/null", O_RDONLY);

	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (in >= 0 && getppid() == parent && dup2(in, 0) >= 0 && dup2(out[0], 1) >= 0 && dup2(out[1], 2) >= 0) {
		if (in > 2)
			close(in);
		if (spec->file_limit)
			limit_files(spec->file_limit);
		execv(spec->file, (char *const *)(uintptr_t)spec->argv);
	}
	int sys = errno;
	(void)!write(status, &sys, sizeof sys);
	_exit(127);
}

/* --- */

static void close_both(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* Waits for the execve: 0, or its errno. */
static int executed(int status)
{
	int sys = 0;
	ssize_t n;

	do
		n = read(status, &sys, sizeof sys);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof sys ? sys : 0;
}

static int fork_it(struct co_child *c, const struct co_child_spec *spec, int pipes[3][2])
{
	pid_t parent = getpid();

	c->pid = fork();
	if (c->pid == 0)
		become(spec, parent, (const int[2]) { pipes[0][1], pipes[1][1] }, pipes[2][1]);
	for (int i = 0; i < 3; i++) {
		close(pipes[i][1]);
		pipes[i][1] = -1;
	}
	if (c->pid < 0)
		return errno;
	setpgid(c->pid, c->pid);
	return executed(pipes[2][0]);
}

static int start(struct co_child *c, const struct co_child_spec *spec, struct co_err *err)
{
	int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int sys = 0;

	for (int i = 0; !sys && i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			sys = errno;
	if (!sys)
		sys = fork_it(c, spec, pipes);
	if (!sys) {
		for (int i = 0; i < 2; i++) {
			c->fds[i] = pipes[i][0];
			pipes[i][0] = -1;
			fcntl(c->fds[i], F_SETFL, O_NONBLOCK);
		}
	}
	for (int i = 0; i < 3; i++)
		close_both(pipes[i]);
	return sys ? co_err_set(err, CO_ERR_FAILED, sys, "run %s", spec->file) : 0;
}

int co_child_start(struct co_child **ret, const struct co_child_spec *spec, struct co_err *err)
{
	CO_CLEANUP_CHILD struct co_child *c = calloc(1, sizeof *c);
	int r;

	if (!c)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to run %s", spec->file);
	c->pid = -1;
	c->fds[0] = c->fds[1] = -1;
	r = start(c, spec, err);
	if (r < 0)
		return r;
	*ret = CO_TAKE(c);
	return 0;
}

/* Takes what is in a pipe; closes it at its end. */
static void take_output(struct co_child *c, int i)
{
	char buf[65536];
	ssize_t n;

	while (c->fds[i] >= 0) {
		n = read(c->fds[i], buf, sizeof buf);
		if (n > 0 && c->text[i].n < OUTPUT_MAX)
			co_str_add_n(&c->text[i], buf, (size_t)n);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			close(c->fds[i]);
			c->fds[i] = -1;
		}
		if (n < 0)
			return;
	}
}

static void collect(struct co_child *c, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = c->fds[0], .events = POLLIN }, { .fd = c->fds[1], .events = POLLIN } };
	siginfo_t info = { 0 };
	int status = 0;

	poll(fds, 2, timeout_ms);
	bool ended = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == c->pid;
	take_output(c, 0);
	take_output(c, 1);
	if (!ended)
		return;
	kill(-c->pid, SIGKILL); /* what it left behind, while the number of the group is surely still its own */
	waitpid(c->pid, &status, 0);
	c->ended = true;
	c->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	close_both(c->fds); /* what it left in the background may hold them open */
}

int co_child_wait(struct co_child *c, int64_t timeout_ns, struct co_err *err)
{
	int64_t end = co_clock_monotonic() + timeout_ns;

	while (!c->ended) {
		int64_t left = end - co_clock_monotonic();
		int r = co_cancel_check(err);

		if (r < 0)
			return r;
		if (left <= 0)
			return 1;
		collect(c, left < LOOK_MS * INT64_C(1000000) ? (int)(left / 1000000) : LOOK_MS);
	}
	return 0;
}

static void wait_closing(struct co_child *c)
{
	int64_t end = co_clock_monotonic() + PATIENCE_NS;

	while (!c->ended && co_clock_monotonic() < end)
		collect(c, LOOK_MS);
}

void co_child_close(struct co_child *c)
{
	if (!c)
		return;
	if (c->pid > 0) {
		co_child_stop(c);
		wait_closing(c);
		co_child_kill(c);
		wait_closing(c); /* one that hangs in the kernel can't be waited for */
	}
	close_both(c->fds);
	co_str_free(&c->text[0]);
	co_str_free(&c->text[1]);
	free(c);
}
