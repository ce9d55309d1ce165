/* SPDX-License-Identifier: Apache-2.0 */
/* unit [SUITE...]: runs those suites, or all. CK_FORK=no runs them in this process, as sanitizers need it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE(name) { #name, t_##name##_suite },
#include "suites.def"
#undef SUITE
};

enum { N_SUITES = sizeof suites / sizeof *suites };

static int run(size_t i)
{
	SRunner *runner = srunner_create(suites[i].make());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

static int run_named(const char *name)
{
	for (size_t i = 0; i < N_SUITES; i++)
		if (strcmp(suites[i].name, name) == 0)
			return run(i);
	fprintf(stderr, "unit: no suite is called %s\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed += run_named(argv[i]);
	for (size_t i = 0; i < N_SUITES && argc < 2; i++)
		failed += run(i);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
