// The version of the library.
#pragma once

#define GLAIVE_VERSION_MAJOR 0
#define GLAIVE_VERSION_MINOR 1
#define GLAIVE_VERSION_PATCH 0
#define GLAIVE_VERSION_STRING "0.1.0"
