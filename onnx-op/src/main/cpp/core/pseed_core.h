/*
 * The decoder of .pseed records: C interface of the core. It knows nothing of containers, of JSON or of ONNX Runtime.
 *
 * A record (format specification, section 3) is one tensor. Open it over bytes that stay where they are, ask for its shape, decode
 * it into memory of your own. No function throws; each that can fail returns a kind and fills a pseed_error with the sentence
 * that the Java reader gives for the same bytes.
 *
 *     pseed_error error;
 *     pseed_record *record;
 *     if (pseed_record_open(bytes, size, NULL, PSEED_LIMIT_STANDARD, &record, &error) != PSEED_OK) { puts(error.message); return; }
 *     pseed_record_info info;
 *     pseed_record_get_info(record, &info);
 *     void *weights = malloc(info.decoded_bytes);
 *     if (pseed_record_decode(record, weights, info.decoded_bytes, NULL, &error) != PSEED_OK) { puts(error.message); }
 *     pseed_record_close(record);
 */
#ifndef PSEED_CORE_H
#define PSEED_CORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of trouble: those of section 10 of the specification that a record can give, then those that are not the record's fault. */
enum {
  PSEED_OK = 0,
  PSEED_CORRUPT = 3,
  PSEED_UNKNOWN_CODEC = 4,
  PSEED_OVER_LIMIT = 5,
  PSEED_OUT_OF_MEMORY = 100,
  PSEED_INVALID_ARGUMENT = 101
};

typedef struct pseed_error {
  int32_t kind;
  char message[1024]; /* UTF-8, zero-terminated */
} pseed_error;

/* Where a record lies, for messages only. Both strings are copied. */
typedef struct pseed_place {
  const char *file;   /* file, or whatever holds the bytes; NULL: "record" */
  const char *tensor; /* NULL or empty: none */
  uint64_t offset;    /* of the record's first byte in the file */
} pseed_place;

/* Most decoded bytes of one tensor, by level (section 11). */
#define PSEED_LIMIT_SMALL ((uint64_t)64 << 20)
#define PSEED_LIMIT_STANDARD ((uint64_t)16 << 30)
#define PSEED_LIMIT_LARGE ((uint64_t)INT64_MAX)

typedef struct pseed_record_info {
  int32_t codec; /* 1 raw, 2 poincare, 3 trellis */
  int32_t dtype; /* an id of section 1.1 */
  int32_t rank;
  uint64_t dims[8];
  uint64_t elements;
  uint64_t decoded_bytes;
} pseed_record_info;

/* Instruction sets that the trellis decoder is built for. All give the same bytes. */
enum {
  PSEED_SET_BEST = 0, /* the best that machine and build have */
  PSEED_SET_PORTABLE = 1,
  PSEED_SET_AVX2 = 2,
  PSEED_SET_AVX512 = 3,
  PSEED_SET_NEON = 4
};

typedef struct pseed_decode_options {
  uint32_t threads;         /* at most so many; 0: one a logical CPU. Small tensors take fewer. */
  uint32_t instruction_set; /* PSEED_SET_BEST but in tests and benchmarks */
} pseed_decode_options;

typedef struct pseed_record pseed_record;

/*
 * Parses and checks a record: everything but the decoded values. Payloads are not copied: the bytes must stay and not change until
 * the record is closed. They need no alignment. max_tensor_bytes: one of PSEED_LIMIT_*, or your own.
 */
int pseed_record_open(const void *bytes, size_t size, const pseed_place *place, uint64_t max_tensor_bytes, pseed_record **record,
                      pseed_error *error);

void pseed_record_get_info(const pseed_record *record, pseed_record_info *info);

/*
 * Decodes the tensor, row-major, little-endian, to out, and compares its checksum. out_bytes must be info.decoded_bytes at least;
 * nothing behind decoded_bytes is written. out needs no alignment; multiples of 64 are fastest. After an error what out holds is
 * unspecified. One record may be decoded from several threads at once. options: NULL for the defaults.
 */
int pseed_record_decode(const pseed_record *record, void *out, size_t out_bytes, const pseed_decode_options *options,
                        pseed_error *error);

void pseed_record_close(pseed_record *record);

/* The name of a kind in the specification: "corrupt", ... */
const char *pseed_kind_label(int kind);

/* Whether machine and build have an instruction set, its name, and the one that PSEED_SET_BEST stands for. */
int pseed_instruction_set_usable(int set);
const char *pseed_instruction_set_label(int set);
int pseed_instruction_set_best(void);

#ifdef __cplusplus
}
#endif
#endif
