// One line on stderr that says how far long work has come.
#pragma once

#include "glaive/cancel.h"

#include "cli/verb.h"

namespace glaive::cli {

/// Rows so far and rows per second, a few times a second; an empty callback where nobody watches
/// (stderr is no terminal and --progress was not given).
ProgressCallback MakeProgressLine(const Context& context);

}  // namespace glaive::cli
