// The stable error codes of Glaive, carried as a detail of arrow::Status. The same numbers and
// names appear in C++, in the tool's output, in C, over HTTP and in the language bindings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/status.h>

#include "glaive/export.h"

namespace glaive {

/// What kind of thing went wrong. Numbers are stable.
enum class ErrorCode : int32_t {
  kOk = 0,
  kInvalidArgument = 1,  ///< the caller's input; the message names the argument and what is allowed
  kTypeMismatch = 2,     ///< schema against data
  kNotFound = 3,         ///< table, version, tag, column
  kAlreadyExists = 4,    ///< table, tag
  kCommitConflict = 5,   ///< concurrent change; retrying the operation can succeed
  kCommitIncompatible = 6,   ///< concurrent change; re-read and decide anew
  kCommitStateUnknown = 7,   ///< a put answered ambiguously; look at the versions before repeating
  kCorruption = 8,           ///< bytes that can't be right: object, offset, expected, found
  kUnsupported = 9,          ///< a feature, flag, encoding or version that this build does not know
  kResourceExhausted = 10,   ///< which budget, its limit, what was wanted
  kIo = 11,                  ///< store, path, operation
  kCancelled = 12,           ///< the caller's stop request or deadline
  kPermissionDenied = 13,    ///< the store refuses
  kPreconditionFailed = 14,  ///< a required state does not hold
  kInternal = 15,            ///< a broken invariant of Glaive: please report
};

/// The detail that carries an ErrorCode. Recognised by its type id, so it survives library borders.
class GLAIVE_EXPORT ErrorDetail final : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(ErrorCode code) : code_(code) {}

  const char* type_id() const override;
  std::string ToString() const override;

  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// A status with `code` and `message`, under the arrow::StatusCode that fits the code best.
GLAIVE_EXPORT arrow::Status MakeError(ErrorCode code, std::string message);

/// The code of any status: of its detail, or, for a status that Arrow itself made, the code that
/// fits its arrow::StatusCode. kOk for an OK status.
GLAIVE_EXPORT ErrorCode ErrorCodeOf(const arrow::Status& status);

/// "InvalidArgument", "Corruption", ...
GLAIVE_EXPORT std::string_view ErrorCodeName(ErrorCode code);

/// One sentence: what a user can do about an error of this kind.
GLAIVE_EXPORT std::string_view ErrorRemedy(ErrorCode code);

/// True if repeating the operation unchanged can succeed (kCommitConflict).
GLAIVE_EXPORT bool IsRetryable(const arrow::Status& status);

}  // namespace glaive
