// Error plumbing for our own sources: builders and checks on top of glaive/error.h.
//
// GLAIVE_CHECK_ARGUMENT for what a caller passed, GLAIVE_CHECK_FORMAT for every value that came from
// bytes of a file or the network. Neither aborts: both return a status.
#pragma once

#include <sstream>
#include <string>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include "glaive/error.h"

namespace glaive {

template <typename... Args>
std::string Concat(Args&&... args) {
  std::ostringstream out;
  (out << ... << std::forward<Args>(args));
  return std::move(out).str();
}

template <typename... Args>
arrow::Status InvalidArgument(Args&&... args) {
  return MakeError(ErrorCode::kInvalidArgument, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status TypeMismatch(Args&&... args) {
  return MakeError(ErrorCode::kTypeMismatch, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status NotFound(Args&&... args) {
  return MakeError(ErrorCode::kNotFound, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status AlreadyExists(Args&&... args) {
  return MakeError(ErrorCode::kAlreadyExists, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status CommitConflict(Args&&... args) {
  return MakeError(ErrorCode::kCommitConflict, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status CommitIncompatible(Args&&... args) {
  return MakeError(ErrorCode::kCommitIncompatible, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status Corruption(Args&&... args) {
  return MakeError(ErrorCode::kCorruption, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status Unsupported(Args&&... args) {
  return MakeError(ErrorCode::kUnsupported, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status ResourceExhausted(Args&&... args) {
  return MakeError(ErrorCode::kResourceExhausted, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status PreconditionFailed(Args&&... args) {
  return MakeError(ErrorCode::kPreconditionFailed, Concat(std::forward<Args>(args)...));
}

template <typename... Args>
arrow::Status InternalError(Args&&... args) {
  return MakeError(ErrorCode::kInternal, Concat(std::forward<Args>(args)...));
}

/// An I/O error from errno: kPermissionDenied for EACCES/EPERM/EROFS, kResourceExhausted for
/// ENOSPC/EDQUOT/ENOMEM, kNotFound for ENOENT, else kIo. The message holds operation, path and reason.
arrow::Status IoErrorFromErrno(int error, std::string_view operation, std::string_view path);

/// The same status with "context: " put in front of its message; code and detail stay.
arrow::Status WithContext(const arrow::Status& status, std::string_view context);

}  // namespace glaive

#define GLAIVE_CHECK_ARGUMENT(condition, ...)                  \
  do {                                                         \
    if (!(condition)) [[unlikely]] {                           \
      return ::glaive::InvalidArgument(__VA_ARGS__);           \
    }                                                          \
  } while (false)

#define GLAIVE_CHECK_FORMAT(condition, ...)                    \
  do {                                                         \
    if (!(condition)) [[unlikely]] {                           \
      return ::glaive::Corruption(__VA_ARGS__);                \
    }                                                          \
  } while (false)

// Adds context at a border between rooms: GLAIVE_WITH_CONTEXT(ReadFooter(...), "data file ", path).
#define GLAIVE_WITH_CONTEXT(expression, ...)                                      \
  do {                                                                            \
    ::arrow::Status glaive_status_ = ::arrow::ToStatus(expression); \
    if (!glaive_status_.ok()) [[unlikely]] {                                      \
      return ::glaive::WithContext(glaive_status_, ::glaive::Concat(__VA_ARGS__)); \
    }                                                                             \
  } while (false)
