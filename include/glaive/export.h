// What the shared library exports. Everything else is hidden.
#pragma once

#define GLAIVE_EXPORT __attribute__((visibility("default")))
