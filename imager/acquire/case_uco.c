/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/case_uco.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "acquire/dfxml.h"
#include "base/clock.h"
#include "manifest/json.h"
#include "version.h"

#define LABEL_MAX 64 /* bytes of a label, with its NUL */
#define ID_MAX 46    /* "urn:uuid:" and a UUID, with its NUL */

struct document {
	struct co_json j;
	struct co_str *out;
	const struct im_record *rec;
	const struct im_bag_record *bag;
	struct co_err err; /* the first failure to make an identifier */
};

/* --- identifiers --- */

static void make_id(struct document *d, const char *label, char ret[ID_MAX])
{
	uint8_t name[sizeof d->rec->guid + LABEL_MAX], *uuid;
	size_t n = strnlen(label, LABEL_MAX);
	struct co_digests digests = { 0 };
	struct co_err err = CO_ERR_INIT;
	char hex[33];

	memcpy(name, d->rec->guid, sizeof d->rec->guid);
	memcpy(name + sizeof d->rec->guid, label, n);
	if (co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), name, sizeof d->rec->guid + n, &digests, &err) < 0 &&
	    !d->err.code)
		d->err = err;
	uuid = digests.of[CO_HASH_SHA256].bytes;
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	co_hex(uuid, 16, hex);
	snprintf(ret, ID_MAX, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Label of a part of something. */
static void part_label(char ret[LABEL_MAX], const char *owner, const char *part)
{
	snprintf(ret, LABEL_MAX, "%s/%s", owner, part);
}

static void segment_label(char ret[LABEL_MAX], size_t i)
{
	snprintf(ret, LABEL_MAX, "segment/%zu", i + 1);
}

/* --- values --- */

/* Nothing where there is no text. */
static void text(struct document *d, const char *key, const char *value)
{
	CO_CLEANUP_STR struct co_str visible = { 0 };

	if (!value || !value[0])
		return;
	im_dfxml_visible(&visible, value);
	d->out->failed = d->out->failed || visible.failed;
	co_json_str_n(&d->j, key, co_str_get(&visible), visible.n);
}

static void typed(struct document *d, const char *key, const char *type, const char *value)
{
	co_json_object(&d->j, key);
	co_json_str(&d->j, "@type", type);
	co_json_str(&d->j, "@value", value);
	co_json_end_object(&d->j);
}

/* As a text: a number of JSON may lose digits in readers that know floating point only. */
static void integer(struct document *d, const char *key, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRIu64, value);
	typed(d, key, "xsd:integer", digits);
}

static void moment(struct document *d, const char *key, int64_t ns)
{
	char value[40];

	co_time_text(ns, value);
	typed(d, key, "xsd:dateTime", value);
}

static void reference(struct document *d, const char *key, const char *label)
{
	char id[ID_MAX];

	make_id(d, label, id);
	co_json_object(&d->j, key);
	co_json_str(&d->j, "@id", id);
	co_json_end_object(&d->j);
}

static void open_node(struct document *d, const char *label, const char *type)
{
	char id[ID_MAX];

	make_id(d, label, id);
	co_json_object(&d->j, NULL);
	co_json_str(&d->j, "@id", id);
	co_json_str(&d->j, "@type", type);
}

static void close_node(struct document *d)
{
	co_json_end_object(&d->j);
}

/* --- facets --- */

static void open_facets(struct document *d)
{
	co_json_array(&d->j, "uco-core:hasFacet");
}

static void close_facets(struct document *d)
{
	co_json_end_array(&d->j);
}

static void open_facet(struct document *d, const char *owner, const char *part, const char *type)
{
	char label[LABEL_MAX];

	part_label(label, owner, part);
	open_node(d, label, type);
}

static void hash(struct document *d, const char *owner, const char *method, const struct co_digests *digests,
		 enum co_hash_alg alg)
{
	char label[LABEL_MAX], hex[2 * CO_HASH_MAX + 1];

	part_label(label, owner, method);
	co_digests_hex(digests, alg, hex);
	open_node(d, label, "uco-types:Hash");
	co_json_str(&d->j, "uco-types:hashMethod", method);
	typed(d, "uco-types:hashValue", "xsd:hexBinary", hex);
	close_node(d);
}

/* @digests NULL: none. */
static void content_facet(struct document *d, const char *owner, uint64_t bytes, const struct co_digests *digests)
{
	static const struct {
		enum co_hash_alg alg;
		const char *method;
	} order[] = { { CO_HASH_SHA256, "SHA256" }, { CO_HASH_SHA1, "SHA1" }, { CO_HASH_MD5, "MD5" } };

	open_facet(d, owner, "content", "uco-observable:ContentDataFacet");
	integer(d, "uco-observable:sizeInBytes", bytes);
	if (digests) {
		co_json_array(&d->j, "uco-observable:hash");
		for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
			if (digests->set & CO_HASH_BIT(order[i].alg))
				hash(d, owner, order[i].method, digests, order[i].alg);
		co_json_end_array(&d->j);
	}
	close_node(d);
}

static void file_facet(struct document *d, const char *owner, const char *path, uint64_t bytes)
{
	const char *slash = strrchr(path, '/');

	open_facet(d, owner, "file", "uco-observable:FileFacet");
	text(d, "uco-observable:fileName", slash && slash[1] ? slash + 1 : path);
	text(d, "uco-observable:filePath", path);
	integer(d, "uco-observable:sizeInBytes", bytes);
	close_node(d);
}

static void device_facet(struct document *d, const char *owner)
{
	const struct im_device *device = &d->rec->guard->device;

	open_facet(d, owner, "device", "uco-observable:DeviceFacet");
	text(d, "uco-observable:deviceType", device->transport);
	if (device->vendor[0])
		reference(d, "uco-observable:manufacturer", "manufacturer");
	text(d, "uco-observable:model", device->model);
	text(d, "uco-observable:serialNumber", device->serial);
	close_node(d);
}

/* The number of a partition in its table, which the kernel puts at the end of its name. */
static const char *partition_number(const char *name)
{
	const char *at = name + strlen(name);

	while (at > name && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return at;
}

static void partition_facet(struct document *d, const char *owner)
{
	const struct im_device *device = &d->rec->guard->device;

	open_facet(d, owner, "partition", "uco-observable:DiskPartitionFacet");
	text(d, "uco-observable:partitionID", partition_number(device->name));
	integer(d, "uco-observable:partitionLength", d->rec->media_bytes);
	for (size_t i = 0; i < device->partitions.n; i++)
		if (device->partitions.at[i].dev == device->dev)
			integer(d, "uco-observable:partitionOffset", device->partitions.at[i].start);
	close_node(d);
}

/* --- nodes --- */

static void context(struct document *d)
{
	static const char *const names[][2] = {
		{ "case-investigation", "https://ontology.caseontology.org/case/investigation/" },
		{ "uco-action", "https://ontology.unifiedcyberontology.org/uco/action/" },
		{ "uco-core", "https://ontology.unifiedcyberontology.org/uco/core/" },
		{ "uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/" },
		{ "uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/" },
		{ "uco-tool", "https://ontology.unifiedcyberontology.org/uco/tool/" },
		{ "uco-types", "https://ontology.unifiedcyberontology.org/uco/types/" },
		{ "xsd", "http://www.w3.org/2001/XMLSchema#" },
	};

	co_json_object(&d->j, "@context");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		co_json_str(&d->j, names[i][0], names[i][1]);
	co_json_end_object(&d->j);
}

static bool is_given(const char *value)
{
	return value && value[0];
}

static void identity(struct document *d, const char *label, const char *name, const char *description)
{
	if (!is_given(name))
		return;
	open_node(d, label, "uco-identity:Identity");
	text(d, "uco-core:name", name);
	text(d, "uco-core:description", description);
	close_node(d);
}

static void tool(struct document *d)
{
	open_node(d, "tool", "uco-tool:Tool");
	text(d, "uco-core:name", "exhibit-imager");
	text(d, "uco-tool:toolType", "disk imaging");
	text(d, "uco-tool:version", CO_VERSION);
	close_node(d);
}

static bool is_host_known(struct utsname *ret)
{
	return uname(ret) == 0;
}

static void host(struct document *d)
{
	struct utsname u;
	char system[sizeof u.sysname + sizeof u.release + 2];

	if (!is_host_known(&u))
		return;
	snprintf(system, sizeof system, "%s %s", u.sysname, u.release);
	open_node(d, "host", "uco-observable:Computer");
	text(d, "uco-core:name", u.nodename);
	text(d, "uco-core:description", system);
	open_facets(d);
	open_facet(d, "host", "specification", "uco-observable:ComputerSpecificationFacet");
	text(d, "uco-observable:hostname", u.nodename);
	text(d, "uco-observable:processorArchitecture", u.machine);
	close_node(d);
	close_facets(d);
	close_node(d);
}

static void contained(struct document *d, const char *what, const char *where)
{
	char label[LABEL_MAX];

	part_label(label, where, "contains");
	open_node(d, label, "uco-observable:ObservableRelationship");
	reference(d, "uco-core:source", what);
	reference(d, "uco-core:target", where);
	text(d, "uco-core:kindOfRelationship", "Contained_Within");
	co_json_bool(&d->j, "uco-core:isDirectional", true);
	close_node(d);
}

/* The disk of a partition. */
static void disk(struct document *d)
{
	open_node(d, "disk", "uco-observable:StorageMedium");
	text(d, "uco-core:name", d->rec->guard->device.disk);
	open_facets(d);
	device_facet(d, "disk");
	close_facets(d);
	close_node(d);
	contained(d, "source", "disk");
}

static void storage_facet(struct document *d, const char *owner)
{
	open_facet(d, owner, "storage", "uco-observable:StorageMediumFacet");
	integer(d, "uco-observable:totalStorageCapacityInBytes", d->rec->media_bytes);
	close_node(d);
}

/* The digests are those of the source only if all of it was read. */
static void source(struct document *d)
{
	static const char *const types[] = {
		[IM_KIND_DISK] = "uco-observable:StorageMedium",
		[IM_KIND_PARTITION] = "uco-observable:DiskPartition",
		[IM_KIND_FILE] = "uco-observable:File",
		[IM_KIND_STREAM] = "uco-observable:ObservableObject",
	};
	const struct im_record *rec = d->rec;
	const struct im_device *device = &rec->guard->device;

	open_node(d, "source", types[device->kind]);
	text(d, "uco-core:name", device->path);
	text(d, "uco-core:description", rec->info.description);
	open_facets(d);
	if (device->kind == IM_KIND_DISK) {
		device_facet(d, "source");
		storage_facet(d, "source");
	} else if (device->kind == IM_KIND_PARTITION) {
		partition_facet(d, "source");
	} else {
		file_facet(d, "source", device->path, rec->media_bytes);
	}
	content_facet(d, "source", rec->media_bytes,
		      rec->have_digests && rec->bad.total == 0 ? &rec->digests.plain : NULL);
	close_facets(d);
	close_node(d);
	if (device->kind == IM_KIND_PARTITION)
		disk(d);
}

static void describe_image(struct document *d)
{
	const struct im_record *rec = d->rec;
	CO_CLEANUP_STR struct co_str s = { 0 };

	co_str_addf(&s, "E01 image, EnCase 6 layout; read back from the disk: %s.",
		    im_verification_name(d->bag->verification));
	if (rec->bad.total)
		co_str_addf(&s,
			    " %" PRIu64 " sectors of %" PRIu32 " bytes could not be read and are zeros in it:"
			    " %s.manifest.json lists them.",
			    rec->bad.total, rec->sector, rec->name);
	if (rec->padding_bytes)
		co_str_addf(&s, " %" PRIu64 " zero bytes behind the source fill the last sector.", rec->padding_bytes);
	d->out->failed = d->out->failed || s.failed;
	text(d, "uco-core:description", co_str_get(&s));
}

static void image(struct document *d)
{
	const struct im_record *rec = d->rec;

	open_node(d, "image", "uco-observable:Image");
	text(d, "uco-core:name", rec->name);
	describe_image(d);
	reference(d, "case-investigation:wasDerivedFrom", "source");
	open_facets(d);
	open_facet(d, "image", "image", "uco-observable:ImageFacet");
	text(d, "uco-observable:imageType", "E01");
	close_node(d);
	content_facet(d, "image", rec->media_bytes + rec->padding_bytes, &rec->digests.padded);
	close_facets(d);
	close_node(d);
}

static void segment(struct document *d, size_t i)
{
	const struct im_segment *g = &d->bag->segments.at[i];
	struct co_digests digests = { 0 };
	CO_CLEANUP_STR struct co_str path = { 0 };
	char label[LABEL_MAX];

	if (co_unhex(g->sha256, 32, digests.of[CO_HASH_SHA256].bytes) == 0)
		digests.set = CO_HASH_BIT(CO_HASH_SHA256);
	co_str_addf(&path, "data/%s", g->name);
	d->out->failed = d->out->failed || path.failed;
	segment_label(label, i);
	open_node(d, label, "uco-observable:File");
	text(d, "uco-core:name", g->name);
	open_facets(d);
	file_facet(d, label, co_str_get(&path), g->bytes);
	content_facet(d, label, g->bytes, digests.set ? &digests : NULL);
	close_facets(d);
	close_node(d);
	contained(d, "image", label);
}

/* Of the open vocabulary uco-vocabulary:ActionStatusTypeVocab. */
static const char *action_status(enum im_status status)
{
	return status == IM_STATUS_COMPLETE               ? "Success"
	       : status == IM_STATUS_COMPLETE_WITH_ERRORS ? "Complete/Finish"
							  : "Fail";
}

static void describe_action(struct document *d)
{
	const struct co_err *why = &d->bag->error;
	CO_CLEANUP_STR struct co_str s = { 0 };

	co_str_addf(&s, "Status %s%s%s. Command line: %s", im_status_name(d->bag->status), why->code ? ": " : "",
		    why->code ? why->msg : "", d->rec->command_line);
	d->out->failed = d->out->failed || s.failed;
	text(d, "uco-core:description", co_str_get(&s));
}

static void action(struct document *d)
{
	const struct im_record *rec = d->rec;
	struct utsname u;

	open_node(d, "action", "case-investigation:InvestigativeAction");
	text(d, "uco-core:name", "acquisition");
	describe_action(d);
	text(d, "uco-action:actionStatus", action_status(d->bag->status));
	moment(d, "uco-action:startTime", rec->start_ns);
	moment(d, "uco-action:endTime", rec->end_ns);
	if (is_given(rec->info.examiner))
		reference(d, "uco-action:performer", "examiner");
	reference(d, "uco-action:instrument", "tool");
	if (is_host_known(&u))
		reference(d, "uco-action:environment", "host");
	reference(d, "uco-action:object", "source");
	co_json_array(&d->j, "uco-action:result");
	if (d->bag->published)
		reference(d, NULL, "image");
	reference(d, NULL, "provenance");
	co_json_end_array(&d->j);
	close_node(d);
}

static void provenance(struct document *d)
{
	const struct im_record *rec = d->rec;
	char name[128];

	snprintf(name, sizeof name, "data/%s.manifest.json", rec->name);
	open_node(d, "provenance", "case-investigation:ProvenanceRecord");
	text(d, "uco-core:name", name);
	text(d, "uco-core:description", rec->info.notes);
	text(d, "case-investigation:exhibitNumber", rec->info.evidence_number);
	reference(d, "uco-core:object", d->bag->published ? "image" : "source");
	close_node(d);
}

static void investigation(struct document *d)
{
	if (!is_given(d->rec->info.case_number))
		return;
	open_node(d, "investigation", "case-investigation:Investigation");
	text(d, "uco-core:name", d->rec->info.case_number);
	co_json_array(&d->j, "uco-core:object");
	reference(d, NULL, "action");
	reference(d, NULL, "provenance");
	co_json_end_array(&d->j);
	close_node(d);
}

int im_case_uco_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *ret,
		     struct co_err *err)
{
	struct document d = { .out = ret, .rec = rec, .bag = bag };

	co_json_to_str(&d.j, ret, true);
	co_json_object(&d.j, NULL);
	context(&d);
	co_json_array(&d.j, "@graph");
	investigation(&d);
	identity(&d, "examiner", rec->info.examiner, "examiner");
	identity(&d, "manufacturer", rec->guard->device.vendor, "manufacturer of the device");
	tool(&d);
	host(&d);
	source(&d);
	if (bag->published) {
		image(&d);
		for (size_t i = 0; i < bag->segments.n; i++)
			segment(&d, i);
	}
	action(&d);
	provenance(&d);
	co_json_end_array(&d.j);
	co_json_end_object(&d.j);
	co_json_newline(&d.j);
	if (d.err.code) {
		*err = d.err;
		return d.err.code;
	}
	return co_json_end(&d.j, err);
}
