/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run/cancel.h"

static int keep(struct im_validation *v, const struct im_trial *t, const struct im_row *row, int64_t duration_ns,
		struct co_err *err)
{
	struct im_result result = { .row = row, .outcome = t->outcome, .duration_ns = duration_ns };

	result.reason = strdup(co_str_get(&t->reason));
	result.facts = strdup(co_str_get(&t->facts));
	result.commands = strdup(co_str_get(&t->commands));
	if (!result.reason || !result.facts || !result.commands || co_vec_push(&v->results, result) < 0) {
		free(result.reason);
		free(result.facts);
		free(result.commands);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the results of the self-test");
	}
	v->counts[result.outcome]++;
	return 0;
}

static int run_row(struct im_validation *v, struct im_machine *m, const struct im_row *row, struct co_err *err)
{
	int64_t from = co_clock_monotonic();
	struct im_trial t = { 0 };
	int r = 0;

	if (row->run) {
		r = im_trial_begin(&t, m, err);
		if (r == 0) {
			row->run(&t);
			im_trial_end(&t);
			r = co_cancel_check(err);
		}
	} else {
		t.outcome = IM_NOT_APPLICABLE;
		co_str_add(&t.reason, row->does);
	}
	if (r == 0)
		r = keep(v, &t, row, co_clock_monotonic() - from, err);
	t.machine = m;
	im_trial_free(&t);
	return r;
}

static bool wanted(const struct im_row *row, const struct co_option_list *only)
{
	bool found = only->n == 0;

	for (size_t i = 0; i < only->n; i++)
		found = found || im_row_is(row, only->at[i]);
	return found;
}

/* A name that names nothing must not look like a row that passed. */
static int check_names(const struct co_option_list *only, struct co_err *err)
{
	for (size_t i = 0; i < only->n; i++) {
		bool found = false;

		for (size_t row = 0; row < im_matrix_n; row++)
			found = found || im_row_is(&im_matrix[row], only->at[i]);
		if (!found)
			return co_err_set(err, CO_ERR_USAGE, 0, "the matrix has no row %s (see selftest --list)",
					  only->at[i]);
	}
	return 0;
}

int im_validate(struct im_validation *ret, struct im_machine *m, const struct co_option_list *only,
		void (*tell)(const struct im_result *result), struct co_err *err)
{
	struct im_validation v = { .start_ns = co_clock_now() };
	int r = check_names(only, err);

	for (size_t i = 0; r == 0 && i < im_matrix_n; i++) {
		if (!wanted(&im_matrix[i], only))
			continue;
		r = run_row(&v, m, &im_matrix[i], err);
		if (r == 0 && tell)
			tell(&v.results.at[v.results.n - 1]);
	}
	if (r < 0) {
		im_validation_free(&v);
		return r;
	}
	v.end_ns = co_clock_now();
	*ret = v;
	return 0;
}

void im_validation_free(struct im_validation *v)
{
	for (size_t i = 0; i < v->results.n; i++) {
		free(v->results.at[i].reason);
		free(v->results.at[i].facts);
		free(v->results.at[i].commands);
	}
	co_vec_free(&v->results);
}
