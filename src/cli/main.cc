#include "cli/verb.h"

int main(int argc, char** argv) {
  return glaive::cli::Main(argc, argv);
}
