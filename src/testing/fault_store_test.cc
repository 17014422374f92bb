#include "testing/fault_store.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "base/status.h"

namespace glaive::testing {
namespace {

std::shared_ptr<io::ObjectStore> Wrap(const std::shared_ptr<io::ObjectStore>& inner, FaultKind kind,
                                      uint64_t at) {
  return WrapWithFaults(inner, std::make_shared<std::atomic<uint64_t>>(0), {kind, at});
}

TEST(FaultStore, CountsAndLogsMutationsOnly) {
  auto counter = std::make_shared<std::atomic<uint64_t>>(0);
  auto log = std::make_shared<std::vector<std::string>>();
  auto store = WrapWithFaults(*io::OpenMemoryStore(), counter, {}, log);
  auto sub = *store->Sub("d");
  ASSERT_TRUE(sub->Put("x", "1").ok());
  ASSERT_TRUE(sub->Get("x").ok());
  auto writer = *store->Create("y");
  ASSERT_TRUE(writer->Append("abc", 3).ok());
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_TRUE(store->Delete("y").ok());
  EXPECT_EQ(*counter, 5u);
  EXPECT_EQ(*log,
            (std::vector<std::string>{"Put x", "Create y", "Append y", "Finish y", "Delete y"}));
}

TEST(FaultStore, ErrorHitsOneOperation) {
  auto inner = *io::OpenMemoryStore();
  auto store = Wrap(inner, FaultKind::kError, 1);
  EXPECT_TRUE(store->Put("a", "1").ok());
  EXPECT_EQ(ErrorCodeOf(store->Put("b", "1")), ErrorCode::kIo);
  EXPECT_TRUE(store->Put("c", "1").ok());
  EXPECT_FALSE(*inner->Exists("b"));
}

TEST(FaultStore, CrashEndsEverything) {
  auto inner = *io::OpenMemoryStore();
  auto store = Wrap(inner, FaultKind::kCrash, 1);
  EXPECT_TRUE(store->Put("a", "1").ok());
  EXPECT_FALSE(store->Put("b", "1").ok());
  EXPECT_FALSE(store->Put("c", "1").ok());
  EXPECT_FALSE(store->Get("a").ok());
  EXPECT_FALSE(store->List("").ok());
  EXPECT_TRUE(*inner->Exists("a"));
}

TEST(FaultStore, AmbiguousTakesEffect) {
  auto inner = *io::OpenMemoryStore();
  auto store = Wrap(inner, FaultKind::kAmbiguous, 0);
  EXPECT_EQ(ErrorCodeOf(store->PutIfAbsent("a", "1")), ErrorCode::kIo);
  EXPECT_TRUE(*inner->Exists("a"));
  EXPECT_EQ(ErrorCodeOf(store->PutIfAbsent("a", "1")), ErrorCode::kAlreadyExists);
}

TEST(FaultStore, TornLeavesNoObject) {
  auto inner = *io::OpenMemoryStore();
  auto store = Wrap(inner, FaultKind::kTorn, 0);
  EXPECT_FALSE(store->PutIfAbsent("d/a", "1234").ok());
  EXPECT_FALSE(*inner->Exists("d/a"));
  EXPECT_FALSE(store->Get("d/a").ok());
}

TEST(FaultStore, FullIsResourceExhausted) {
  auto store = Wrap(*io::OpenMemoryStore(), FaultKind::kFull, 1);
  auto writer = *store->Create("y");
  EXPECT_EQ(ErrorCodeOf(writer->Append("abc", 3)), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace glaive::testing
