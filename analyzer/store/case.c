/* SPDX-License-Identifier: Apache-2.0 */
#include "store/case.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the case");
}

int an_case_problem(struct an_case *c, uint32_t volume, const char *path, struct co_err *err, const char *fmt, ...)
{
	CO_CLEANUP_FREE char *text = NULL;
	CO_CLEANUP_FREE char *copy = strdup(path ? path : "");
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		text = NULL;
	if (!text || !copy || co_vec_push(&c->problems, (struct an_problem) { volume, copy, text }) < 0)
		return no_memory(err);
	text = copy = NULL;
	return 0;
}

int an_case_fact(struct an_case *c, const char *kind, const char *value, const char *path, struct co_err *err)
{
	CO_CLEANUP_FREE char *k = strdup(kind);
	CO_CLEANUP_FREE char *v = strdup(value);
	CO_CLEANUP_FREE char *p = strdup(path ? path : "");
	if (!k || !v || !p || co_vec_push(&c->facts, (struct an_fact) { k, v, p }) < 0)
		return no_memory(err);
	k = v = p = NULL;
	return 0;
}

static void free_evidence(struct an_case_evidence *e)
{
	char *const all[] = {
		e->name,     e->kind,        e->md5,   e->sha1,    e->sha256, e->case_number, e->evidence_number,
		e->examiner, e->description, e->notes, e->acquired
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

static void free_volume(struct an_case_volume *v)
{
	char *const all[] = { v->table, v->description, v->fs, v->label, v->uuid, v->mount };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

void an_case_free(struct an_case *c)
{
	for (size_t i = 0; i < c->evidence.n; i++)
		free_evidence(&c->evidence.at[i]);
	for (size_t i = 0; i < c->volumes.n; i++)
		free_volume(&c->volumes.at[i]);
	for (size_t i = 0; i < c->problems.n; i++) {
		free(c->problems.at[i].path);
		free(c->problems.at[i].text);
	}
	for (size_t i = 0; i < c->facts.n; i++) {
		free(c->facts.at[i].kind);
		free(c->facts.at[i].value);
		free(c->facts.at[i].path);
	}
	co_vec_free(&c->evidence);
	co_vec_free(&c->volumes);
	co_vec_free(&c->problems);
	co_vec_free(&c->facts);
	an_files_free(&c->files);
	an_findings_free(&c->findings);
	*c = (struct an_case) { 0 };
}
