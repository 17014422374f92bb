#include "glaive/error.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "base/status.h"
#include "glaive/cancel.h"

namespace glaive {
namespace {

TEST(Error, EveryCodeSurvivesTheStatus) {
  for (int32_t i = 1; i <= 15; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const auto status = MakeError(code, "what happened");
    EXPECT_EQ(ErrorCodeOf(status), code);
    EXPECT_EQ(status.message(), "what happened");
    EXPECT_NE(ErrorCodeName(code), "Unknown");
    EXPECT_FALSE(ErrorRemedy(code).empty());
  }
  EXPECT_EQ(ErrorCodeOf(arrow::Status::OK()), ErrorCode::kOk);
}

TEST(Error, StatusOfArrowHasACode) {
  EXPECT_EQ(ErrorCodeOf(arrow::Status::KeyError("x")), ErrorCode::kNotFound);
  EXPECT_EQ(ErrorCodeOf(arrow::Status::OutOfMemory("x")), ErrorCode::kResourceExhausted);
  EXPECT_EQ(ErrorCodeOf(arrow::Status::UnknownError("x")), ErrorCode::kInternal);
}

TEST(Error, ContextKeepsTheCode) {
  const auto status = WithContext(Corruption("offset 7"), "data file x");
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kCorruption);
  EXPECT_EQ(status.message(), "data file x: offset 7");
}

TEST(Error, ErrnoIsClassified) {
  EXPECT_EQ(ErrorCodeOf(IoErrorFromErrno(ENOSPC, "write", "/a")), ErrorCode::kResourceExhausted);
  EXPECT_EQ(ErrorCodeOf(IoErrorFromErrno(EROFS, "write", "/a")), ErrorCode::kPermissionDenied);
  EXPECT_EQ(ErrorCodeOf(IoErrorFromErrno(EIO, "write", "/a")), ErrorCode::kIo);
}

TEST(Error, CancelTokenSharesItsFlag) {
  CancelToken token;
  const CancelToken copy = token;
  EXPECT_TRUE(copy.Check("scan").ok());
  token.RequestStop();
  EXPECT_EQ(ErrorCodeOf(copy.Check("scan")), ErrorCode::kCancelled);
}

TEST(Error, BudgetRefusesAndNamesItself) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.Reserve(60, "a").ok());
  const auto status = budget.Reserve(41, "a merge");
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kResourceExhausted);
  EXPECT_NE(status.message().find("a merge"), std::string::npos);
  budget.Release(60);
  EXPECT_TRUE(budget.Reserve(100, "a").ok());
}

}  // namespace
}  // namespace glaive
