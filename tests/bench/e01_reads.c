/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an E01 image through libewf or through our reader:
 *
 *	bench_e01_reads libewf|ours IMAGE random COUNT [AHEAD]
 *	bench_e01_reads libewf|ours IMAGE sequential STEP [AHEAD]
 *
 * random: COUNT reads of 4 KiB at places that are the same in each run. sequential: the whole image in reads of STEP
 * bytes. AHEAD: threads that read ahead (ours). Prints the bytes, the Adler-32 of all that was read, the seconds of
 * reading (without opening), and reads per second.
 */
#include <inttypes.h>
#include <libewf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "e01/codec.h"
#include "e01/reader.h"

enum { RANDOM_SIZE = 4096 };

struct image {
	libewf_handle_t *peer; /* NULL: ours */
	struct co_source ours;
	uint64_t size;
};

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "bench_e01_reads: %s\n", text);
	exit(1);
}

static void open_peer(struct image *im, const char *name)
{
	char **names = NULL;
	int n = 0;
	if (libewf_glob(name, strlen(name), LIBEWF_FORMAT_UNKNOWN, &names, &n, NULL) != 1 ||
	    libewf_handle_initialize(&im->peer, NULL) != 1 ||
	    libewf_handle_open(im->peer, names, n, LIBEWF_OPEN_READ, NULL) != 1 ||
	    libewf_handle_get_media_size(im->peer, &im->size, NULL) != 1)
		die("libewf does not open the image");
	libewf_glob_free(names, n, NULL);
}

static void open_ours(struct image *im, const char *name, unsigned ahead)
{
	struct co_err err = CO_ERR_INIT;
	if (co_e01_open(&im->ours, &name, 1, &(struct co_e01_opts) { .ahead = ahead }, &err) < 0)
		die(err.msg);
	im->size = im->ours.size;
}

static void close_image(struct image *im)
{
	co_source_close(&im->ours);
	if (im->peer) {
		libewf_handle_close(im->peer, NULL);
		libewf_handle_free(&im->peer, NULL);
	}
}

static void read_at(struct image *im, uint8_t *buf, size_t len, uint64_t off)
{
	struct co_err err = CO_ERR_INIT;
	if (im->peer) {
		if (libewf_handle_read_random(im->peer, buf, len, (off64_t)off, NULL) != (ssize_t)len)
			die("libewf does not read");
	} else if (co_source_read_full(&im->ours, buf, len, off, &err) < 0) {
		die(err.msg);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Where read number @i of @len bytes is; false: there is none. */
static bool place(const struct image *im, bool random, uint64_t count, uint64_t i, size_t *ret_len, uint64_t *ret_off)
{
	static uint64_t x = 88172645463325252;
	if (!random) {
		*ret_off = i * *ret_len;
		if (*ret_off < im->size)
			*ret_len = (size_t)co_min_u64(*ret_len, im->size - *ret_off);
		return *ret_off < im->size;
	}
	x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	*ret_off = x % (im->size / RANDOM_SIZE) * RANDOM_SIZE;
	return i < count;
}

int main(int argc, char **argv)
{
	struct image im = { 0 };
	bool random = argc > 3 && strcmp(argv[3], "random") == 0;
	if (argc < 5 || (!random && strcmp(argv[3], "sequential") != 0))
		die("usage: bench_e01_reads libewf|ours IMAGE random|sequential N [AHEAD]");
	uint64_t n = strtoull(argv[4], NULL, 10), i, off, bytes = 0;
	size_t step = random ? RANDOM_SIZE : (size_t)n, len = step;
	uint8_t *buf = malloc(step + 1);
	uint32_t sum = 1;
	if (!buf || n == 0)
		die("no memory, or nothing to do");
	if (strcmp(argv[1], "libewf") == 0)
		open_peer(&im, argv[2]);
	else
		open_ours(&im, argv[2], argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 0);
	if (im.size < RANDOM_SIZE)
		die("the image is too small");
	uint64_t begin = now_ns();
	for (i = 0; place(&im, random, n, i, &len, &off); i++) {
		read_at(&im, buf, len, off);
		sum = co_adler32(sum, buf, len);
		bytes += len;
		len = step;
	}
	double seconds = (double)(now_ns() - begin) / 1e9;
	printf("%" PRIu64 " %08" PRIx32 " %.4f %.0f\n", bytes, sum, seconds, (double)i / seconds);
	close_image(&im);
	free(buf);
	return 0;
}
