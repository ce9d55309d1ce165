/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a path says: which folder, which extension, whether a web server reaches it. Shared by the checks.
 */
#ifndef AN_CHECK_PATHS_H
#define AN_CHECK_PATHS_H

#include "check/check.h"

/* Is @path the folder or below it? @folder without a slash at its end. */
bool an_path_below(const char *path, const char *folder);
/* Behind the last slash. */
const char *an_path_base(const char *path);
/* Behind the last dot of the name, "" if there is none; a name that only begins with a dot has none. */
const char *an_path_extension(const char *path);
bool an_path_has_extension(const char *path, const char *const *extensions); /* any case; list ended by NULL */

/* Names that common web servers hand to an interpreter: .php, .phtml, .cgi, .jsp ... */
bool an_path_is_script(const char *path);
/* Of those, spellings that ordinary software hardly uses: .php5, .pht, .phar ... */
bool an_path_is_rare_script(const char *path);
/* Code that a web server runs: a name of the kinds above that is meant for the web, or PHP inside another name that is
 * not documentation. */
bool an_path_is_web_code(const struct an_file *f);
/* Pictures, sound, video, fonts, icons: files that hold no code. */
bool an_path_is_media(const char *path);
/* Media, style sheets, browser scripts: what lies in folders that only serve files. */
bool an_path_is_static(const char *path);

/* Does a web server reach it: below a web root that the configuration names (facts), or one of the usual places. */
bool an_path_is_web(const struct an_case *c, const char *path);
/* /tmp, /var/tmp, /dev/shm. */
bool an_path_is_temporary(const char *path);
/* Programs, libraries and settings of the system: /usr, /bin, /sbin, /lib*, /boot, /etc. */
bool an_path_is_system(const char *path);

/* The row of a path as the server would reach it, symbolic links followed inside the image. NULL: there is no such
 * name, or memory ran out. */
struct an_file *an_path_resolve(struct an_files *files, const char *path);

#endif
