/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* The sample of a probe: this many pieces of this many bytes, spread over the chunk. */
enum { PROBE_PIECES = 16, PROBE_PIECE = 256, PROBE_SIZE = PROBE_PIECES * PROBE_PIECE };
/* Sum of the squared counts of the 256 byte values in a sample: 69616 on average for random bytes, with a standard
 * deviation of 362; what deflate can shrink lies above. */
enum { PROBE_RANDOM_MAX = 71000 };

/* One worker. */
struct packer {
	const struct co_pack *pack;
	struct co_codec *codec;
	uint8_t *same;   /* the stream of a chunk of one repeated byte */
	size_t same_len; /* 0: none yet */
	uint8_t same_byte;
};

int co_pack_open(struct co_pack *p, enum co_compression c, uint32_t chunk_size, size_t buffer_size, struct co_err *err)
{
	*p = (struct co_pack) { .compression = c, .chunk_size = chunk_size, .buffer_size = buffer_size };
	if (c == CO_COMPRESSION_NONE)
		return 0;
	struct co_codec *codec;
	int r = co_codec_open(&codec, c, err);
	if (r < 0)
		return r;
	uint8_t *zeros = calloc(1, chunk_size);
	p->zero = malloc(chunk_size);
	if (zeros && p->zero)
		p->zero_len = co_codec_compress(codec, zeros, chunk_size, p->zero, chunk_size - 1);
	else
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a chunk of %u bytes", chunk_size);
	free(zeros);
	co_codec_close(codec);
	return r;
}

void co_pack_close(struct co_pack *p)
{
	free(p->zero);
	*p = (struct co_pack) { 0 };
}

int co_pack_job_open(struct co_pack_job **ret, const struct co_pack *p, struct co_err *err)
{
	size_t n = p->buffer_size / p->chunk_size;
	struct co_pack_job *job = calloc(1, sizeof *job);
	if (job) {
		job->pack = p;
		job->chunks = calloc(n, sizeof *job->chunks);
		job->out = p->compression == CO_COMPRESSION_NONE ? NULL : malloc(p->buffer_size);
	}
	if (!job || !job->chunks || (!job->out && p->compression != CO_COMPRESSION_NONE)) {
		co_pack_job_close(job);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for compressed buffers of %zu bytes",
				  p->buffer_size);
	}
	*ret = job;
	return 0;
}

void co_pack_job_close(struct co_pack_job *job)
{
	if (!job)
		return;
	free(job->chunks);
	free(job->out);
	free(job);
}

static void free_packer(void *self)
{
	struct packer *w = self;
	co_codec_close(w->codec);
	free(w->same);
	free(w);
}

static void *make_packer(void *arg, struct co_err *err)
{
	const struct co_pack *pack = arg;
	struct packer *w = calloc(1, sizeof *w);
	if (w) {
		w->pack = pack;
		w->same = malloc(pack->chunk_size);
	}
	if (!w || !w->same) {
		co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a compress worker");
	} else if (co_codec_open(&w->codec, pack->compression, err) == 0) {
		return w;
	}
	if (w)
		free_packer(w);
	return NULL;
}

static bool is_one_byte(const uint8_t *in, size_t len)
{
	return len > 1 && memcmp(in, in + 1, len - 1) == 0;
}

/* A whole chunk of one repeated byte: streams of these are kept. 0: does not fit. */
static size_t pack_same(struct packer *w, const uint8_t *in, uint8_t *out)
{
	const struct co_pack *p = w->pack;
	if (in[0] == 0 && p->zero_len) {
		memcpy(out, p->zero, p->zero_len);
		return p->zero_len;
	}
	if (w->same_len == 0 || w->same_byte != in[0]) {
		w->same_byte = in[0];
		w->same_len = co_codec_compress(w->codec, in, p->chunk_size, w->same, p->chunk_size - 1);
	}
	memcpy(out, w->same, w->same_len);
	return w->same_len;
}

/* By the distribution of its bytes; a tenth of the time that a trial of deflate takes. */
static bool looks_random(const uint8_t *in, size_t len)
{
	uint16_t counts[256] = { 0 };
	uint32_t sum = 0;
	size_t step = len / PROBE_PIECES;
	if (len < 2 * PROBE_SIZE)
		return false;
	for (size_t piece = 0; piece < PROBE_PIECES; piece++)
		for (size_t i = 0; i < PROBE_PIECE; i++)
			counts[in[piece * step + i]]++;
	for (size_t i = 0; i < 256; i++)
		sum += (uint32_t)counts[i] * counts[i];
	return sum <= PROBE_RANDOM_MAX;
}

/* @out: room for a chunk; NULL: it is to be stored raw. @after_raw: the chunk before was stored raw, so this one
 * probably will be. */
static void pack_chunk(struct packer *w, const uint8_t *in, size_t len, bool after_raw, uint8_t *out,
		       struct co_packed *ret)
{
	size_t stored = 0;
	if (out) {
		if (len == w->pack->chunk_size && is_one_byte(in, len))
			stored = pack_same(w, in, out);
		else if (!after_raw || !looks_random(in, len))
			stored = co_codec_compress(w->codec, in, len, out, len - 1);
	}
	*ret = (struct co_packed) { .bytes = stored ? out : in,
				    .len = (uint32_t)(stored ? stored : len),
				    .compressed = stored > 0 };
	if (!stored) {
		ret->adler = co_adler32(1, in, len);
		co_put_le32(ret->checksum, ret->adler);
	}
}

static int run_job(void *self, void *arg, struct co_err *err)
{
	struct packer *w = self;
	struct co_pack_job *job = arg;
	size_t chunk = w->pack->chunk_size;
	uint8_t *out = job->buf->plain ? NULL : job->out;
	bool after_raw = false; /* of each buffer anew: else the image would depend on which worker had which buffer */
	(void)err;
	job->n = 0;
	for (size_t off = 0; off < job->buf->len; off += chunk) {
		struct co_packed *c = &job->chunks[job->n];
		pack_chunk(w, job->buf->data + off, (size_t)co_min_u64(chunk, job->buf->len - off), after_raw,
			   out ? out + off : NULL, c);
		after_raw = !c->compressed;
		job->n++;
	}
	return 0;
}

const struct co_pool_ops co_pack_ops = { .worker_init = make_packer, .worker_free = free_packer, .run = run_job };
