/* The C twin of reader.h: opens a Lance dataset and streams it through the Arrow C stream
 * interface. Link libglaive_reader. Every function that can fail returns 0 on success, else a
 * glaive error code (see error.h: 1 invalid argument, 3 not found, 8 corruption, 9 unsupported, 11
 * I/O, ...); the message is then in glaive_last_error() of the same thread, valid until its next
 * call. */
#ifndef GLAIVE_READER_C_H_
#define GLAIVE_READER_C_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ArrowSchema;
struct ArrowArrayStream;

/* One version of a dataset. Thread-safe. */
typedef struct glaive_dataset glaive_dataset;

/* Opens a dataset directory; version 0 means the latest. */
__attribute__((visibility("default"))) int glaive_dataset_open(const char* path, uint64_t version,
                                                               glaive_dataset** out);
__attribute__((visibility("default"))) void glaive_dataset_close(glaive_dataset* dataset);
/* Writes up to capacity versions, ascending, and their total number to *count. */
__attribute__((visibility("default"))) int glaive_dataset_versions(const char* path,
                                                                   uint64_t* versions,
                                                                   size_t capacity, size_t* count);
__attribute__((visibility("default"))) uint64_t glaive_dataset_version(
    const glaive_dataset* dataset);
__attribute__((visibility("default"))) int glaive_dataset_schema(const glaive_dataset* dataset,
                                                                 struct ArrowSchema* out);
__attribute__((visibility("default"))) int glaive_dataset_count_rows(const glaive_dataset* dataset,
                                                                     uint64_t* out);
/* columns: num_columns paths, or NULL and 0 for all. Rows [offset, offset + limit); limit
 * UINT64_MAX means to the end. The caller releases the stream. */
__attribute__((visibility("default"))) int glaive_dataset_read(const glaive_dataset* dataset,
                                                               const char* const* columns,
                                                               size_t num_columns, uint64_t offset,
                                                               uint64_t limit,
                                                               struct ArrowArrayStream* out);
__attribute__((visibility("default"))) const char* glaive_last_error(void);

#ifdef __cplusplus
}
#endif

#endif /* GLAIVE_READER_C_H_ */
