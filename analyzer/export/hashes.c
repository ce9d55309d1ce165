/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of digests: every live name of a file whose content was read whole, sorted by path, then inode.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/formats.h"
#include "export/name.h"
#include "version.h"

struct list {
	CO_VEC(const struct an_file *) files;
	struct co_str text; /* the next piece of output */
	struct co_sink *sink;
};

static int by_path(const void *a, const void *b)
{
	const struct an_file *x = *(const struct an_file *const *)a, *y = *(const struct an_file *const *)b;
	int r = strcmp(x->path, y->path);
	if (r != 0)
		return r;
	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return (x > y) - (x < y);
}

static int list_make(struct list *l, const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
		     struct co_err *err)
{
	*l = (struct list) { .sink = sink };
	for (size_t i = 0; i < c->files.rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[i];
		if ((f->flags & AN_HAS_DIGESTS) && an_filter_path(filter, f) && co_vec_push(&l->files, f) < 0)
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	}
	if (l->files.n > 1)
		qsort(l->files.at, l->files.n, sizeof *l->files.at, by_path);
	return 0;
}

static void list_free(struct list *l)
{
	co_vec_free(&l->files);
	co_str_free(&l->text);
}

static int flush(struct list *l, struct co_err *err)
{
	int r = l->text.failed ? co_err_set(err, CO_ERR_NOMEM, 0, "out of memory")
			       : co_sink_write(l->sink, co_str_get(&l->text), l->text.n, err);
	co_str_clear(&l->text);
	return r;
}

static void add_hex(struct co_str *s, const uint8_t *bytes, size_t n)
{
	char hex[65];
	co_hex(bytes, n, hex);
	co_str_add(s, hex);
}

/* As sha256sum of coreutils: names with a newline, carriage return or backslash are escaped, and the line begins with a
 * backslash then. */
static void add_sha256sum(struct co_str *s, const struct an_file *f)
{
	bool escaped = strpbrk(f->path, "\\\n\r") != NULL;
	co_str_add(s, escaped ? "\\" : "");
	add_hex(s, f->sha256, sizeof f->sha256);
	co_str_add(s, "  ");
	for (const char *p = f->path; *p; p++) {
		if (*p == '\\')
			co_str_add(s, "\\\\");
		else if (*p == '\n')
			co_str_add(s, "\\n");
		else if (*p == '\r')
			co_str_add(s, "\\r");
		else
			co_str_add_n(s, p, 1);
	}
	co_str_add(s, "\n");
}

static int write_sha256sum(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
			   struct co_err *err)
{
	struct list l;
	int r = list_make(&l, c, filter, sink, err);
	for (size_t i = 0; r == 0 && i < l.files.n; i++) {
		add_sha256sum(&l.text, l.files.at[i]);
		r = flush(&l, err);
	}
	list_free(&l);
	return r;
}

/* hashdeep knows no escapes: control characters become \xNN. Source: hashdeep(1), "FILE FORMAT". */
static void add_hashdeep(struct co_str *s, const struct an_file *f)
{
	co_str_addf(s, "%" PRIu64 ",", f->size);
	add_hex(s, f->md5, sizeof f->md5);
	co_str_add(s, ",");
	add_hex(s, f->sha256, sizeof f->sha256);
	co_str_add(s, ",");
	for (const char *p = f->path; *p; p++)
		if ((unsigned char)*p < ' ')
			co_str_addf(s, "\\x%02x", (unsigned char)*p);
		else
			co_str_add_n(s, p, 1);
	co_str_add(s, "\n");
}

static int write_hashdeep(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
			  struct co_err *err)
{
	struct list l;
	int r = list_make(&l, c, filter, sink, err);
	if (r == 0)
		r = co_sink_puts(sink, "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n", err);
	for (size_t i = 0; r == 0 && i < l.files.n; i++) {
		add_hashdeep(&l.text, l.files.at[i]);
		r = flush(&l, err);
	}
	list_free(&l);
	return r;
}

/* XML 1.0 can't hold most control characters, nor invalid UTF-8: they become \xNN. */
static void add_xml(struct co_str *s, const char *element, const char *text)
{
	CO_CLEANUP_STR struct co_str visible = { 0 };
	co_str_add_visible(&visible, text, strlen(text));
	co_str_addf(s, "      <%s>", element);
	for (const char *p = co_str_get(&visible); *p; p++) {
		if (*p == '&')
			co_str_add(s, "&amp;");
		else if (*p == '<')
			co_str_add(s, "&lt;");
		else if (*p == '>')
			co_str_add(s, "&gt;");
		else
			co_str_add_n(s, p, 1);
	}
	co_str_addf(s, "</%s>\n", element);
	s->failed = s->failed || visible.failed;
}

static void add_time(struct co_str *s, const char *element, int64_t ns)
{
	char text[40];
	if (ns == CO_TIME_NONE)
		return;
	co_time_text(ns, text);
	co_str_addf(s, "      <%s>%s</%s>\n", element, text, element);
}

/* The children in the order of fiwalk, which the DFXML schema demands. */
static void add_fileobject(struct co_str *s, const struct an_file *f, size_t id)
{
	co_str_add(s, "    <fileobject>\n");
	add_xml(s, "filename", f->path[0] == '/' ? f->path + 1 : f->path);
	co_str_addf(s, "      <partition>%" PRIu32 "</partition>\n      <id>%zu</id>\n", f->volume + 1, id);
	co_str_addf(s, "      <name_type>r</name_type>\n      <filesize>%" PRIu64 "</filesize>\n", f->size);
	co_str_add(s, "      <alloc>1</alloc>\n      <used>1</used>\n");
	co_str_addf(s, "      <inode>%" PRIu64 "</inode>\n      <meta_type>1</meta_type>\n", f->inode);
	co_str_addf(s, "      <mode>%u</mode>\n      <nlink>%" PRIu32 "</nlink>\n", f->mode, f->nlink);
	co_str_addf(s, "      <uid>%" PRIu32 "</uid>\n      <gid>%" PRIu32 "</gid>\n", f->uid, f->gid);
	add_time(s, "mtime", f->time[AN_MTIME]);
	add_time(s, "ctime", f->time[AN_CTIME]);
	add_time(s, "atime", f->time[AN_ATIME]);
	add_time(s, "crtime", f->time[AN_CRTIME]);
	co_str_add(s, "      <hashdigest type='md5'>");
	add_hex(s, f->md5, sizeof f->md5);
	co_str_add(s, "</hashdigest>\n      <hashdigest type='sha256'>");
	add_hex(s, f->sha256, sizeof f->sha256);
	co_str_add(s, "</hashdigest>\n    </fileobject>\n");
}

static int write_volume(struct list *l, const struct an_case *c, size_t volume, size_t *id, struct co_err *err)
{
	const struct an_case_volume *v = &c->volumes.at[volume];
	co_str_addf(&l->text, "  <volume offset='%" PRIu64 "'>\n", v->offset);
	co_str_addf(&l->text, "    <partition_offset>%" PRIu64 "</partition_offset>\n    <ftype_str>%s</ftype_str>\n",
		    v->offset, v->fs);
	int r = flush(l, err);
	for (size_t i = 0; r == 0 && i < l->files.n; i++) {
		if (l->files.at[i]->volume != volume)
			continue;
		add_fileobject(&l->text, l->files.at[i], ++*id);
		r = flush(l, err);
	}
	co_str_add(&l->text, "  </volume>\n");
	return r == 0 ? flush(l, err) : r;
}

static int write_dfxml(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
		       struct co_err *err)
{
	static const char begin[] = "<?xml version='1.0' encoding='UTF-8'?>\n"
				    "<dfxml xmlns='http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML'\n"
				    "  xmlns:dc='http://purl.org/dc/elements/1.1/' version='1.1.1'>\n"
				    "  <metadata>\n    <dc:type>Disk Image</dc:type>\n  </metadata>\n"
				    "  <creator version='1.0'>\n    <program>exhibit-analyzer</program>\n"
				    "    <version>" CO_VERSION "</version>\n  </creator>\n";
	struct list l;
	size_t id = 0;
	int r = list_make(&l, c, filter, sink, err);
	co_str_add(&l.text, begin);
	if (c->evidence.n > 0) {
		co_str_add(&l.text, "  <source>\n");
		add_xml(&l.text, "image_filename", c->evidence.at[0].name);
		co_str_add(&l.text, "  </source>\n");
	}
	for (size_t i = 0; r == 0 && i < c->volumes.n; i++)
		r = write_volume(&l, c, i, &id, err);
	co_str_add(&l.text, "</dfxml>\n");
	if (r == 0)
		r = flush(&l, err);
	list_free(&l);
	return r;
}

const struct an_exporter an_export_sha256sum = { "sha256sum", "as sha256sum prints, for sha256sum -c",
						 write_sha256sum };
const struct an_exporter an_export_hashdeep = { "hashdeep", "size, MD5 and SHA-256 for hashdeep", write_hashdeep };
const struct an_exporter an_export_dfxml = { "dfxml", "Digital Forensics XML", write_dfxml };
