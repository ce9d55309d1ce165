/* SPDX-License-Identifier: Apache-2.0 */
#include "export/event.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/name.h"

const char *an_event_desc(enum an_time which)
{
	static const char *const texts[AN_TIME_N] = {
		[AN_ATIME] = "Last Access Time",           [AN_MTIME] = "Content Modification Time",
		[AN_CTIME] = "Metadata Modification Time", [AN_CRTIME] = "Creation Time",
		[AN_DTIME] = "Content Deletion Time",
	};
	return texts[which];
}

const char *an_event_type(const struct an_file *f)
{
	switch (f->flags & AN_META_KNOWN ? f->type : f->name_type) {
	case AN_TYPE_REGULAR:
		return "file";
	case AN_TYPE_FOLDER:
	case AN_TYPE_VIRTUAL_FOLDER:
		return "directory";
	case AN_TYPE_LINK:
		return "link";
	case AN_TYPE_CHAR_DEVICE:
	case AN_TYPE_BLOCK_DEVICE:
		return "device";
	case AN_TYPE_FIFO:
		return "pipe";
	case AN_TYPE_SOCKET:
		return "socket";
	default:
		return "other";
	}
}

void an_event_message(struct co_str *s, const struct an_file *f)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	an_name_add(&name, f, false);
	co_str_add_visible(s, co_str_get(&name), name.n);
	co_str_addf(s, " Type: %s", an_event_type(f));
	s->failed = s->failed || name.failed;
}

int64_t an_event_microseconds(int64_t ns)
{
	return co_time_sec(ns) * 1000000 + co_time_nsec(ns) / 1000;
}

void an_event_datetime(int64_t ns, char ret[40])
{
	char text[40];
	co_time_text_sec(ns, text);
	size_t n = strcspn(text, "Z");
	snprintf(ret, 40, "%.*s.%06u+00:00", (int)(n < 24 ? n : 24), text, co_time_nsec(ns) / 1000);
}
