#include "glaive/error.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/status.h"
#include "glaive/cancel.h"

namespace glaive {

namespace {

constexpr char kTypeId[] = "glaive::ErrorDetail";

arrow::StatusCode ArrowCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return arrow::StatusCode::OK;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kCommitIncompatible:
    case ErrorCode::kPreconditionFailed:
      return arrow::StatusCode::Invalid;
    case ErrorCode::kTypeMismatch:
      return arrow::StatusCode::TypeError;
    case ErrorCode::kNotFound:
      return arrow::StatusCode::KeyError;
    case ErrorCode::kAlreadyExists:
      return arrow::StatusCode::AlreadyExists;
    case ErrorCode::kCorruption:
      return arrow::StatusCode::SerializationError;
    case ErrorCode::kUnsupported:
      return arrow::StatusCode::NotImplemented;
    case ErrorCode::kResourceExhausted:
      return arrow::StatusCode::CapacityError;
    case ErrorCode::kCancelled:
      return arrow::StatusCode::Cancelled;
    case ErrorCode::kCommitConflict:
    case ErrorCode::kCommitStateUnknown:
    case ErrorCode::kIo:
    case ErrorCode::kPermissionDenied:
      return arrow::StatusCode::IOError;
    case ErrorCode::kInternal:
      return arrow::StatusCode::UnknownError;
  }
  return arrow::StatusCode::UnknownError;
}

}  // namespace

const char* ErrorDetail::type_id() const { return kTypeId; }

std::string ErrorDetail::ToString() const { return std::string(ErrorCodeName(code_)); }

arrow::Status MakeError(ErrorCode code, std::string message) {
  return {ArrowCodeOf(code), std::move(message), std::make_shared<ErrorDetail>(code)};
}

ErrorCode ErrorCodeOf(const arrow::Status& status) {
  if (status.ok()) {
    return ErrorCode::kOk;
  }
  const auto& detail = status.detail();
  if (detail != nullptr && std::strcmp(detail->type_id(), kTypeId) == 0) {
    return static_cast<const ErrorDetail&>(*detail).code();
  }
  switch (status.code()) {
    case arrow::StatusCode::OutOfMemory:
    case arrow::StatusCode::CapacityError:
      return ErrorCode::kResourceExhausted;
    case arrow::StatusCode::KeyError:
      return ErrorCode::kNotFound;
    case arrow::StatusCode::TypeError:
      return ErrorCode::kTypeMismatch;
    case arrow::StatusCode::IOError:
      return ErrorCode::kIo;
    case arrow::StatusCode::Cancelled:
      return ErrorCode::kCancelled;
    case arrow::StatusCode::NotImplemented:
      return ErrorCode::kUnsupported;
    case arrow::StatusCode::SerializationError:
      return ErrorCode::kCorruption;
    case arrow::StatusCode::AlreadyExists:
      return ErrorCode::kAlreadyExists;
    case arrow::StatusCode::Invalid:
    case arrow::StatusCode::IndexError:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return "Ok";
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kTypeMismatch:
      return "TypeMismatch";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kAlreadyExists:
      return "AlreadyExists";
    case ErrorCode::kCommitConflict:
      return "CommitConflict";
    case ErrorCode::kCommitIncompatible:
      return "CommitIncompatible";
    case ErrorCode::kCommitStateUnknown:
      return "CommitStateUnknown";
    case ErrorCode::kCorruption:
      return "Corruption";
    case ErrorCode::kUnsupported:
      return "Unsupported";
    case ErrorCode::kResourceExhausted:
      return "ResourceExhausted";
    case ErrorCode::kIo:
      return "Io";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kPermissionDenied:
      return "PermissionDenied";
    case ErrorCode::kPreconditionFailed:
      return "PreconditionFailed";
    case ErrorCode::kInternal:
      return "Internal";
  }
  return "Unknown";
}

std::string_view ErrorRemedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return "nothing to do";
    case ErrorCode::kInvalidArgument:
      return "correct the named argument and call again; nothing was changed";
    case ErrorCode::kTypeMismatch:
      return "make the data's type match the column's, or cast it; nothing was changed";
    case ErrorCode::kNotFound:
      return "check the name; list what there is with `glaive tables`, `versions` or `tag list`";
    case ErrorCode::kAlreadyExists:
      return "choose another name, or ask for overwrite or exist-ok";
    case ErrorCode::kCommitConflict:
      return "another writer was faster; repeat the operation";
    case ErrorCode::kCommitIncompatible:
      return "another writer changed the same thing; read the table again and decide anew";
    case ErrorCode::kCommitStateUnknown:
      return "look at the versions of the table before repeating the operation";
    case ErrorCode::kCorruption:
      return "run `glaive verify`; restore the file, or check out an older version";
    case ErrorCode::kUnsupported:
      return "read it with the version of Lance that wrote it, or update Glaive";
    case ErrorCode::kResourceExhausted:
      return "free the named resource or raise its limit";
    case ErrorCode::kIo:
      return "check the path and the storage, then repeat the operation";
    case ErrorCode::kCancelled:
      return "the operation was stopped on request; repeat it when wanted";
    case ErrorCode::kPermissionDenied:
      return "grant access to the named path";
    case ErrorCode::kPreconditionFailed:
      return "read the current state and decide anew";
    case ErrorCode::kInternal:
      return "this is a defect of Glaive; please report it with the message";
  }
  return "";
}

bool IsRetryable(const arrow::Status& status) {
  return ErrorCodeOf(status) == ErrorCode::kCommitConflict;
}

arrow::Status CancelToken::Check(std::string_view what) const {
  if (stop_requested()) {
    return MakeError(ErrorCode::kCancelled, Concat(what, " was cancelled on request"));
  }
  return arrow::Status::OK();
}

arrow::Status IoErrorFromErrno(int error, std::string_view operation, std::string_view path) {
  ErrorCode code = ErrorCode::kIo;
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::kPermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EFBIG:
      code = ErrorCode::kResourceExhausted;
      break;
    case ENOENT:
      code = ErrorCode::kNotFound;
      break;
    default:
      break;
  }
  return MakeError(code, Concat(operation, " ", path, ": ",
                                std::error_code(error, std::generic_category()).message()));
}

arrow::Status WithContext(const arrow::Status& status, std::string_view context) {
  if (status.ok()) {
    return status;
  }
  return {status.code(), Concat(context, ": ", status.message()), status.detail()};
}

}  // namespace glaive
