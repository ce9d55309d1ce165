/* SPDX-License-Identifier: Apache-2.0 */
#include "check/check.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "run/cancel.h"

const struct an_check *const an_checks[] = {
	&an_check_dpkg,     &an_check_copy,   &an_check_extra,   &an_check_upload,
	&an_check_backdate, &an_check_setuid, &an_check_handler, NULL,
};

int an_check_context_prepare(struct an_check_context *x, struct co_err *err)
{
	x->known = calloc(x->c->files.rows.n + 1, 1);
	x->strings = an_strings_open();
	return x->known && x->strings ? 0 : co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the checks");
}

void an_check_context_free(struct an_check_context *x)
{
	free(CO_TAKE(x->known));
	co_vec_free(&x->packaged);
	an_strings_free(CO_TAKE(x->strings));
}

bool an_check_knows(const struct an_check_context *x, const struct an_file *f, enum an_known what)
{
	return x->known[f - x->c->files.rows.at] & what;
}

void an_check_mark(struct an_check_context *x, const struct an_file *f, enum an_known what)
{
	x->known[f - x->c->files.rows.at] |= (uint8_t)what;
}

int an_check_load(struct an_check_context *x, const struct an_file *f, size_t max, char **ret_bytes, size_t *ret_len,
		  struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	int r = x->load ? x->load(x, f, max, ret_bytes, ret_len, &why)
			: an_reader_load(x->reader, f, max, ret_bytes, ret_len, &why);
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	/* The content pass has told of a damaged file already. */
	if (r > 0 && !(f->flags & AN_CONTENT_DAMAGED) &&
	    an_case_problem(x->c, f->volume, f->path, err, "a check could not read it: %s", why.msg) < 0)
		return CO_ERR_NOMEM;
	return r;
}

int an_check_run_all(struct an_check_context *x, struct co_err *err)
{
	int r = an_check_context_prepare(x, err);
	for (size_t i = 0; r == 0 && an_checks[i]; i++) {
		r = co_cancel_check(err);
		if (r == 0)
			r = an_checks[i]->run(x, err);
	}
	if (r == 0)
		r = an_findings_settle(&x->c->findings, err);
	an_check_context_free(x);
	return r;
}
