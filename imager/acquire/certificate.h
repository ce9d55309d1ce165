/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME.certificate.txt: a form for the certificate of a qualified person about a copy that is identified by digests,
 * in the manner of rule 902(14) of the Federal Rules of Evidence of the United States. What the record holds is filled
 * in; what only that person can say is left blank.
 */
#ifndef IM_ACQUIRE_CERTIFICATE_H
#define IM_ACQUIRE_CERTIFICATE_H

#include "acquire/record.h"

/* There is something to certify: the acquisition is complete, if with unreadable sectors, which the form names. */
bool im_certificate_is_due(const struct im_bag_record *bag);

/* The text of the form. CO_ERR_NOMEM only. */
int im_certificate_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *ret,
			struct co_err *err);

#endif
