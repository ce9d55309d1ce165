/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME.case.jsonld: the acquisition in the words of CASE 1.4 and UCO 1.4, as JSON-LD.
 *
 * Sources: investigation.ttl of the CASE ontology 1.4.0; action, core, identity, observable, tool and types of the UCO
 * ontology 1.4.0; JSON-LD 1.1. An InvestigativeAction has the examiner as performer, the Tool as instrument, the
 * source as object, and as results the Image and the ProvenanceRecord. Digests are types:Hash of a ContentDataFacet;
 * each segment is a File in which the Image is contained.
 *
 * Each node is named by a UUID, the same each time: the first 16 bytes of the SHA-256 of the image's GUID and a label
 * such as "action" or "segment/1". They carry the variant of RFC 9562 and 5 as version, since they are made of a name,
 * but by SHA-256 where that version has SHA-1: version 8, which is meant for that, is one that UCO 1.4 does not
 * accept in an identifier (core:UcoThing-identifier-regex-shape).
 */
#ifndef IM_ACQUIRE_CASE_UCO_H
#define IM_ACQUIRE_CASE_UCO_H

#include "acquire/record.h"

/* The document. Of an acquisition that did not complete it holds the action with the status "Fail" and no Image.
 * Texts are made visible by im_dfxml_visible: xsd:string holds the characters of XML. CO_ERR_NOMEM, or the failure to
 * compute a digest. */
int im_case_uco_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *ret,
		     struct co_err *err);

#endif
