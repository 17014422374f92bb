/* Counts the rows of a dataset through the C interface of the small reader. */
#include <stdio.h>
#include <stdlib.h>

#include <arrow/c/abi.h>

#include "glaive/reader_c.h"

int main(int argc, char** argv) {
  glaive_dataset* dataset = NULL;
  uint64_t versions[8];
  size_t num_versions = 0;
  uint64_t rows = 0;
  struct ArrowArrayStream stream;
  struct ArrowArray array;
  int64_t streamed = 0;
  const char* columns[] = {"id"};
  if (argc < 2) {
    return 2;
  }
  if (glaive_dataset_open("/nonexistent/x.lance", 0, &dataset) == 0) {
    return 3; /* must fail */
  }
  if (glaive_dataset_versions(argv[1], versions, 8, &num_versions) != 0 ||
      glaive_dataset_open(argv[1], 0, &dataset) != 0 || glaive_dataset_count_rows(dataset, &rows) != 0 ||
      glaive_dataset_read(dataset, columns, 1, 10, 50, &stream) != 0) {
    fprintf(stderr, "%s\n", glaive_last_error());
    return 1;
  }
  for (;;) {
    if (stream.get_next(&stream, &array) != 0) {
      fprintf(stderr, "%s\n", stream.get_last_error(&stream));
      return 1;
    }
    if (array.release == NULL) {
      break;
    }
    streamed += array.length;
    array.release(&array);
  }
  stream.release(&stream);
  printf("versions %d rows %d streamed %d\n", (int)num_versions, (int)rows, (int)streamed);
  glaive_dataset_close(dataset);
  return 0;
}
