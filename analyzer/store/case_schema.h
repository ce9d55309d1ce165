/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of case.db, shared by the code that writes and the code that reads them. Times are nanoseconds since
 * 1970 in UTC, NULL where none is recorded. Names from the disk are TEXT if they are valid UTF-8, else BLOB.
 * Numbers without sign are stored as the 64-bit integer with the same bits.
 */
#ifndef AN_STORE_CASE_SCHEMA_H
#define AN_STORE_CASE_SCHEMA_H

#define AN_CASE_APPLICATION_ID 0x45584842 /* "EXHB" */
#define AN_CASE_VERSION 1                 /* user_version; raised with every change of a table */

/* file.type and file.name_type: the letters of body files, in the order of enum an_file_type. */
#define AN_CASE_TYPE_LETTERS "-rdlcbpshwvV"

static const char an_case_schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"CREATE TABLE evidence(id INTEGER PRIMARY KEY, name, kind, size, sector_size, md5, sha1, sha256, case_number,"
	" evidence_number, examiner, description, notes, acquired);"
	"CREATE TABLE volume(id INTEGER PRIMARY KEY, evidence, offset, length, partition_table, description, fs, label,"
	" uuid, mount, mount_known, files);"
	"CREATE TABLE file(id INTEGER PRIMARY KEY, volume, inode, path, link, type, name_type, mode, uid, gid, nlink, "
	"size,"
	" allocated, flags, content, attr_type, attr_id, atime_ns, mtime_ns, ctime_ns, crtime_ns, dtime_ns, md5, "
	"sha256);"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, time_ns, data_type, timestamp_desc, message, path, offset, ip, "
	"user,"
	" url, status);"
	"CREATE TABLE finding(id INTEGER PRIMARY KEY, rule, axis, severity, score, path, volume, inode, time_ns, "
	"atime_ns,"
	" mtime_ns, ctime_ns, crtime_ns, dtime_ns);"
	"CREATE TABLE reason(id INTEGER PRIMARY KEY, finding, rule, axis, score, confirms, innocent, text, quote, "
	"offset);"
	"CREATE TABLE problem(id INTEGER PRIMARY KEY, volume, path, text);"
	"CREATE TABLE fact(id INTEGER PRIMARY KEY, kind, value, path);";

#endif
