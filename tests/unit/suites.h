/* SPDX-License-Identifier: Apache-2.0 */
/* t_NAME_suite() of each NAME in UNIT_SUITES of tests/CMakeLists.txt. */
#ifndef UNIT_SUITES_H
#define UNIT_SUITES_H

#include <check.h>

#define SUITE(name) Suite *t_##name##_suite(void);
#include "suites.def"
#undef SUITE

#endif
