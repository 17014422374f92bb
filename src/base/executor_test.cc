#include "base/executor.h"

#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"

namespace glaive {
namespace {

TEST(Executor, RunsEveryIndexOnce) {
  for (size_t threads : {1, 2, 5}) {
    Executor executor(threads);
    std::vector<std::atomic<int>> seen(1000);
    ASSERT_TRUE(executor
                    .ParallelFor(seen.size(),
                                 [&](size_t i) {
                                   ++seen[i];
                                   return arrow::Status::OK();
                                 })
                    .ok());
    for (const auto& count : seen) {
      EXPECT_EQ(count.load(), 1);
    }
  }
}

TEST(Executor, MayBeNested) {
  Executor executor(3);
  std::atomic<int> total{0};
  ASSERT_TRUE(executor
                  .ParallelFor(8,
                               [&](size_t) {
                                 return executor.ParallelFor(8, [&](size_t) {
                                   ++total;
                                   return arrow::Status::OK();
                                 });
                               })
                  .ok());
  EXPECT_EQ(total.load(), 64);
}

TEST(Executor, ReturnsTheFirstErrorAndStops) {
  Executor executor(2);
  std::atomic<int> started{0};
  const auto status = executor.ParallelFor(10000, [&](size_t i) {
    ++started;
    return i == 3 ? InvalidArgument("three") : arrow::Status::OK();
  });
  EXPECT_EQ(status.message(), "three");
  EXPECT_LT(started.load(), 10000);
}

}  // namespace
}  // namespace glaive
