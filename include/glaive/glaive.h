// Everything public, for users. Our own sources include the single headers.
#pragma once

#include "glaive/cancel.h"
#include "glaive/change.h"
#include "glaive/database.h"
#include "glaive/error.h"
#include "glaive/expression.h"
#include "glaive/inspect.h"
#include "glaive/options.h"
#include "glaive/query.h"
#include "glaive/reader.h"
#include "glaive/table.h"
#include "glaive/version.h"
